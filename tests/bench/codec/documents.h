/* The documents: requests of POST /v1/loss whose logits are written in several ways.
 *
 * A small document says little when it is read again and again, because the processor
 * learns it by heart.  So a set has as many different documents of its shape as make
 * at least 100 000 numbers. */
#ifndef LOSSD_BENCH_DOCUMENTS_H
#define LOSSD_BENCH_DOCUMENTS_H

#include <stdio.h>
#include <stdlib.h>

#include "../noise.h"
#include "lossd/base/number.h"
#include "lossd/base/span.h"

enum writing { DIGITS_17, SHORTEST_FLOAT, DECIMALS_4, DECIMALS_2, INTEGERS, WRITINGS };

static const char *const writing_names[WRITINGS] = {
    "17 digits", "short float32", "4 decimals", "2 decimals", "integers"};

struct documents {
    size_t rows, classes;
    size_t count;      /* documents */
    struct span *text; /* of each */
    size_t numbers;    /* logits and labels of all */
    size_t bytes;      /* of all */
};

enum { NUMBERS_LEAST = 100000 };

static inline void *documents_room(size_t bytes)
{
    void *room = malloc(bytes);

    if (!room) {
        fputs("bench_codec: out of memory\n", stderr);
        exit(1);
    }
    return room;
}

static inline size_t write_logit(char *out, enum writing writing, double z)
{
    char text[NUMBER_TEXT_MAX];
    int length = 0;

    switch (writing) {
    case DIGITS_17:
        return number_write_double(out, z);
    case SHORTEST_FLOAT:
        return number_write_float(out, (float)z);
    case DECIMALS_4:
        length = snprintf(text, sizeof text, "%.4f", z);
        break;
    case DECIMALS_2:
        length = snprintf(text, sizeof text, "%.2f", z);
        break;
    case INTEGERS:
    case WRITINGS:
        length = snprintf(text, sizeof text, "%.0f", 1000 * z);
        break;
    }
    memcpy(out, text, (size_t)length);
    return (size_t)length;
}

static inline char *write_row(char *at, size_t classes, enum writing writing,
                              struct noise *noise)
{
    *at++ = '[';
    for (size_t c = 0; c < classes; c++) {
        at += write_logit(at, writing, noise_logit(noise));
        *at++ = c + 1 < classes ? ',' : ']';
    }
    return at;
}

static inline struct span write_document(const struct documents *set,
                                         enum writing writing, struct noise *noise)
{
    size_t room = set->rows * (set->classes + 2) * NUMBER_TEXT_MAX + 64;
    char *text = documents_room(room), *at = text;

    at = stpcpy(at, "{\"logits\":[");
    for (size_t n = 0; n < set->rows; n++) {
        at = write_row(at, set->classes, writing, noise);
        *at++ = n + 1 < set->rows ? ',' : ']';
    }
    at = stpcpy(at, ",\"labels\":[");
    for (size_t n = 0; n < set->rows; n++) {
        at += number_write_int64(at, noise_label(noise, set->classes));
        *at++ = n + 1 < set->rows ? ',' : ']';
    }
    *at++ = '}';
    size_t length = (size_t)(at - text);
    char *fit = realloc(text, length);
    return (struct span){fit ? fit : text, length};
}

static inline void documents_init(struct documents *set, enum writing writing,
                                  size_t rows, size_t classes)
{
    struct noise noise = {rows * classes + writing};
    size_t numbers = rows * classes;

    *set = (struct documents){
        .rows = rows, .classes = classes, .count = NUMBERS_LEAST / numbers + 1};
    set->text = documents_room(set->count * sizeof *set->text);
    set->numbers = set->count * (numbers + rows);
    for (size_t i = 0; i < set->count; i++) {
        set->text[i] = write_document(set, writing, &noise);
        set->bytes += set->text[i].len;
    }
}

static inline void documents_release(struct documents *set)
{
    for (size_t i = 0; i < set->count; i++)
        free((void *)(uintptr_t)set->text[i].at);
    free(set->text);
}

#endif
