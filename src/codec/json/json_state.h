/* A state as JSON: one flat object with the options it was made with, weights of
 * classes among them, its counts, and its sums, which are texts (dyadic.h), for no double can
 * hold them.  json_states.c reads it.
 *
 *     {"version":1,"loss":"cross_entropy","reduction":"mean","classes":3,"count":2,
 *      "ignored":0,"losses":"0xa316...p-50",...} */
#ifndef LOSSD_CODEC_JSON_STATE_H
#define LOSSD_CODEC_JSON_STATE_H

#include "codec/reply.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/state.h"

enum { STATE_VERSION = 1 };

/* Writes the member of an answer. */
void json_add_state(struct reply *reply, const struct batch *batch, struct state *state);

#endif
