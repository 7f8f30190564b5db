/* The same batch as JSON, as a form of JSON and as a form of NPY files has the same answer,
 * to the last character: for every loss, with shapes, options and mistakes drawn. */
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

#define BOUNDARY "a-boundary"
#define FORM "multipart/form-data; boundary=" BOUNDARY

enum {
    BODY_MAX = 1 << 18,
    NUMBERS_MAX = 256,
    ARRAYS_MAX = 5,
    TEXT_MAX = 256,
    CASES = 400
};

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

/* ---- a batch, as no format has it ------------------------------------------------- */

struct numbers {
    const char *name;
    bool is_labels;
    struct shape shape;
    double values[NUMBERS_MAX];
};

struct drawn {
    const char *loss;
    struct numbers arrays[ARRAYS_MAX];
    size_t count;
    const char *dtype, *outputs; /* "loss,gradient" */
    double temperature;
    bool dtype_first;
};

static struct numbers *add(struct drawn *d, const char *name, struct shape shape)
{
    struct numbers *numbers = &d->arrays[d->count++];

    *numbers = (struct numbers){.name = name, .shape = shape};
    for (size_t i = 0; i < shape_count(&shape); i++)
        numbers->values[i] = draw_number(0, 1);
    return numbers;
}

static void add_labels(struct drawn *d, struct shape shape, size_t classes)
{
    struct numbers *labels = add(d, "labels", shape);

    labels->is_labels = true;
    for (size_t i = 0; i < shape_count(&shape); i++)
        labels->values[i] = draw(10) ? (double)draw(classes) : -100;
    size_t one = draw(shape_count(&shape));
    if (draw(8) == 0)
        labels->values[one] = draw(2) ? 0.5 : (double)classes;
}

static void add_targets(struct drawn *d, struct shape shape)
{
    struct numbers *targets = add(d, "targets", shape);
    size_t classes = shape.dim[shape.rank - 1];

    for (size_t i = 0; i < shape_count(&shape); i++)
        targets->values[i] = i % classes == 0;
}

static void draw_batch(struct drawn *d, const struct loss *loss)
{
    static const char *const outputs[] = {"loss", "loss,probabilities", "losses,gradient",
                                          "metrics,predictions,logsumexp"};
    struct shape shape = {.rank = 1 + (unsigned)draw(3)};

    *d = (struct drawn){.loss = loss->name,
                        .dtype = draw(2) ? "float32" : "float64",
                        .outputs = outputs[draw(4)],
                        .temperature = draw_number(0.5, 2),
                        .dtype_first = draw(2)};
    for (unsigned i = 0; i < shape.rank; i++)
        shape.dim[i] = 1 + draw(6);
    struct shape positions = shape;
    positions.dim[--positions.rank] = 0;
    size_t classes = shape.dim[shape.rank - 1];
    struct numbers *logits = add(d, "logits", shape);
    for (size_t i = 0; i < shape_count(&shape); i++)
        logits->values[i] = draw_number(-5, 5);
    if (loss->truths & TRUTH_LABELS && (!(loss->truths & TRUTH_TARGETS) || draw(2)))
        add_labels(d, positions, classes);
    else
        add_targets(d, shape);
    if (draw(2))
        add(d, "class_weights", (struct shape){1, {classes + (draw(10) == 0)}});
    if (draw(2))
        add(d, "sample_weights", positions);
}

/* ---- as formats have it ------------------------------------------------------------ */

struct body {
    char *at;
    size_t len;
};

static void put(struct body *body, const void *bytes, size_t len)
{
    assert_true(body->len + len < BODY_MAX);
    memcpy(body->at + body->len, bytes, len);
    body->len += len;
    body->at[body->len] = '\0';
}

static void put_text(struct body *body, const char *text)
{
    put(body, text, strlen(text));
}

/* To the last digit, so that what lies between two floats does so in every format. */
static void put_json(struct body *body, const struct numbers *n, unsigned depth,
                     size_t *next)
{
    char text[80];

    if (depth == n->shape.rank) {
        snprintf(text, sizeof text, "%.60g", n->values[(*next)++]);
        put_text(body, text);
        return;
    }
    put_text(body, "[");
    for (size_t i = 0; i < n->shape.dim[depth]; i++) {
        put_text(body, i ? "," : "");
        put_json(body, n, depth + 1, next);
    }
    put_text(body, "]");
}

static void put_array(struct body *body, const struct numbers *n)
{
    size_t next = 0;

    put_json(body, n, 0, &next);
}

static bool are_integers(const struct numbers *n)
{
    for (size_t i = 0; i < shape_count(&n->shape); i++)
        if (n->values[i] != (double)(int)n->values[i])
            return false;
    return true;
}

/* Index, row-major, of the element that comes `index`th column by column. */
static size_t by_columns(const struct shape *shape, size_t index)
{
    size_t at[RANK_MAX], place = 0;

    for (unsigned d = 0; d < shape->rank; d++) {
        at[d] = index % shape->dim[d];
        index /= shape->dim[d];
    }
    for (unsigned d = 0; d < shape->rank; d++)
        place = place * shape->dim[d] + at[d];
    return place;
}

static void put_number(struct body *body, double value, size_t size, bool is_integer)
{
    int64_t integer = is_integer ? (int64_t)value : 0;

    put(body, is_integer ? (const void *)&integer : &value, size);
}

