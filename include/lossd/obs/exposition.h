/* A meter as text that monitoring systems read. */
#ifndef LOSSD_OBS_EXPOSITION_H
#define LOSSD_OBS_EXPOSITION_H

#include "lossd/base/buf.h"
#include "lossd/base/span.h"
#include "lossd/obs/metrics.h"

enum exposition {
    EXPOSITION_PROMETHEUS, /* text format 0.0.4 */
    EXPOSITION_OPENMETRICS /* 1.0.0 */
};

/* The format for this Accept header, which may be empty. */
enum exposition exposition_for(struct span accept);

const char *exposition_media_type(enum exposition format);

/* Sets the gauges, then writes every metric.  A NULL meter has none. */
void exposition_write(struct meter *meter, enum exposition format, struct buf *out);

#endif
