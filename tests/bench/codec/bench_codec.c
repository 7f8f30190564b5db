/* The codec: text into numbers and back, in nanoseconds per number and megabytes per
 * second, beside cJSON on the same documents.
 *
 *     bench_codec [ROWSxCLASSES]...     64x10, 1024x1000 and 256x32000, or what is named
 *
 * Both sides do what a request needs, memory included: ours makes an arena and gives
 * it back, cJSON's way builds its tree and deletes it.  Before anything is measured,
 * both must have read the same bits. */
#include <stdbool.h>
#include <string.h>

#include "../timing.h"
#include "cjson_way.h"
#include "documents.h"
#include "lossd/codec/codec.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/score.h"

static const struct limits no_limits = {.max_elements = SIZE_MAX,
                                        .max_classes = SIZE_MAX,
                                        .max_confusion = SIZE_MAX,
                                        .max_depth = 64,
                                        .max_text = 1 << 20};
static const struct race reading_race = {1.2, 15, 40}, writing_race = {1.0, 15, 40};
enum { CJSON_READS_EVERY = 3, CJSON_WRITES_EVERY = 7 };

/* cJSON takes seconds for so many numbers: few rounds, and it is in all of them. */
enum { MANY_NUMBERS = 4000000, ROUNDS_OF_MANY = 3 };

static struct race race_of(const struct documents *set, struct race usual)
{
    if (set->numbers > MANY_NUMBERS)
        usual.least = usual.most = ROUNDS_OF_MANY;
    return usual;
}

static unsigned turns_of(const struct documents *set, unsigned usual)
{
    return set->numbers > MANY_NUMBERS ? 1 : usual;
}

static size_t sink; /* bytes written, so that writing them is of use */

static void give_up(const char *what, const struct err *err)
{
    fprintf(stderr, "bench_codec: %s: %s\n", what, err->detail);
    exit(1);
}

/* ---- reading ------------------------------------------------------------------ */

struct reading {
    const struct documents *set;
    enum dtype dtype;
    size_t chunk; /* bytes, 0: whole */
};

/* As the address would: "?dtype=float32&return=probabilities". */
static void set_address(struct batch *batch, enum dtype dtype, struct err *err)
{
    struct span names[] = {span_of("probabilities")};
    struct value returned = {.type = VALUE_NAMES, .names = names, .count = 1};
    struct value type = {.type = VALUE_TEXT,
                         .text = span_of(dtype == DTYPE_FLOAT32 ? "float32" : "float64")};
    enum member member;

    if (!batch_begin(batch, span_of("dtype"), true, NULL, &member, err) ||
        !batch_set(batch, member, type, err) ||
        !batch_begin(batch, span_of("return"), true, NULL, &member, err) ||
        !batch_set(batch, member, returned, err))
        give_up("options", err);
}

/* Reads a document; the most memory held on the way into *peak unless it is NULL. */
static void read_document(const struct reading *reading, struct span text,
                          struct batch *batch, struct arena *mem, size_t *peak)
{
    const struct codec *codec = codec_for(&task_loss, span_of("application/json"));
    size_t chunk = reading->chunk > 0 ? reading->chunk : text.len;
    struct err err = {0};

    batch_init(batch, &task_loss, &no_limits);
    set_address(batch, reading->dtype, &err);
    struct decoder *decoder = codec->begin(span_of(""), batch, mem, &err);
    if (!decoder)
        give_up("begin", &err);
    for (size_t at = 0; at < text.len; at += chunk) {
        size_t length = text.len - at < chunk ? text.len - at : chunk;
        if (!codec->feed(decoder, (struct span){text.at + at, length}, &err))
            give_up("feed", &err);
        if (peak && mem->used > *peak)
            *peak = mem->used;
    }
    if (!codec->finish(decoder, &err) || err.kind != ERR_NONE)
        give_up("finish", &err);
    if (peak && mem->used > *peak)
        *peak = mem->used;
}

static void run_reading(void *ctx)
{
    const struct reading *reading = ctx;
    struct batch batch;
    struct arena mem;

    for (size_t i = 0; i < reading->set->count; i++) {
        arena_init(&mem, SIZE_MAX, "", NULL);
        read_document(reading, reading->set->text[i], &batch, &mem, NULL);
        arena_release(&mem);
    }
}

static void run_cjson_reading(void *ctx)
{
    const struct reading *reading = ctx;
    const struct documents *set = reading->set;
    size_t count;

    for (size_t i = 0; i < set->count; i++) {
        void *logits = cjson_read(set->text[i], set->rows * set->classes, set->rows,
                                  reading->dtype, &count);
        sink += count;
        free(logits);
    }
}

