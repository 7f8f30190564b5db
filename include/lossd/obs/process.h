/* What the kernel knows of this process: time, memory, descriptors, threads. */
#ifndef LOSSD_OBS_PROCESS_H
#define LOSSD_OBS_PROCESS_H

#include "lossd/obs/metrics.h"

/* Sets the metrics process_*; for meter_ask(), `ctx` is of no matter.  What cannot
 * be found out keeps its value. */
void process_gauge(void *ctx, struct meter *meter);

#endif
