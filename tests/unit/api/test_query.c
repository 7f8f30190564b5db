/* api/query.c: the address as the sender wrote it. */
#include "api/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct limits limits = {.max_elements = 1 << 20,
                                     .max_classes = 1 << 16,
                                     .max_confusion = 1000,
                                     .max_depth = 64,
                                     .max_text = 1 << 16};

struct read {
    struct arena mem;
    struct batch batch;
    struct err err;
    struct wishes wishes;
};

static struct read read_target(const char *target)
{
    struct read read = {.wishes = {0}};

    arena_init(&read.mem, 1 << 20, "--max-request-memory", NULL);
    batch_init(&read.batch, &task_loss, &limits);
    query_read(span_of(target), &read.batch, &read.wishes, &read.mem, &read.err);
    return read;
}

static void refused(const char *target, enum err_kind kind, const char *detail)
{
    struct read read = read_target(target);

    assert_int_equal(read.err.kind, kind);
    assert_string_equal(read.err.detail, detail);
    arena_release(&read.mem);
}

static void query_path__ends_at_the_question_mark(void **state)
{
    (void)state;
    assert_true(span_is(query_path(span_of("/v1/loss?a=b?c")), "/v1/loss"));
    assert_true(span_is(query_path(span_of("/v1/loss")), "/v1/loss"));
    assert_true(span_is(query_path(span_of("?x")), ""));
    assert_true(span_is(query_path(span_of("")), ""));
}

static void query_read__sets_options_of_every_type(void **state)
{
    struct read read = read_target("/v1/loss?reduction=sum&temperature=0.5&axis=1"
                                   "&ignore_index=-1&dtype=float32&id=a+b%21"
                                   "&return=loss,gradient&pretty");
    (void)state;
    assert_int_equal(read.err.kind, ERR_NONE);
    assert_int_equal(read.batch.reduction, REDUCTION_SUM);
    assert_true(read.batch.temperature == 0.5);
    assert_int_equal(read.batch.axis, 1);
    assert_int_equal(read.batch.ignore_index, -1);
    assert_int_equal(read.batch.dtype, DTYPE_FLOAT32);
    assert_true(span_is(read.batch.id, "a b!"));
    assert_int_equal(read.batch.outputs, 1u << OUTPUT_LOSS | 1u << OUTPUT_GRADIENT);
    assert_true(read.wishes.pretty);
    arena_release(&read.mem);
}

static void query_read__skips_empty_pieces(void **state)
{
    struct read read = read_target("/v1/loss?&&reduction=none&");
    (void)state;
    assert_int_equal(read.err.kind, ERR_NONE);
    assert_int_equal(read.batch.reduction, REDUCTION_NONE);
    assert_false(read.wishes.pretty);
    arena_release(&read.mem);
}

static void query_read__refuses_broken_escapes(void **state)
{
    (void)state;
    refused("/v1/loss?id=%zz", ERR_BAD_HEADER,
            "the address has \"%zz\"; % and two hexadecimal digits, not 00, are wanted");
    refused("/v1/loss?id=a%4", ERR_BAD_HEADER,
            "the address has \"%4\"; % and two hexadecimal digits, not 00, are wanted");
    refused("/v1/loss?id=%00", ERR_BAD_HEADER,
            "the address has \"%00\"; % and two hexadecimal digits, not 00, are wanted");
}

static void query_read__refuses_what_is_not_utf8(void **state)
{
    (void)state;
    refused("/v1/loss?id=%FF", ERR_BAD_HEADER,
            "the address has \"%FF\", which is not UTF-8");
    refused("/v1/loss?id=caf\xE9", ERR_BAD_HEADER,
            "the address has \"caf\xE9\", which is not UTF-8");
    refused("/v1/loss?%C3=1&axis=1", ERR_BAD_HEADER,
            "the address has \"%C3\", which is not UTF-8");
    refused("/v1/loss?reducton=1&id=%ED%A0%80", ERR_BAD_HEADER,
            "the address has \"%ED%A0%80\", which is not UTF-8");
    struct read read = read_target("/v1/loss?id=%C3%A9\xC3\xA9%F0%9F%98%80");
    assert_int_equal(read.err.kind, ERR_NONE);
    assert_true(span_is(read.batch.id, "\xC3\xA9\xC3\xA9\xF0\x9F\x98\x80"));
    arena_release(&read.mem);
}

