/* A dataset that is split in any way and merged in any order, or that comes line by line,
 * has the answer of the whole, to the last character: for every loss, with options drawn. */
#include "lossd/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lossd/engine/loss.h"

enum { TEXT_MAX = 1 << 20, ROWS_MAX = 120, CLASSES_MAX = 9, SHARDS_MAX = 6, CASES = 60 };

static uint64_t seed = 1;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

static double draw_number(double low, double high)
{
    return low + (high - low) * (double)draw(1 << 30) / (double)(1 << 30);
}

/* ---- asking ---------------------------------------------------------------------- */

static struct api_settings settings = {.limits = {.max_elements = 1 << 20,
                                                  .max_classes = 1 << 16,
                                                  .max_confusion = 64,
                                                  .max_depth = 64,
                                                  .max_line = TEXT_MAX,
                                                  .max_text = 1 << 20},
                                       .max_body = TEXT_MAX,
                                       .max_dataset = TEXT_MAX,
                                       .max_request_memory = 64 << 20};

static void read_answer(const struct response *response, char *out)
{
    size_t len = response->body.len, n;

    if (!response->fill)
        memcpy(out, response->body.at, len);
    while (response->fill && (n = response->fill(response->ctx, NULL, out + len, 4096)))
        len += n;
    out[len] = '\0';
}

static unsigned ask_as(const char *type, const char *target, const char *body,
                       size_t step, char *out)
{
    struct api *api = api_new(&settings);
    struct exchange exchange;
    struct response response;
    size_t size = strlen(body);

    assert_non_null(api);
    exchange_init(&exchange, api, NULL);
    exchange.head.method = span_of("POST");
    exchange.head.target = span_of(target);
    exchange.head.content_type = span_of(type);
    bool wanted = api_route(&exchange);
    for (size_t at = 0; wanted && at < size; at += step)
        wanted = api_feed(&exchange,
                          (struct span){body + at, size - at < step ? size - at : step});
    api_answer(&exchange, NULL, &response);
    read_answer(&response, out);
    if (response.status != 200)
        print_error("%s\n%.300s\n%s\n", target, body, out);
    exchange_release(&exchange);
    api_free(api);
    return response.status;
}

static unsigned ask(const char *target, const char *body, size_t step, char *out)
{
    return ask_as("application/json", target, body, step, out);
}

/* ---- a dataset -------------------------------------------------------------------- */

struct dataset {
    const struct loss *loss;
    size_t rows, classes;
    bool is_float, has_class_weights, has_sample_weights;
    double logits[ROWS_MAX][CLASSES_MAX], targets[ROWS_MAX][CLASSES_MAX];
    double sample_weights[ROWS_MAX], class_weights[CLASSES_MAX];
    int labels[ROWS_MAX];
    char options[256];
};

static bool has_labels(const struct dataset *set)
{
    return set->loss->truths & TRUTH_LABELS;
}

static void draw_options(struct dataset *set)
{
    const char *some = "";
    bool labels = has_labels(set);

    if (set->loss->options >> MEMBER_z_loss & 1)
        some = (const char *[]){"", ",\"z_loss\":0.01", ",\"label_smoothing\":0.1",
                                labels ? ",\"focal_gamma\":2" : ""}[draw(4)];
    sprintf(set->options, "%s%s%s%s", some, draw(3) ? "" : ",\"divisor\":777.5",
            draw(3) ? "" : ",\"reduction\":\"sum\"", draw(3) ? "" : ",\"ece_bins\":4");
}

static void draw_row(struct dataset *set, size_t row)
{
    double sum = 0;

    for (size_t c = 0; c < set->classes; c++) {
        set->logits[row][c] = draw_number(-12, 12) * (draw(9) ? 1 : 40);
        sum += set->targets[row][c] = draw_number(0.1, 1);
    }
    for (size_t c = 0; c < set->classes; c++)
        set->targets[row][c] /= sum;
    set->labels[row] = draw(8) ? (int)draw(set->classes) : -100;
    set->sample_weights[row] = draw(5) ? draw_number(0, 3) : 0;
}

static bool takes_class_weights(const struct loss *loss)
{
    return loss_options(loss) >> MEMBER_class_weights & 1;
}

