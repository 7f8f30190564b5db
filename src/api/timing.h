/* Where a request's time went, for its sender; private to this layer. */
#ifndef LOSSD_API_TIMING_H
#define LOSSD_API_TIMING_H

#include "lossd/api/api.h"

/* Ends the account of the stages: what none of them took was spent on receiving. */
void timing_end(struct exchange *exchange);

/* Adds Server-Timing, if the settings want it. */
void timing_add(struct exchange *exchange, struct response *response);

#endif
