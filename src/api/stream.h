/* The text of an answer: whole when it is short, else made while it is sent. */
#ifndef LOSSD_API_STREAM_H
#define LOSSD_API_STREAM_H

#include "lossd/api/api.h"
#include "lossd/base/arena.h"
#include "lossd/base/pool.h"
#include "lossd/codec/codec.h"

/* Numbers that are written before the response is handed over, at most. */
enum { STREAM_FIRST_NUMBERS = 2500 };

/* Sets the response's body, or `fill` and `ctx`.  `numbers` is how many the reply
 * has, about.  Large arrays are written by the threads of the pool, which may be
 * NULL.  False: no memory. */
bool stream_begin(struct reply *reply, size_t numbers, struct pool *pool,
                  struct arena *mem, struct response *response, struct err *err);

#endif
