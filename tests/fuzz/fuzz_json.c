/* Any bytes into the JSON decoder.
 *
 * Whole and in pieces (the cuts come from the input itself) they must give the same
 * batch or the same error.  What is taken must be JSON to cJSON too, with the same
 * numbers; the reverse does not hold, cJSON takes much that is no JSON.  A batch that
 * is sound is scored, and the answer must be JSON again. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "lossd/codec/codec.h"
#include "lossd/engine/score.h"
#include "target.h"

enum { ANSWER_MAX = 1 << 20 };

static const struct limits limits = {.max_elements = 4096,
                                     .max_classes = 1024,
                                     .max_confusion = 64,
                                     .max_depth = 20,
                                     .max_text = 2000};

struct reading {
    struct arena mem;
    struct err err;
    struct batch batch;
    bool finished;
};

/* Reads the text in pieces, each in memory of its size; whole when `cuts` is NULL. */
static void read_text(struct reading *r, struct span text, uint64_t *cuts)
{
    const struct codec *codec = codec_for(&task_loss, span_of(""));
    bool fed = true;

    *r = (struct reading){.finished = false};
    arena_init(&r->mem, SIZE_MAX, NULL, NULL);
    batch_init(&r->batch, &task_loss, &limits);
    struct decoder *decoder = codec->begin(span_of(""), &r->batch, &r->mem, &r->err);
    while (fed && text.len > 0) {
        size_t step = cuts ? next_step(cuts) : text.len;
        if (step > text.len)
            step = text.len;
        char *piece = malloc(step);
        require(piece != NULL, "there is memory");
        memcpy(piece, text.at, step);
        fed = codec->feed(decoder, (struct span){piece, step}, &r->err);
        free(piece);
        text = (struct span){text.at + step, text.len - step};
    }
    r->finished = fed && codec->finish(decoder, &r->err);
}

static void require_same_array(const struct array *a, const struct array *b)
{
    size_t size = a->element == ELEMENT_FLOAT32 ? sizeof(float) : sizeof(double);

    require(a->shape.rank == b->shape.rank, "same rank");
    require(memcmp(a->shape.dim, b->shape.dim, sizeof a->shape.dim) == 0, "same shape");
    require(a->count == b->count && a->element == b->element, "same count");
    require(a->flaw == b->flaw && a->flaw_index == b->flaw_index, "same flaw");
    require(strcmp(a->flaw_text.text, b->flaw_text.text) == 0, "same flaw's text");
    require(a->has_minus_infinity == b->has_minus_infinity, "same masks");
    require(a->count == 0 || memcmp(a->data, b->data, a->count * size) == 0,
            "same numbers");
}

static void require_same(const struct reading *a, const struct reading *b)
{
    require(a->err.kind == b->err.kind, "same kind of error");
    require(strcmp(a->err.detail, b->err.detail) == 0, "same sentence");
    require(strcmp(a->err.pointer, b->err.pointer) == 0, "same pointer");
    require(a->err.offset == b->err.offset && a->err.line == b->err.line &&
                a->err.column == b->err.column,
            "same position");
    require(a->finished == b->finished, "same end");
    require(a->batch.given == b->batch.given || !a->finished, "same members");
    if (!a->finished)
        return;
    require_same_array(&a->batch.logits, &b->batch.logits);
    require_same_array(&a->batch.labels, &b->batch.labels);
    require_same_array(&a->batch.targets, &b->batch.targets);
    require_same_array(&a->batch.sample_weights, &b->batch.sample_weights);
    require(span_equal(a->batch.id, b->batch.id), "same id");
}

/* --- what cJSON says --- */

static bool has(struct span text, const char *word)
{
    return memmem(text.at, text.len, word, strlen(word)) != NULL;
}

/* Numbers that cJSON's buffer is too small for, in some versions. */
static bool has_long_number(struct span text)
{
    size_t run = 0;

    for (size_t i = 0; i < text.len && run < 60; i++)
        run = memchr("+-.0123456789eE", text.at[i], 15) ? run + 1 : 0;
    return run >= 60;
}

/* Compares the tree's numbers with the array's, from `index` on. */
static size_t compare_numbers(const cJSON *tree, const struct array *array, size_t index)
{
    const cJSON *item;

    if (cJSON_IsArray(tree)) {
        cJSON_ArrayForEach(item, tree) index = compare_numbers(item, array, index);
        return index;
    }
    require(index < array->count, "no more numbers in the tree");
    if (cJSON_IsNumber(tree) && array->element == ELEMENT_FLOAT64)
        require(memcmp(&tree->valuedouble, (double *)array->data + index,
                       sizeof(double)) == 0,
                "the same number");
    return index + 1;
}

static void ask_cjson(struct span text, const struct reading *r)
{
    char *copy = malloc(text.len + 1);
    const char *end = NULL;

    require(copy != NULL, "there is memory");
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    cJSON *tree = cJSON_ParseWithLengthOpts(copy, text.len + 1, &end, true);
    require(tree != NULL, "cJSON takes what we take");
    if (r->err.kind == ERR_NONE && batch_has(&r->batch, MEMBER_logits)) {
        const cJSON *logits = cJSON_GetObjectItemCaseSensitive(tree, "logits");
        require(logits != NULL, "cJSON finds the logits");
        size_t count = compare_numbers(logits, &r->batch.logits, 0);
        require(count == r->batch.logits.count, "no fewer numbers in the tree");
    }
    cJSON_Delete(tree);
    free(copy);
}

/* --- the answer --- */

static void answer(struct reading *r, uint64_t cuts)
{
    static char text[ANSWER_MAX];
    struct result result;
    size_t len = 0, n;

    if (!batch_check(&r->batch, &r->err))
        return;
    require(result_init(&result, &r->batch, 1, &r->mem, &r->err), "there is memory");
    score(&r->batch, &result, NULL);
    struct reply *reply = codec_for(&task_loss, span_of(""))
                              ->encode(&r->batch, &result, cuts & 1, &r->mem, &r->err);
    require(reply != NULL, "there is memory");
    do {
        size_t capacity = REPLY_ROOM + next_step(&cuts);
        require(len + capacity < sizeof text, "no answer is so long");
        n = reply_fill(reply, NULL, text + len, capacity);
        require(n <= capacity, "no more than there is room for");
        len += n;
    } while (n > 0);
    cJSON *tree = cJSON_ParseWithLength(text, len);
    require(cJSON_IsObject(tree) && text[len - 1] == '\n', "the answer is an object");
    cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct reading whole, cut;
    uint64_t cuts = cuts_of(data, size);

    read_text(&whole, text, NULL);
    for (unsigned round = 0; round < 2; round++) {
        read_text(&cut, text, &cuts);
        require_same(&whole, &cut);
        arena_release(&cut.mem);
    }
    bool is_json = whole.err.kind != ERR_INVALID_JSON &&
                   whole.err.kind != ERR_TRAILING_DATA && whole.err.kind != ERR_TOO_LARGE;
    require(whole.err.kind != ERR_INTERNAL, "no bug");
    if (is_json && !has(text, "NaN") && !has(text, "Infinity") && !has_long_number(text))
        ask_cjson(text, &whole);
    if (whole.finished && whole.err.kind == ERR_NONE)
        answer(&whole, cuts);
    arena_release(&whole.mem);
    return 0;
}