static void draw_dataset(struct dataset *set, const struct loss *loss)
{
    *set = (struct dataset){.loss = loss,
                            .rows = 1 + draw(ROWS_MAX),
                            .classes = 1 + draw(CLASSES_MAX),
                            .is_float = draw(2),
                            .has_class_weights = draw(2) && takes_class_weights(loss),
                            .has_sample_weights = draw(2)};
    draw_options(set);
    for (size_t r = 0; r < set->rows; r++)
        draw_row(set, r);
    for (size_t c = 0; c < set->classes; c++)
        set->class_weights[c] = draw_number(0, 2);
}

static char *write_list(char *at, const double *values, size_t count)
{
    *at++ = '[';
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%.17g", i ? "," : "", values[i]);
    *at++ = ']';
    return at;
}

static char *write_table(char *at, const char *name, double (*rows)[CLASSES_MAX],
                         size_t count, size_t classes)
{
    at += sprintf(at, "\"%s\":[", name);
    for (size_t r = 0; r < count; r++) {
        if (r > 0)
            *at++ = ',';
        at = write_list(at, rows[r], classes);
    }
    *at++ = ']';
    return at;
}

/* Logits, what is true, and weights. */
static char *write_arrays(struct dataset *set, size_t from, size_t count, char *at)
{
    at = write_table(at, "logits", set->logits + from, count, set->classes);
    *at++ = ',';
    if (has_labels(set)) {
        at += sprintf(at, "\"labels\":[");
        for (size_t r = 0; r < count; r++)
            at += sprintf(at, "%s%d", r ? "," : "", set->labels[from + r]);
        *at++ = ']';
    } else {
        at = write_table(at, "targets", set->targets + from, count, set->classes);
    }
    if (set->has_sample_weights) {
        at += sprintf(at, ",\"sample_weights\":");
        at = write_list(at, set->sample_weights + from, count);
    }
    return at;
}

static void write_part(struct dataset *set, size_t from, size_t count, char *at)
{
    at += sprintf(at, "{\"loss\":\"%s\"%s,\"dtype\":\"float%d\",", set->loss->name,
                  set->options, set->is_float ? 32 : 64);
    at = write_arrays(set, from, count, at);
    if (set->has_class_weights) {
        at += sprintf(at, ",\"class_weights\":");
        at = write_list(at, set->class_weights, set->classes);
    }
    strcpy(at, "}");
}

/* ---- parts -------------------------------------------------------------------------- */

static char body[TEXT_MAX], answer[TEXT_MAX], whole[TEXT_MAX];
static char states[SHARDS_MAX][TEXT_MAX];

/* The state of an answer that has nothing else before it. */
static void cut_state(const char *text, char *out)
{
    static const char start[] = "{\"state\":";
    const char *end = strstr(text, ",\"count\":"); /* the state's own */

    assert_memory_equal(text, start, sizeof start - 1);
    end = strstr(end + 1, ",\"count\":");
    assert_non_null(end);
    snprintf(out, TEXT_MAX, "%.*s", (int)(end - text) - (int)sizeof start + 1,
             text + sizeof start - 1);
}

static size_t ask_parts(struct dataset *set)
{
    size_t shards = 1 + draw(SHARDS_MAX), used = 0;

    for (size_t i = 0, from = 0; i < shards; i++) {
        size_t left = set->rows - from, count = i + 1 == shards ? left : draw(left + 1);
        if (count == 0)
            continue;
        write_part(set, from, count, body);
        assert_int_equal(ask("/v1/loss?return=state", body, 1 << 14, answer), 200);
        cut_state(answer, states[used++]);
        from += count;
    }
    return used;
}

static void write_two(const char *before, const char *one, const char *between,
                      const char *other, const char *behind)
{
    const char *const texts[] = {before, one, between, other, behind};
    char *at = body;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        at = stpcpy(at, texts[i]);
}

/* In an order that is drawn, as an array or a line each. */
static void write_states(size_t count)
{
    bool is_array = draw(2);
    char *at = body;

    at += sprintf(at, is_array ? "[" : "");
    for (size_t left = count; left > 0; left--) {
        size_t i = draw(left);
        at += sprintf(at, "%s%s", states[i], !is_array ? "\n" : left > 1 ? "," : "]");
        if (i != left - 1)
            strcpy(states[i], states[left - 1]);
    }
}

