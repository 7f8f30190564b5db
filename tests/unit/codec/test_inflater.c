/* codec/inflater.c: compressed bodies, sound and broken, in pieces of every size. */
#include "lossd/codec/inflater.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "../../system/compressed.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define SHORT "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { LONG = 200000, PLENTY = 1 << 20, HOLDS_AT_MOST = 96 << 10 };

/* A body, taken to its end or to its fault. */
struct taken {
    char *text; /* to be freed */
    size_t len, capacity;
    bool whole;
    struct err err;
    size_t memory; /* that the arena holds at the end */
};

/* How it is taken. */
struct taking {
    const char *coding;
    size_t step; /* bytes of a piece */
    uint64_t most;
    size_t memory;
    uint64_t ratio;
};

static const struct taking gzip_whole = {"gzip", SIZE_MAX, SIZE_MAX, PLENTY, 0};
static const struct taking deflate_whole = {"Deflate", SIZE_MAX, SIZE_MAX, PLENTY, 0};

static void add(struct taken *taken, struct span text)
{
    if (!taken->text || taken->len + text.len > taken->capacity) {
        taken->capacity = 2 * (taken->len + text.len) + 1;
        taken->text = realloc(taken->text, taken->capacity);
        assert_non_null(taken->text);
    }
    memcpy(taken->text + taken->len, text.at, text.len);
    taken->len += text.len;
}

/* One piece, in memory of exactly its size.  False: it was refused. */
static bool take_piece(struct inflater *inflater, struct span piece, struct taken *taken)
{
    char *copy = malloc(piece.len);
    struct span text = {NULL, 1};
    bool good = true;

    memcpy(copy, piece.at, piece.len);
    inflater_give(inflater, (struct span){copy, piece.len});
    while (good && text.len > 0) {
        good = inflater_next(inflater, &text, &taken->err);
        if (good)
            add(taken, text);
    }
    free(copy);
    return good;
}

static struct taken take(struct taking how, struct span body)
{
    struct taken taken = {0};
    const struct coding *coding;
    struct arena mem;

    add(&taken, span_of(""));
    arena_init(&mem, how.memory, "--max-request-memory", NULL);
    assert_true(coding_find(span_of(how.coding), &coding));
    const struct inflater_limits limits = {how.most, "--max-body", how.ratio, 1 << 20};
    struct inflater *inflater = inflater_new(coding, limits, &mem, &taken.err);
    bool good = inflater != NULL;
    while (good && body.len > 0) {
        size_t n = how.step < body.len ? how.step : body.len;
        good = take_piece(inflater, (struct span){body.at, n}, &taken);
        body = (struct span){body.at + n, body.len - n};
    }
    if (inflater)
        assert_int_equal(inflater_count(inflater), taken.len);
    taken.whole = good && inflater_finish(inflater, &taken.err);
    assert_int_equal(taken.whole, taken.err.kind == ERR_NONE);
    taken.memory = mem.used;
    arena_release(&mem);
    return taken;
}

static struct span span(struct compressed data)
{
    return (struct span){data.at, data.len};
}

static void assert_gives(struct taking how, struct span body, struct span text)
{
    struct taken taken = take(how, body);

    if (!taken.whole)
        fail_msg("%s in pieces of %zu: %s", how.coding, how.step, taken.err.detail);
    assert_int_equal(taken.len, text.len);
    assert_memory_equal(taken.text, text.at, text.len);
    free(taken.text);
}

/* However it is cut, and after `text`. */
static void assert_refused(struct taking how, struct span body, enum err_kind kind,
                           struct span text, const char *why)
{
    const size_t steps[] = {1, 2, 3, 7, 100, SIZE_MAX};

    for (size_t i = 0; i < LENGTH(steps); i++) {
        how.step = steps[i];
        struct taken taken = take(how, body);
        assert_false(taken.whole);
        assert_string_equal(taken.err.detail, why);
        assert_int_equal(taken.err.kind, kind);
        assert_int_equal(taken.len, text.len);
        assert_memory_equal(taken.text, text.at, text.len);
        free(taken.text);
    }
}

/* Numbers that are like each other and not the same; to be freed. */
static struct span long_text(void)
{
    char *text = malloc(LONG + 32);
    size_t len = 0;

    assert_non_null(text);
    for (unsigned i = 1; len < LONG; i++)
        len += (size_t)sprintf(text + len, "%u.%u,", i % 10, i * 2654435761U);
    return (struct span){text, LONG};
}

