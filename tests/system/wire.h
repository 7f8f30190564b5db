/* A connection to the service of which the test sends every byte itself. */
#ifndef LOSSD_TESTS_WIRE_H
#define LOSSD_TESTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "client.h"

struct wire {
    int fd;
    char *unread; /* received, not yet part of an answer */
    size_t len;
};

/* False: refused.  All waits of a wire end after half a minute. */
bool wire_open(struct wire *wire, unsigned port);

/* Sends all of it.  False when the other end has closed. */
bool wire_send(struct wire *wire, const char *bytes, size_t count);
bool wire_text(struct wire *wire, const char *text);

/* A request with a body of JSON; "Connection: close" when it is the `last`. */
bool wire_post(struct wire *wire, const char *target, const char *body, bool last);

/* Announces a body and waits to be told to send it.  The status of the answer, 100 when
 * it may be sent; 0: none came. */
unsigned wire_announce(struct wire *wire, const char *target, size_t length);

/* The next whole answer, without a body if it answers a HEAD.  False when the
 * stream ends before that, or is not HTTP.  To be released in both cases. */
bool wire_answer(struct wire *wire, bool to_head, struct answer *answer);

/* All that still comes before the other end closes, terminated; the wire's. */
const char *wire_rest(struct wire *wire);

/* True when the other end closes without another byte, or resets. */
bool wire_ends(struct wire *wire);

void wire_half_close(struct wire *wire);
void wire_close(struct wire *wire);
void wire_reset(struct wire *wire); /* closes with a reset */

#endif