static void expect_whole(struct dataset *set)
{
    static const char *const wanted[] = {"loss,metrics,per_class,calibration,state",
                                         "loss,state"};
    const char *outputs = wanted[set->loss->is_elementwise];
    char target[128];

    write_part(set, 0, set->rows, body);
    sprintf(target, "/v1/loss?return=%s", outputs);
    assert_int_equal(ask(target, body, 1 << 14, whole), 200);
    write_states(ask_parts(set));
    sprintf(target, "/v1/merge?return=%s", outputs);
    assert_int_equal(ask(target, body, 1 + draw(5000), answer), 200);
    assert_string_equal(answer, whole);
}

static void merge__gives_the_answer_of_the_whole_for_every_loss(void **state)
{
    struct dataset set;

    (void)state;
    for (size_t i = 0; i < loss_count; i++)
        for (int k = 0; k < CASES; k++) {
            draw_dataset(&set, loss_table[i]);
            expect_whole(&set);
        }
}

/* ---- line by line ------------------------------------------------------------------- */

/* The options of JSON as those of an address. */
static void write_target(const struct dataset *set, const char *outputs, char *at)
{
    at += sprintf(at, "/v1/loss?return=%s&loss=%s&dtype=float%d", outputs,
                  set->loss->name, set->is_float ? 32 : 64);
    for (const char *c = set->options; *c != '\0'; c++)
        if (*c != '"')
            *at++ = (char)(*c == ',' ? '&' : *c == ':' ? '=' : *c);
    *at = '\0';
}

static char *write_single(const struct dataset *set, size_t row, char *at)
{
    at += sprintf(at, "{\"id\":\"%zu\",\"logits\":", row);
    at = write_list(at, set->logits[row], set->classes);
    if (has_labels(set)) {
        at += sprintf(at, ",\"label\":%d", set->labels[row]);
    } else {
        at += sprintf(at, ",\"targets\":");
        at = write_list(at, set->targets[row], set->classes);
    }
    if (set->has_sample_weights)
        at += sprintf(at, ",\"weight\":%.17g", set->sample_weights[row]);
    return at + sprintf(at, "}");
}

static char *write_chunk(struct dataset *set, size_t from, size_t count, char *at)
{
    *at++ = '{';
    at = write_arrays(set, from, count, at);
    return at + sprintf(at, "}");
}

static void write_lines(struct dataset *set)
{
    static const char *const ends[] = {"\n", "\r\n", "\n\n", " ", ""};
    char *at = body;

    for (size_t row = 0, count; row < set->rows; row += count) {
        count = 1 + (draw(3) ? 0 : draw(set->rows - row));
        at = count == 1 ? write_single(set, row, at) : write_chunk(set, row, count, at);
        at += sprintf(at, "%s", ends[draw(5)]);
    }
}

static void expect_lines(struct dataset *set)
{
    const char *outputs =
        set->loss->is_elementwise ? "loss" : "loss,metrics,per_class,calibration";
    char target[400];

    set->has_class_weights = false; /* which have no place in an address */
    write_part(set, 0, set->rows, body);
    sprintf(target, "/v1/loss?return=%s", outputs);
    assert_int_equal(ask(target, body, 1 << 14, whole), 200);
    write_lines(set);
    write_target(set, outputs, target);
    assert_int_equal(ask_as("application/x-ndjson", target, body, 1 + draw(5000), answer),
                     200);
    assert_string_equal(answer, whole);
}

static void records__have_the_answer_of_the_whole_for_every_loss(void **state)
{
    struct dataset set;

    (void)state;
    for (size_t i = 0; i < loss_count; i++)
        for (int k = 0; k < CASES; k++) {
            draw_dataset(&set, loss_table[i]);
            expect_lines(&set);
        }
}

/* More rows than a block has. */
static void records__are_scored_block_by_block(void **state)
{
    enum { MANY = 9000 };
    char *at = body;

    (void)state;
    at += sprintf(at, "{\"logits\":[");
    for (int i = 0; i < MANY; i++)
        at += sprintf(at, "%s[%d,%d,1]", i ? "," : "", i % 7, i % 5);
    at += sprintf(at, "],\"labels\":[");
    for (int i = 0; i < MANY; i++)
        at += sprintf(at, "%s%d", i ? "," : "", i % 3);
    sprintf(at, "]}");
    assert_int_equal(ask("/v1/loss?return=loss,metrics", body, 1 << 14, whole), 200);
    at = body;
    for (int i = 0; i < MANY; i++)
        at += sprintf(at, "{\"logits\":[%d,%d,1],\"label\":%d}\n", i % 7, i % 5, i % 3);
    assert_int_equal(ask_as("application/x-ndjson", "/v1/loss", body, 1 << 14, answer),
                     200);
    assert_string_equal(answer, whole);
}

