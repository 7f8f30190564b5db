/* Where a request's time went, for its sender; private to this layer. */
#ifndef LOSSD_API_TIMING_H
#define LOSSD_API_TIMING_H

#include "lossd/api/api.h"

/* Ends the account of the stages of a route that computes, and adds it as Server-Timing,
 * if the settings want it. */
void timing_tell(struct exchange *exchange, struct response *response);

#endif