static void run_copy(void *ctx)
{
    const struct reading *reading = ctx;
    static char to[1 << 16];

    for (size_t i = 0; i < reading->set->count; i++) {
        struct span text = reading->set->text[i];
        for (size_t at = 0; at < text.len; at += sizeof to) {
            memcpy(to, text.at + at,
                   text.len - at < sizeof to ? text.len - at : sizeof to);
            __asm__ volatile("" : : "r"(to) : "memory");
        }
    }
}

/* Both sides read the same bits; how much memory ours holds for each byte of them. */
static double compare_readers(const struct documents *set, enum dtype dtype)
{
    const struct reading reading = {set, dtype, 1 << 15};
    struct span text = set->text[set->count - 1];
    size_t expected = set->rows * set->classes, count = 0, peak = 0;
    size_t size = dtype == DTYPE_FLOAT32 ? sizeof(float) : sizeof(double);
    struct batch batch;
    struct arena mem;

    arena_init(&mem, SIZE_MAX, "", NULL);
    read_document(&reading, text, &batch, &mem, &peak);
    void *other = cjson_read(text, expected, set->rows, dtype, &count);
    if (count != expected || batch.logits.count != expected ||
        batch.labels.count != set->rows ||
        memcmp(other, batch.logits.data, count * size) != 0) {
        fputs("bench_codec: the codec and cJSON read different numbers\n", stderr);
        exit(1);
    }
    free(other);
    arena_release(&mem);
    return (double)peak / (double)(expected * size + set->rows * sizeof(int64_t));
}

enum { WHOLE, CHUNKS_64, CHUNKS_16, CHUNKINGS };
static const size_t chunk_bytes[CHUNKINGS] = {0, 1 << 16, 1 << 14};
enum { CJSON_READER, COPIER, READERS, READ_CONTENDERS = READERS + 2 * CHUNKINGS };

static void print_reading(const struct documents *set, const char *to,
                          const struct contender *ours, const struct contender *cjson,
                          double memory)
{
    double numbers = (double)set->numbers, bytes = (double)set->bytes;

    printf("  %-8s %7.2f %7.0f  %6.2fx   %+6.1f%% %+6.1f%%", to,
           ours[WHOLE].least / numbers, bytes / ours[WHOLE].least * 1e3,
           cjson->shared / ours[WHOLE].shared,
           100 * (ours[CHUNKS_64].least / ours[WHOLE].least - 1),
           100 * (ours[CHUNKS_16].least / ours[WHOLE].least - 1));
    if (set->rows * set->classes >= NUMBERS_LEAST)
        printf("   %5.2fx", memory);
    putchar('\n');
}

static void bench_reading(enum writing writing, size_t rows, size_t classes)
{
    struct documents set;
    struct reading readings[2 * CHUNKINGS];
    struct contender at[READ_CONTENDERS];
    double memory[2];

    documents_init(&set, writing, rows, classes);
    for (enum dtype dtype = DTYPE_FLOAT64; dtype <= DTYPE_FLOAT32; dtype++)
        memory[dtype] = compare_readers(&set, dtype);
    for (size_t i = 0; i < 2 * CHUNKINGS; i++) {
        readings[i] =
            (struct reading){&set, i < CHUNKINGS ? DTYPE_FLOAT64 : DTYPE_FLOAT32,
                             chunk_bytes[i % CHUNKINGS]};
        at[READERS + i] = (struct contender){.run = run_reading, .ctx = &readings[i]};
    }
    at[CJSON_READER] = (struct contender){.run = run_cjson_reading,
                                          .ctx = &readings[0],
                                          .every = turns_of(&set, CJSON_READS_EVERY)};
    at[COPIER] = (struct contender){.run = run_copy, .ctx = &readings[0]};
    unsigned rounds = race(at, READ_CONTENDERS, race_of(&set, reading_race));
    printf("%-14s %4.1f bytes a number, %u rounds; cJSON %.1f ns, memcpy %.2f ns\n",
           writing_names[writing], (double)set.bytes / (double)set.numbers, rounds,
           at[CJSON_READER].least / (double)set.numbers,
           at[COPIER].least / (double)set.numbers);
    print_reading(&set, "float64", &at[READERS], &at[CJSON_READER], memory[0]);
    print_reading(&set, "float32", &at[READERS + CHUNKINGS], &at[CJSON_READER],
                  memory[1]);
    fflush(stdout);
    documents_release(&set);
}

/* ---- writing ------------------------------------------------------------------ */

/* A scored batch for each document of a set. */
struct answers {
    const char *name;
    enum dtype dtype;
    size_t rows, classes, count;
    struct arena mem;
    struct batch *batch;
    struct result *result;
};