/* ---- in little memory ----------------------------------------------------------------- */

enum { WRONG_ONES = 20000, LITTLE = 1 << 20 };

static void records__that_are_wrong_take_no_memory(void **state)
{
    size_t plenty = settings.max_request_memory;
    char *at = body;

    (void)state;
    for (int i = 0; i < WRONG_ONES; i++)
        at += sprintf(at, "{\"logits\":[1,2],\"label\":7}\n");
    sprintf(at, "{\"logits\":[1,1],\"label\":1}\n");
    settings.max_request_memory = LITTLE;
    assert_int_equal(
        ask_as("application/x-ndjson", "/v1/loss?on_error=skip", body, 30000, answer),
        200);
    settings.max_request_memory = plenty;
    assert_non_null(strstr(answer, "\"count\":1,"));
    assert_non_null(strstr(answer, "\"error_count\":20000}"));
}

static void states__after_a_wrong_one_take_no_memory(void **state)
{
    size_t plenty = settings.max_request_memory;
    char *at = body;

    (void)state;
    for (int i = 0; i < WRONG_ONES; i++)
        at += sprintf(at, "{\"version\":2,\"losses\":\"0x0p-1074\"}\n");
    settings.max_request_memory = LITTLE;
    assert_int_equal(ask("/v1/merge", body, 30000, answer), 422);
    settings.max_request_memory = plenty;
    assert_non_null(strstr(answer, "\"line\":1,"));
}

/* ---- a linear model ------------------------------------------------------------------ */

static void merge__counts_the_penalty_of_a_model_once(void **state)
{
    static const char model[] =
        "\"W\":[[1,2],[3,-4],[0.5,0.1]],\"b\":[0.1,0,-1],\"l2\":0.3";

    (void)state;
    snprintf(body, TEXT_MAX,
             "{\"features\":[[1,2],[0.3,-1],[2,2]],\"labels\":[0,1,2],%s}", model);
    assert_int_equal(ask("/v1/loss?return=loss,state", body, 999, whole), 200);
    snprintf(body, TEXT_MAX, "{\"features\":[[1,2]],\"labels\":[0],%s}", model);
    assert_int_equal(ask("/v1/loss?return=state", body, 999, answer), 200);
    cut_state(answer, states[0]);
    snprintf(body, TEXT_MAX, "{\"features\":[[0.3,-1],[2,2]],\"labels\":[1,2],%s}",
             model);
    assert_int_equal(ask("/v1/loss?return=state", body, 999, answer), 200);
    cut_state(answer, states[1]);
    write_two("[", states[1], ",", states[0], "]");
    assert_int_equal(ask("/v1/merge?return=loss,state", body, 999, answer), 200);
    assert_string_equal(answer, whole);
}

/* What is merged may be merged again. */
static void merge__of_merges_is_the_merge_of_all(void **state)
{
    struct dataset set;

    (void)state;
    seed = 77;
    draw_dataset(&set, loss_table[0]);
    set.rows = 100;
    for (size_t r = 0; r < set.rows; r++)
        draw_row(&set, r);
    write_part(&set, 0, 100, body);
    assert_int_equal(ask("/v1/loss?return=loss,metrics", body, 999, whole), 200);
    for (size_t i = 0; i < 4; i++) {
        write_part(&set, 25 * i, 25, body);
        assert_int_equal(ask("/v1/loss?return=state", body, 999, answer), 200);
        cut_state(answer, states[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        write_two("", states[i], "", states[i + 2], "");
        assert_int_equal(ask("/v1/merge?return=state", body, 999, answer), 200);
        cut_state(answer, states[i]);
    }
    write_two("", states[1], "\n", states[0], "\n");
    assert_int_equal(ask("/v1/merge", body, 999, answer), 200);
    assert_string_equal(answer, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge__gives_the_answer_of_the_whole_for_every_loss),
        cmocka_unit_test(records__have_the_answer_of_the_whole_for_every_loss),
        cmocka_unit_test(records__are_scored_block_by_block),
        cmocka_unit_test(records__that_are_wrong_take_no_memory),
        cmocka_unit_test(states__after_a_wrong_one_take_no_memory),
        cmocka_unit_test(merge__counts_the_penalty_of_a_model_once),
        cmocka_unit_test(merge__of_merges_is_the_merge_of_all),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