static struct compressed joined(struct compressed a, struct compressed b)
{
    a.at = realloc(a.at, a.len + b.len);
    assert_non_null(a.at);
    memcpy(a.at + a.len, b.at, b.len);
    a.len += b.len;
    free(b.at);
    return a;
}

/* ---- names -------------------------------------------------------------------------- */

static void coding_find__knows_names_in_letters_of_any_case(void **state)
{
    static const char *const names[] = {"gzip", "GZIP", "x-gzip", "X-GZip", "deflate"};
    const struct coding *coding;

    (void)state;
    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_true(coding_find(span_of(names[i]), &coding));
        assert_non_null(coding);
    }
    assert_true(coding_find(span_of("Identity"), &coding));
    assert_null(coding);
    assert_true(coding_find((struct span){NULL, 0}, &coding));
    assert_null(coding);
}

static void coding_find__knows_all_that_are_told(void **state)
{
    const struct coding *coding;
    struct span rest = span_of(coding_names);

    (void)state;
    while (rest.len > 0) {
        size_t len = strcspn(rest.at, ",");
        assert_true(coding_find((struct span){rest.at, len}, &coding));
        len += strspn(rest.at + len, ", ");
        rest = (struct span){rest.at + len, rest.len - len};
    }
}

static void coding_find__refuses_others_and_several(void **state)
{
    static const char *const names[] = {
        "br",    "zstd", "compress", "gzip, gzip", "identity, gzip", "gzip, identity",
        "gzip,", ",",    "gzip;q=1", "gzi",        "gzipp",          "x-deflate",
        "defl",  "iden", " ",        "*"};
    const struct coding *coding;

    (void)state;
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (coding_find(span_of(names[i]), &coding))
            fail_msg("'%s' is taken", names[i]);
        assert_null(coding);
    }
}

/* ---- what is sound ------------------------------------------------------------------ */

static void inflater__gives_the_text_whatever_the_pieces(void **state)
{
    static const char *const codings[] = {"gzip", "x-gzip", "deflate"};
    const size_t steps[] = {1, 2, 5, 17, 4096, 65535, SIZE_MAX};
    struct span text = long_text();

    (void)state;
    for (size_t i = 0; i < LENGTH(codings); i++) {
        struct taking how = {.coding = codings[i], .most = text.len, .memory = PLENTY};
        struct compressed body = compressed_as(codings[i], text);
        for (size_t k = 0; k < LENGTH(steps); k++) {
            how.step = steps[k];
            assert_gives(how, span(body), text);
        }
        free(body.at);
        body = compressed_as(codings[i], span_of(SHORT));
        for (how.step = 1; how.step <= body.len; how.step++)
            assert_gives(how, span(body), span_of(SHORT));
        free(body.at);
    }
    free((char *)(uintptr_t)text.at);
}

static void inflater__joins_members_empty_ones_too(void **state)
{
    struct taking how = gzip_whole;
    struct compressed none = compressed_gzip(span_of(""));

    (void)state;
    for (unsigned mask = 0; mask < 16; mask++) { /* which of four are empty */
        struct compressed body = {0};
        char text[64] = "";
        for (unsigned i = 0; i < 4; i++) {
            const char *member = mask >> i & 1 ? "" : "[1,2,3,4]";
            strcat(text, member);
            body = joined(body, compressed_gzip(span_of(member)));
        }
        for (how.step = 1; how.step <= body.len; how.step++)
            assert_gives(how, span(body), span_of(text));
        free(body.at);
    }
    assert_gives(gzip_whole, span(none), span_of(""));
    free(none.at);
}

