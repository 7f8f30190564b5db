/* Requests as they go over the wire, written before anything is measured. */
#ifndef LOSSD_BENCH_QUESTION_H
#define LOSSD_BENCH_QUESTION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../noise.h"
#include "load.h"
#include "lossd/base/number.h"
#include "lossd/base/span.h"

struct question {
    const char *target;
    size_t rows, classes; /* 0: a GET */
};

static inline char *write_row(char *at, size_t classes, struct noise *noise)
{
    *at++ = '[';
    for (size_t c = 0; c < classes; c++) {
        at += number_write_float(at, (float)noise_logit(noise));
        *at++ = c + 1 < classes ? ',' : ']';
    }
    return at;
}

/* Logits as most clients have them: float32, shortest. */
static inline char *write_body(char *at, size_t rows, size_t classes)
{
    struct noise noise = {rows * classes};

    at = stpcpy(at, "{\"logits\":[");
    for (size_t n = 0; n < rows; n++) {
        at = write_row(at, classes, &noise);
        *at++ = n + 1 < rows ? ',' : ']';
    }
    at = stpcpy(at, ",\"labels\":[");
    for (size_t n = 0; n < rows; n++) {
        at += number_write_int64(at, noise_label(&noise, classes));
        *at++ = n + 1 < rows ? ',' : ']';
    }
    *at++ = '}';
    return at;
}

/* The whole request, to be freed; its head is written in front of its body. */
static inline struct span write_request(const struct question *question)
{
    size_t rows = question->rows, classes = question->classes;
    size_t room = rows * (classes + 2) * NUMBER_TEXT_MAX + 64;
    char head[300], *body = malloc(room);

    if (!body)
        load_fail("request");
    size_t length = rows > 0 ? (size_t)(write_body(body, rows, classes) - body) : 0;
    int head_length =
        rows > 0
            ? snprintf(head, sizeof head,
                       "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                       "application/json\r\nContent-Length: %zu\r\n\r\n",
                       question->target, length)
            : snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                       question->target);
    char *request = malloc((size_t)head_length + length);
    if (!request)
        load_fail("request");
    memcpy(request, head, (size_t)head_length);
    memcpy(request + head_length, body, length);
    free(body);
    return (struct span){request, (size_t)head_length + length};
}

#endif
