/* The members of an answer that are objects: metrics and the tables behind them. */
#ifndef LOSSD_CODEC_JSON_METRICS_H
#define LOSSD_CODEC_JSON_METRICS_H

#include <stddef.h>

#include "codec/reply.h"
#include "lossd/engine/metrics.h"

void json_add_metrics(struct reply *reply, const struct metrics *metrics);
void json_add_per_class(struct reply *reply, const struct per_class *table,
                        size_t classes);
void json_add_calibration(struct reply *reply, const struct calibration *table);

#endif