static void inflater__passes_over_what_a_header_may_have(void **state)
{
    struct taking how = gzip_whole;
    char body[1024];
    gz_header header = {.text = 1,
                        .time = 1700000000,
                        .extra = (Bytef[]){'L', 'S', 2, 0, 0, 0},
                        .extra_len = 6,
                        .name = (Bytef[]){"batch.json"},
                        .comment = (Bytef[]){"of a test"},
                        .hcrc = 1};
    z_stream z = {.next_in = (const Bytef *)SHORT,
                  .avail_in = sizeof SHORT - 1,
                  .next_out = (Bytef *)body,
                  .avail_out = sizeof body};

    (void)state;
    assert_int_equal(deflateInit2(&z, 0, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    for (how.step = 1; how.step <= z.total_out; how.step++)
        assert_gives(how, (struct span){body, z.total_out}, span_of(SHORT));
    deflateEnd(&z);
}

/* ---- what is not -------------------------------------------------------------------- */

static void inflater__refuses_every_beginning_of_a_body(void **state)
{
    static const char *const codings[] = {"gzip", "deflate"};

    (void)state;
    for (size_t i = 0; i < LENGTH(codings); i++) {
        struct taking how = {codings[i], SIZE_MAX, SIZE_MAX, PLENTY, 0};
        struct compressed body = compressed_as(codings[i], span_of(SHORT));
        for (size_t len = 0; len < body.len; len++) {
            struct taken taken = take(how, (struct span){body.at, len});
            assert_int_equal(taken.err.kind, ERR_BAD_HEADER);
            assert_non_null(strstr(taken.err.detail, "the body ends before its "));
            free(taken.text);
        }
        free(body.at);
    }
}

/* A bit of a gzip header may say something that does not matter. */
static void inflater__never_gives_another_text_when_a_bit_is_wrong(void **state)
{
    static const char *const codings[] = {"gzip", "deflate"};

    (void)state;
    for (size_t i = 0; i < LENGTH(codings); i++) {
        struct taking how = {codings[i], SIZE_MAX, SIZE_MAX, PLENTY, 0};
        struct compressed body = compressed_as(codings[i], span_of(SHORT));
        size_t refused = 0;
        for (size_t bit = 0; bit < body.len * 8; bit++) {
            body.at[bit / 8] ^= (char)(1 << bit % 8);
            struct taken whole = take(how, span(body));
            how.step = 1;
            struct taken cut = take(how, span(body));
            how.step = SIZE_MAX;
            body.at[bit / 8] ^= (char)(1 << bit % 8);
            assert_string_equal(whole.err.detail, cut.err.detail);
            assert_int_equal(whole.len, cut.len);
            assert_memory_equal(whole.text, cut.text, cut.len);
            if (whole.whole)
                assert_memory_equal(whole.text, SHORT, sizeof SHORT - 1);
            refused += !whole.whole;
            free(whole.text);
            free(cut.text);
        }
        assert_true(refused > (body.len - 8) * 8);
        free(body.at);
    }
}

static void inflater__tells_a_wrong_checksum_after_the_text(void **state)
{
    struct compressed body = compressed_gzip(span_of("[1,2]"));

    (void)state;
    body.at[body.len - 8] ^= 1;
    assert_refused(gzip_whole, span(body), ERR_BAD_HEADER, span_of("[1,2]"),
                   "Content-Encoding is gzip, but the body is broken gzip data: "
                   "incorrect data check, after 5 bytes of text");
    body.at[body.len - 8] ^= 1;
    body.at[body.len - 1] ^= 1;
    assert_refused(gzip_whole, span(body), ERR_BAD_HEADER, span_of("[1,2]"),
                   "Content-Encoding is gzip, but the body is broken gzip data: "
                   "incorrect length check, after 5 bytes of text");
    free(body.at);
    body = compressed_zlib(span_of("[1,2]"));
    body.at[body.len - 1] ^= 1;
    assert_refused(deflate_whole, span(body), ERR_BAD_HEADER, span_of("[1,2]"),
                   "Content-Encoding is deflate, but the body is broken zlib data: "
                   "incorrect data check, after 5 bytes of text");
    free(body.at);
}

static void inflater__says_that_a_body_is_not_compressed(void **state)
{
    (void)state;
    assert_refused(gzip_whole, span_of(SHORT), ERR_BAD_HEADER, span_of(""),
                   "Content-Encoding is gzip, but the body begins with byte 0x7B, as no "
                   "gzip data does");
    assert_refused(deflate_whole, span_of(SHORT), ERR_BAD_HEADER, span_of(""),
                   "Content-Encoding is deflate, but the body begins with byte 0x7B, as "
                   "no zlib data does");
    assert_refused(
        gzip_whole, span_of("\x1F{"), ERR_BAD_HEADER, span_of(""),
        "Content-Encoding is gzip, but the body is broken gzip data: incorrect "
        "header check, after 0 bytes of text");
    assert_refused(gzip_whole, span_of(""), ERR_BAD_HEADER, span_of(""),
                   "Content-Encoding is gzip, but the body ends before its gzip data "
                   "does, after 0 bytes of text");
}

static void inflater__refuses_what_follows_the_end(void **state)
{
    struct compressed zeros = {calloc(1, 2), 2};
    struct compressed body = joined(compressed_gzip(span_of("[1]")), zeros);

    (void)state;
    assert_refused(gzip_whole, span(body), ERR_TRAILING_DATA, span_of("[1]"),
                   "byte 0x00 follows the end of the gzip data; more gzip data, or "
                   "nothing, is wanted there");
    free(body.at);
    body = joined(compressed_zlib(span_of("[1]")), compressed_zlib(span_of("[2]")));
    assert_refused(deflate_whole, span(body), ERR_TRAILING_DATA, span_of("[1]"),
                   "byte 0x78 follows the end of the zlib data; nothing is wanted there");
    free(body.at);
}

static void inflater__refuses_a_dictionary(void **state)
{
    char body[256];
    z_stream z = {.next_in = (const Bytef *)SHORT,
                  .avail_in = sizeof SHORT - 1,
                  .next_out = (Bytef *)body,
                  .avail_out = sizeof body};

    (void)state;
    assert_int_equal(deflateInit(&z, 9), Z_OK);
    assert_int_equal(deflateSetDictionary(&z, (const Bytef *)"\"logits\":", 9), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_refused(deflate_whole, (struct span){body, z.total_out}, ERR_BAD_HEADER,
                   span_of(""),
                   "Content-Encoding is deflate, but the body is broken zlib data: it "
                   "needs a dictionary, after 0 bytes of text");
    deflateEnd(&z);
}

/* ---- ceilings ----------------------------------------------------------------------- */

static void inflater__gives_all_that_may_be_before_it_refuses_more(void **state)
{
    struct span text = long_text();
    struct compressed body = compressed_gzip(text);
    struct taking how = gzip_whole;

    (void)state;
    how.most = LONG;
    assert_gives(how, span(body), text);
    how.most = LONG - 1;
    assert_refused(how, span(body), ERR_TOO_LARGE, (struct span){text.at, LONG - 1},
                   "the body, decompressed, has more than the 199999 bytes that are "
                   "allowed (--max-body raises that)");
    struct taken taken = take(how, span(body));
    assert_int_equal(taken.err.limit, LONG - 1);
    assert_string_equal(taken.err.flag, "--max-body");
    free(taken.text);
    how.most = 0;
    assert_refused(how, span(body), ERR_TOO_LARGE, span_of(""),
                   "the body, decompressed, has more than the 0 bytes that are allowed "
                   "(--max-body raises that)");
    free(body.at);
    free((char *)(uintptr_t)text.at);
}

/* Where that is does not depend on how it is cut: the sentence has both lengths. */
static void assert_is_too_much_at_the_same_place(struct taking how, struct span body)
{
    const size_t steps[] = {1, 2, 3, 7, 100, 1080, 4096};
    struct taken whole = take(how, body);

    assert_int_equal(whole.err.kind, ERR_TOO_LARGE);
    assert_string_equal(whole.err.flag, "--max-ratio");
    assert_int_equal(whole.err.limit, how.ratio);
    assert_in_range(whole.len, (1 << 20) + 1, (1 << 20) + (128 << 10));
    for (size_t i = 0; i < LENGTH(steps); i++) {
        how.step = steps[i];
        struct taken cut = take(how, body);
        assert_string_equal(cut.err.detail, whole.err.detail);
        assert_int_equal(cut.len, whole.len);
        free(cut.text);
    }
    free(whole.text);
}

static void inflater__refuses_text_that_is_many_times_what_was_sent(void **state)
{
    static const uint64_t ratios[] = {1, 10, 200, 1000};
    struct compressed bombs[] = {compressed_bomb("", " ", 2 << 20),
                                 compressed_bomb("[0", ",0", 4 << 20),
                                 {NULL, 0}};
    struct taking how = gzip_whole;

    (void)state;
    for (unsigned n = 1; n < 60; n++) /* members that end anywhere */
        bombs[2] = joined(bombs[2], compressed_bomb("x", "0", n * n * 1000));
    for (size_t i = 0; i < LENGTH(bombs); i++) {
        for (size_t k = 0; k < LENGTH(ratios) - (i > 0); k++) {
            how.ratio = ratios[k];
            assert_is_too_much_at_the_same_place(how, span(bombs[i]));
        }
        free(bombs[i].at);
    }
}

static void inflater__says_what_is_too_many_times(void **state)
{
    struct compressed bomb = compressed_bomb("", " ", 2 << 20);
    struct taking how = gzip_whole;
    unsigned long long sent, text;

    (void)state;
    how.ratio = 200;
    struct taken taken = take(how, span(bomb));
    assert_int_equal(sscanf(taken.err.detail,
                            "the first %llu bytes of the body have %llu when "
                            "decompressed; at most 200 times as many are allowed "
                            "(--max-ratio raises that)",
                            &sent, &text),
                     2);
    assert_int_equal(text, taken.len);
    assert_true(text > 200 * sent);
    free(taken.text);
    free(bomb.at);
}

/* Of what is short, of what is no more than that, and where there is no such limit. */
static void inflater__gives_text_that_is_no_more_times_what_was_sent(void **state)
{
    static const struct {
        size_t count;
        uint64_t ratio;
    } sound[] = {{1 << 20, 1}, {8 << 20, 1032}, {8 << 20, 0}, {8 << 20, UINT64_MAX}};

    (void)state;
    for (size_t i = 0; i < LENGTH(sound); i++) {
        struct taking how = gzip_whole;
        struct compressed body = compressed_bomb("", " ", sound[i].count);
        how.ratio = sound[i].ratio;
        struct taken taken = take(how, span(body));
        assert_true(taken.whole);
        assert_int_equal(taken.len, sound[i].count);
        free(taken.text);
        free(body.at);
    }
}

/* A bomb behind what is none. */
static void inflater__counts_what_was_sent_from_the_beginning(void **state)
{
    struct span text = long_text();
    struct taking how = gzip_whole;
    struct compressed body = compressed_gzip(text);
    size_t sent = body.len;

    (void)state;
    body = joined(body, compressed_bomb("", " ", 100 << 20));
    how.ratio = 200;
    struct taken taken = take(how, span(body));
    assert_int_equal(taken.err.kind, ERR_TOO_LARGE);
    assert_in_range(taken.len, 200 * sent, 300 * sent);
    free(taken.text);
    free(body.at);
    free((char *)(uintptr_t)text.at);
}

/* A thousand times as much text as data, and no more memory. */
static void inflater__holds_the_same_memory_whatever_the_length(void **state)
{
    struct compressed body = compressed_bomb("", " ", 64 << 20);
    struct taken taken = take(gzip_whole, span(body));

    (void)state;
    assert_true(taken.whole);
    assert_int_equal(taken.len, 64 << 20);
    assert_true(body.len < taken.len / 1000);
    assert_in_range(taken.memory, 1, HOLDS_AT_MOST);
    free(taken.text);
    free(body.at);
}

static void inflater__is_refused_when_there_is_too_little_memory(void **state)
{
    struct span text = long_text();
    struct compressed body = compressed_gzip(text);
    struct taking how = {"gzip", 100, SIZE_MAX, 0, 0};
    size_t refused_at_once = 0, refused_later = 0;

    (void)state;
    for (bool whole = false; !whole; how.memory += 512) {
        struct taken taken = take(how, span(body));
        assert_in_range(how.memory, 0, HOLDS_AT_MOST);
        whole = taken.whole;
        if (!whole)
            assert_int_equal(taken.err.kind, ERR_TOO_LARGE);
        if (!whole)
            assert_string_equal(taken.err.flag, "--max-request-memory");
        refused_at_once += !whole && taken.len == 0;
        refused_later += !whole && taken.len > 0; /* the window comes with the text */
        free(taken.text);
    }
    assert_true(refused_at_once > 0 && refused_later > 0);
    free(body.at);
    free((char *)(uintptr_t)text.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coding_find__knows_names_in_letters_of_any_case),
        cmocka_unit_test(coding_find__knows_all_that_are_told),
        cmocka_unit_test(coding_find__refuses_others_and_several),
        cmocka_unit_test(inflater__gives_the_text_whatever_the_pieces),
        cmocka_unit_test(inflater__joins_members_empty_ones_too),
        cmocka_unit_test(inflater__passes_over_what_a_header_may_have),
        cmocka_unit_test(inflater__refuses_every_beginning_of_a_body),
        cmocka_unit_test(inflater__never_gives_another_text_when_a_bit_is_wrong),
        cmocka_unit_test(inflater__tells_a_wrong_checksum_after_the_text),
        cmocka_unit_test(inflater__says_that_a_body_is_not_compressed),
        cmocka_unit_test(inflater__refuses_what_follows_the_end),
        cmocka_unit_test(inflater__refuses_a_dictionary),
        cmocka_unit_test(inflater__gives_all_that_may_be_before_it_refuses_more),
        cmocka_unit_test(inflater__refuses_text_that_is_many_times_what_was_sent),
        cmocka_unit_test(inflater__says_what_is_too_many_times),
        cmocka_unit_test(inflater__gives_text_that_is_no_more_times_what_was_sent),
        cmocka_unit_test(inflater__counts_what_was_sent_from_the_beginning),
        cmocka_unit_test(inflater__holds_the_same_memory_whatever_the_length),
        cmocka_unit_test(inflater__is_refused_when_there_is_too_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
