/* The head of a request, from what the library shows of it. */
#ifndef LOSSD_HTTP_HEAD_H
#define LOSSD_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct talk;

/* Fills the exchange's head.  False: it is unsound, `exchange.err` says why. */
bool head_read(struct talk *talk, const char *method, const char *version,
               bool *expects_continue);

/* The same for a request that the library has not read to the end of its headers, as far
 * as it has, and without the method, which it tells of no such request; where one of them is unsound, `exchange.err` says why. */
void head_look(struct talk *talk);

/* Bytes of the connection's buffer that the head which was read takes, with what the library
 * notes of each header, each cookie, each argument of the address, and each trailer behind
 * the body, which has no other room. */
size_t head_room(const struct talk *talk);

#endif