static void query_read__names_what_is_wrong(void **state)
{
    (void)state;
    refused("/v1/loss?reducton=sum", ERR_UNKNOWN_MEMBER,
            "unknown member \"reducton\"; did you mean \"reduction\"?");
    refused("/v1/loss?axis=1&axis=1", ERR_DUPLICATE_MEMBER,
            "axis is given twice in the address");
    refused("/v1/loss?axis=one", ERR_WRONG_TYPE,
            "axis is \"one\"; an integer of 64 bits is wanted");
    refused(
        "/v1/loss?logits=1", ERR_UNKNOWN_MEMBER,
        "logits is an array and cannot be given in the address; it goes into the body");
    refused("/v1/loss?pretty=maybe", ERR_INVALID_OPTION,
            "pretty is maybe; true or false is wanted");
    refused("/v1/loss?timeout=soon", ERR_INVALID_OPTION,
            "timeout is soon; seconds from 0.001 to 3600 are wanted");
    refused("/v1/loss?timeout=0", ERR_INVALID_OPTION,
            "timeout is 0; seconds from 0.001 to 3600 are wanted");
    refused("/v1/loss?timeout=3600.5", ERR_INVALID_OPTION,
            "timeout is 3600.5; seconds from 0.001 to 3600 are wanted");
}

static void query_read__keeps_values_out_of_range_for_their_turn(void **state)
{
    struct read read = read_target("/v1/loss?label_smoothing=NaN");
    (void)state;
    assert_int_equal(read.err.kind, ERR_NONE);
    assert_int_equal(read.batch.bad_option.kind, ERR_INVALID_OPTION);
    assert_string_equal(read.batch.bad_option.detail,
                        "label_smoothing is NaN; a number from 0 to 1 is wanted");
    arena_release(&read.mem);
}

static void query_read__sets_nothing_without_a_batch(void **state)
{
    struct arena mem;
    struct err err = {0};
    struct wishes wishes = {0};

    (void)state;
    arena_init(&mem, 1 << 16, NULL, NULL);
    query_read(span_of("/livez?verbose=1&pretty=1&timeout=0.25"), NULL, &wishes, &mem,
               &err);
    assert_int_equal(err.kind, ERR_NONE);
    assert_true(wishes.pretty);
    assert_int_equal(wishes.timeout_ns, 250000000);
    arena_release(&mem);
}

/* What a batch has is not taken for one of the address's own names misspelt. */
static void query_read__takes_no_member_for_another_name(void **state)
{
    char target[100];

    (void)state;
    for (enum member m = 0; m < MEMBERS; m++) {
        snprintf(target, sizeof target, "/v1/loss?%s=1", member_infos[m].name);
        struct read read = read_target(target);
        assert_null(strstr(read.err.detail, "unknown member"));
        arena_release(&read.mem);
    }
    refused("/v1/loss?Pretty", ERR_UNKNOWN_MEMBER,
            "unknown member \"Pretty\"; did you mean \"pretty\"?");
    refused("/v1/loss?timout=3", ERR_UNKNOWN_MEMBER,
            "unknown member \"timout\"; did you mean \"timeout\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_path__ends_at_the_question_mark),
        cmocka_unit_test(query_read__sets_options_of_every_type),
        cmocka_unit_test(query_read__skips_empty_pieces),
        cmocka_unit_test(query_read__refuses_broken_escapes),
        cmocka_unit_test(query_read__refuses_what_is_not_utf8),
        cmocka_unit_test(query_read__names_what_is_wrong),
        cmocka_unit_test(query_read__keeps_values_out_of_range_for_their_turn),
        cmocka_unit_test(query_read__sets_nothing_without_a_batch),
        cmocka_unit_test(query_read__takes_no_member_for_another_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
