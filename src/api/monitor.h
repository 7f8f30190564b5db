/* What a monitoring system is told; private to this layer. */
#ifndef LOSSD_API_MONITOR_H
#define LOSSD_API_MONITOR_H

#include <stdbool.h>

#include "lossd/api/api.h"
#include "lossd/base/buf.h"

/* Counts a request that has been scored: its rows, its logits, its stages. */
void monitor_count(const struct exchange *exchange);

/* Writes GET /metrics in the format that its Accept asks for. */
bool monitor_text(struct exchange *exchange, struct buf *text, const char **media_type);

#endif