static void put_file(struct body *body, const struct numbers *n)
{
    bool is_integer = n->is_labels && are_integers(n) && draw(3), is_fortran = draw(2);
    size_t size = is_integer ? (size_t)1 << draw(4) : 8;
    char header[TEXT_MAX];
    int len = snprintf(header, sizeof header,
                       "{'descr': '<%c%zu', 'fortran_order': %s, 'shape': (",
                       is_integer ? 'i' : 'f', size, is_fortran ? "True" : "False");

    for (unsigned d = 0; d < n->shape.rank; d++)
        len += snprintf(header + len, sizeof header - (size_t)len, "%zu,%s",
                        n->shape.dim[d], d + 1 < n->shape.rank ? " " : "");
    len += snprintf(header + len, sizeof header - (size_t)len, ")}\n");
    put(body, "\x93NUMPY\x01\0", 8);
    put(body, (const char[]){(char)len, 0}, 2);
    put_text(body, header);
    for (size_t i = 0; i < shape_count(&n->shape); i++)
        put_number(body, n->values[is_fortran ? by_columns(&n->shape, i) : i], size,
                   is_integer);
}

static void write_json(struct body *body, const struct drawn *d)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof text, "{\"loss\":\"%s\",\"temperature\":%.17g", d->loss,
             d->temperature);
    put_text(body, text);
    for (size_t i = 0; i < d->count; i++) {
        snprintf(text, sizeof text, ",\"%s\":", d->arrays[i].name);
        put_text(body, text);
        put_array(body, &d->arrays[i]);
    }
    snprintf(text, sizeof text, ",\"dtype\":\"%s\",\"return\":[\"", d->dtype);
    put_text(body, text);
    for (const char *c = d->outputs; *c; c++)
        put(body, *c == ',' ? "\",\"" : c, *c == ',' ? 3 : 1);
    put_text(body, "\"]}");
}

static void begin_field(struct body *body, const char *name)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof text,
             "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n",
             name);
    put_text(body, text);
}

static void put_option(struct body *body, const char *name, const char *value)
{
    begin_field(body, name);
    put_text(body, value);
    put_text(body, "\r\n");
}

static void write_form(struct body *body, const struct drawn *d,
                       void (*put_value)(struct body *body, const struct numbers *n))
{
    char number[40];

    snprintf(number, sizeof number, "%.17g", d->temperature);
    put_option(body, "loss", d->loss);
    put_option(body, "temperature", number);
    if (d->dtype_first)
        put_option(body, "dtype", d->dtype);
    for (size_t i = 0; i < d->count; i++) {
        begin_field(body, d->arrays[i].name);
        put_value(body, &d->arrays[i]);
        put_text(body, "\r\n");
    }
    if (!d->dtype_first)
        put_option(body, "dtype", d->dtype);
    put_option(body, "return", d->outputs);
    put_text(body, "--" BOUNDARY "--\r\n");
}

/* ---- asking ------------------------------------------------------------------------ */

static const struct api_settings settings = {.limits = {.max_elements = 1 << 16,
                                                        .max_classes = 1 << 10,
                                                        .max_confusion = 64,
                                                        .max_depth = 64,
                                                        .max_text = 1 << 16},
                                             .max_body = BODY_MAX,
                                             .max_request_memory = 16 << 20};

static unsigned ask(struct api *api, const char *type, const struct body *body,
                    size_t step, char *out)
{
    struct exchange exchange;
    struct response response;

    exchange_init(&exchange, api, NULL);
    exchange.head.method = span_of("POST");
    exchange.head.target = span_of("/v1/loss");
    exchange.head.content_type = span_of(type);
    exchange.head.request_id = span_of("always-the-same");
    bool wanted = api_route(&exchange);
    for (size_t at = 0; wanted && at < body->len; at += step) {
        size_t len = body->len - at < step ? body->len - at : step;
        wanted = api_feed(&exchange, (struct span){body->at + at, len});
    }
    api_answer(&exchange, NULL, &response);
    assert_null(response.fill);
    memcpy(out, response.body.at, response.body.len);
    out[response.body.len] = '\0';
    exchange_release(&exchange);
    return response.status;
}

static void assert_same_answers(struct api *api, const struct drawn *d, char *texts[4])
{
    struct body json = {texts[0], 0}, form = {texts[1], 0};

    write_json(&json, d);
    unsigned status = ask(api, "application/json", &json, BODY_MAX, texts[2]);
    for (size_t kind = 0; kind < 2; kind++) {
        form.len = 0;
        write_form(&form, d, kind ? put_file : put_array);
        unsigned found = ask(api, FORM, &form, 1 + draw(200), texts[3]);
        if (found != status || strcmp(texts[2], texts[3]) != 0)
            fail_msg("%.300s%.300s%.300s", texts[2], texts[3], json.at);
    }
}

static void formats__give_the_same_answer(void **state)
{
    struct drawn *d = malloc(sizeof *d);
    struct api *api = api_new(&settings);
    char *texts[4];

    (void)state;
    assert_non_null(d);
    assert_non_null(api);
    for (size_t i = 0; i < 4; i++) {
        texts[i] = malloc(BODY_MAX);
        assert_non_null(texts[i]);
    }
    for (size_t loss = 0; loss < loss_count; loss++)
        for (size_t i = 0; i < CASES; i++) {
            draw_batch(d, loss_table[loss]);
            assert_same_answers(api, d, texts);
        }
    for (size_t i = 0; i < 4; i++)
        free(texts[i]);
    api_free(api);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(formats__give_the_same_answer)};

    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