static void run_writing(void *ctx)
{
    const struct answers *answers = ctx;
    const struct codec *codec = codec_for(&task_loss, span_of("application/json"));
    static char out[1 << 16];
    struct err err = {0};
    struct arena mem;

    for (size_t i = 0; i < answers->count; i++) {
        arena_init(&mem, SIZE_MAX, "", NULL);
        struct reply *reply =
            codec->encode(&answers->batch[i], &answers->result[i], false, &mem, &err);
        if (!reply)
            give_up("encode", &err);
        for (size_t n; (n = reply_fill(reply, NULL, out, sizeof out)) > 0;)
            sink += n;
        arena_release(&mem);
    }
}

static void run_cjson_writing(void *ctx)
{
    const struct answers *answers = ctx;

    for (size_t i = 0; i < answers->count; i++)
        sink += cjson_write(answers->result[i].probabilities, answers->dtype,
                            answers->rows, answers->classes);
}

/* What is written as probabilities: these, or the logits themselves. */
static void answers_init(struct answers *answers, const struct documents *set,
                         bool softmax)
{
    struct reading reading = {set, answers->dtype, 0};
    struct err err = {0};

    arena_init(&answers->mem, SIZE_MAX, "", NULL);
    answers->batch = documents_room(set->count * sizeof *answers->batch);
    answers->result = documents_room(set->count * sizeof *answers->result);
    for (size_t i = 0; i < set->count; i++) {
        struct batch *batch = &answers->batch[i];
        struct result *result = &answers->result[i];
        read_document(&reading, set->text[i], batch, &answers->mem, NULL);
        if (!batch_check(batch, &err) ||
            !result_init(result, batch, 1, &answers->mem, &err))
            give_up("answers", &err);
        score(batch, result, NULL);
        if (!softmax) /* the numbers as they were written, instead of their softmax */
            result->probabilities = batch->logits.data;
    }
}

static void answers_release(struct answers *answers)
{
    free(answers->batch);
    free(answers->result);
    arena_release(&answers->mem);
}

static void bench_writing(const char *name, enum writing writing, bool softmax,
                          enum dtype dtype, size_t rows, size_t classes)
{
    struct documents set;

    documents_init(&set, writing, rows, classes);
    struct answers answers = {.name = name,
                              .dtype = dtype,
                              .rows = rows,
                              .classes = classes,
                              .count = set.count};
    answers_init(&answers, &set, softmax);
    struct contender at[] = {
        {.run = run_writing, .ctx = &answers},
        {.run = run_cjson_writing,
         .ctx = &answers,
         .every = turns_of(&set, CJSON_WRITES_EVERY)},
    };
    unsigned rounds = race(at, 2, race_of(&set, writing_race));
    sink = 0;
    run_writing(&answers);
    double bytes = (double)sink, numbers = (double)(set.count * rows * classes);
    printf("%-14s %-8s %4.1f %9.2f %7.0f  %6.2fx %9.1f  %3u\n", name,
           dtype == DTYPE_FLOAT32 ? "float32" : "float64", bytes / numbers,
           at[0].least / numbers, bytes / at[0].least * 1e3, at[1].shared / at[0].shared,
           at[1].least / numbers, rounds);
    fflush(stdout);
    answers_release(&answers);
    documents_release(&set);
}

/* ---- both --------------------------------------------------------------------- */

static void bench_shape(size_t rows, size_t classes)
{
    printf("\nreading %zux%zu: ns per number, MB/s, times as fast as cJSON's tree and "
           "walk; more time\nin chunks of 64 and 16 KiB than whole; most memory held, "
           "in sizes of the arrays\n",
           rows, classes);
    for (enum writing writing = 0; writing < WRITINGS; writing++)
        bench_reading(writing, rows, classes);
    printf("\nwriting %zux%zu: bytes and ns per number, MB/s, times as fast as cJSON's "
           "tree and print, its ns, rounds\n",
           rows, classes);
    for (enum writing writing = 0; writing < WRITINGS; writing++)
        bench_writing(writing_names[writing], writing, false,
                      writing == SHORTEST_FLOAT ? DTYPE_FLOAT32 : DTYPE_FLOAT64, rows,
                      classes);
    for (enum dtype dtype = DTYPE_FLOAT64; dtype <= DTYPE_FLOAT32; dtype++)
        bench_writing("probabilities", DIGITS_17, true, dtype, rows, classes);
}

int main(int argc, char **argv)
{
    size_t rows, classes;
    char end;

    if (argc == 1) {
        bench_shape(64, 10);
        bench_shape(1024, 1000);
        bench_shape(256, 32000);
    }
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "%zux%zu%c", &rows, &classes, &end) != 2 || rows == 0 ||
            classes == 0) {
            fputs("usage: bench_codec [ROWSxCLASSES]...\n", stderr);
            return 2;
        }
        bench_shape(rows, classes);
    }
    return 0;
}
