/* Many connections at once, each posting batches of its own: every answer is the
 * right one for its question.  Some are small enough to be answered on the
 * network threads, some are handed to the pool, some are sent in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"
#include "wire.h"

enum { CONNECTIONS = 64, ROUNDS = 8, SLOTS_PER_NUMBER = 26 };

static struct service service;

struct poster {
    pthread_t thread;
    unsigned number;
    char trouble[300]; /* "" when all went well */
};

struct question_batch {
    size_t rows, classes;
    double *logits;
    size_t *labels;
    char *text;
};

/* Numbers that differ from one connection and round to the next. */
static double logit(unsigned seed, size_t i)
{
    uint64_t x =
        (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) + i * UINT64_C(0xD1342543DE82EF95);

    x ^= x >> 29;
    return (double)(x % 20001) / 1000 - 10;
}

static struct question_batch make_batch(unsigned seed, const char *id)
{
    static const size_t rows[] = {1, 3, 17, 64, 400};
    static const size_t classes[] = {1, 2, 10, 33};
    struct question_batch batch = {.rows = rows[seed % 5],
                                   .classes = classes[seed / 5 % 4]};
    size_t count = batch.rows * batch.classes;

    batch.logits = malloc(count * sizeof *batch.logits);
    batch.labels = malloc(batch.rows * sizeof *batch.labels);
    batch.text = malloc((count + batch.rows) * SLOTS_PER_NUMBER + 200);
    char *end = batch.text + sprintf(batch.text, "{\"id\":\"%s\",\"logits\":[", id);
    for (size_t i = 0; i < count; i++) {
        batch.logits[i] = logit(seed, i);
        end +=
            sprintf(end, "%s%s%.3f%s", i ? "," : "", i % batch.classes ? "" : "[",
                    batch.logits[i], i % batch.classes == batch.classes - 1 ? "]" : "");
        batch.logits[i] = round(batch.logits[i] * 1000) / 1000;
    }
    end += sprintf(end, "],\"labels\":[");
    for (size_t i = 0; i < batch.rows; i++) {
        batch.labels[i] = (i * 7 + seed) % batch.classes;
        end += sprintf(end, "%s%zu", i ? "," : "", batch.labels[i]);
    }
    sprintf(end, "]}");
    return batch;
}

static void free_batch(struct question_batch *batch)
{
    free(batch->logits);
    free(batch->labels);
    free(batch->text);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-13 * (1 + fabs(b));
}

/* The row's probabilities are right; adds its loss. */
static bool check_row(const cJSON *row, const struct question_batch *batch, size_t r,
                      double *loss)
{
    const double *logits = batch->logits + r * batch->classes;
    double highest = -INFINITY, sum = 0;
    size_t c = 0;

    for (size_t i = 0; i < batch->classes; i++)
        highest = fmax(highest, logits[i]);
    for (size_t i = 0; i < batch->classes; i++)
        sum += exp(logits[i] - highest);
    *loss += highest + log(sum) - logits[batch->labels[r]];
    for (const cJSON *p = row ? row->child : NULL; p; p = p->next, c++)
        if (c >= batch->classes || !near(p->valuedouble, exp(logits[c] - highest) / sum))
            return false;
    return c == batch->classes;
}

static bool check_answer(const char *text, const struct question_batch *batch,
                         const char *id)
{
    cJSON *answer = cJSON_Parse(text);
    const cJSON *row = NULL;
    double loss = 0;
    size_t r = 0;
    const char *echoed =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "id"));
    bool good = echoed && strcmp(echoed, id) == 0;

    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(answer, "probabilities"))
    {
        good = good && r < batch->rows && check_row(row, batch, r, &loss);
        r++;
    }
    good = good && r == batch->rows &&
           near(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(answer, "loss")),
                loss / (double)batch->rows);
    cJSON_Delete(answer);
    return good;
}

static void post_one(struct poster *poster, struct wire *wire, unsigned round)
{
    struct answer answer;
    char id[40];

    snprintf(id, sizeof id, "%u/%u", poster->number, round);
    struct question_batch batch = make_batch(poster->number * ROUNDS + round, id);
    bool sent = wire_post(wire, "/v1/loss", batch.text, false);
    if (!sent || !wire_answer(wire, false, &answer))
        snprintf(poster->trouble, sizeof poster->trouble, "%s: no answer", id);
    else if (answer.status != 200 || !check_answer(answer.body, &batch, id))
        snprintf(poster->trouble, sizeof poster->trouble, "%s: %u, %.200s", id,
                 answer.status, answer.body);
    if (sent)
        answer_release(&answer);
    free_batch(&batch);
}

static void *post_many(void *arg)
{
    struct poster *poster = arg;
    struct wire wire;

    if (!wire_open(&wire, service.port)) {
        snprintf(poster->trouble, sizeof poster->trouble, "no connection");
        return NULL;
    }
    for (unsigned round = 0; round < ROUNDS && !poster->trouble[0]; round++)
        post_one(poster, &wire, round);
    wire_close(&wire);
    return NULL;
}

static void serving__answers_64_connections_at_once_each_its_own(void **state)
{
    static struct poster posters[CONNECTIONS];

    (void)state;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        posters[i].number = i;
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]),
                         0);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++)
        pthread_join(posters[i].thread, NULL);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        assert_string_equal(posters[i].trouble, "");
}

static int start(void **state)
{
    static const char *const flags[] = {
        "--threads", "4", "--net-threads", "3", "--inline-cost", "20us", NULL};

    (void)state;
    return service_start(&service, flags) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serving__answers_64_connections_at_once_each_its_own),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
