/* A client of the service: one question, one answer, over HTTP. */
#ifndef LOSSD_TESTS_CLIENT_H
#define LOSSD_TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

enum { QUESTION_HEADERS = 8 };

struct question {
    const char *method;
    const char *target;                   /* "/v1/loss?reduction=sum" */
    const char *header[QUESTION_HEADERS]; /* "Name: value", NULL after the last */
    const char *body;                     /* NULL: none */
    size_t body_length;
    bool chunked; /* do not say its length in advance */
};

struct answer {
    unsigned status;
    char *head; /* "Name: value\r\n" lines */
    char *body; /* terminated */
    size_t body_length;
};

struct client; /* one connection, kept alive between questions */

/* A client of the service on that port of this machine.  NULL: no memory. */
struct client *client_new(unsigned port);
void client_free(struct client *client);

/* False when no complete answer came; `why` then says what happened.  The answer
 * is to be released in both cases. */
bool client_ask(struct client *client, const struct question *question,
                struct answer *answer, char why[200]);

/* Adds to the answer; false: no memory. */
bool answer_add_head(struct answer *answer, const char *text, size_t length);
bool answer_add_body(struct answer *answer, const char *text, size_t length);

/* The value of a header into out, "" when there is none; the first of several.
 * True when there is one. */
bool answer_header(const struct answer *answer, const char *name, char out[300]);

void answer_release(struct answer *answer);

#endif
