/* What the Open Inference Protocol tells of the inferences of each model: how many there
 * were, and where their time went; private to this layer. */
#ifndef LOSSD_API_STATISTICS_H
#define LOSSD_API_STATISTICS_H

#include "api/route.h"

/* Counts an inference that has been answered, or refused, once; other requests are none.
 * From any thread, some nanoseconds. */
void statistics_count(struct exchange *exchange);
void statistics_count_refused(struct exchange *exchange);

/* Those of all models, and of the one that the exchange names. */
bool describe_statistics(const struct api *api, struct json *json, struct err *err);
bool describe_model_statistics(struct exchange *exchange, struct json *json);

#endif
