/* Paths of routes, whose segments may be names for any text: "/v2/models/{model}/ready";
 * private to this layer. */
#ifndef LOSSD_API_PATH_H
#define LOSSD_API_PATH_H

#include <stdbool.h>

#include "lossd/base/span.h"

/* Is it a path of that pattern? */
bool path_matches(struct span path, const char *pattern);

/* The next "{name}" of the pattern at `*pattern`, without its braces, which then points
 * behind it; empty when there is none. */
struct span path_next_name(const char **pattern);

/* What a path that matches has for the name, as it was sent; empty when the pattern has no
 * such name. */
struct span path_segment(struct span path, const char *pattern, const char *name);

/* Is the segment, its percent-escapes undone, that text? */
bool path_segment_is(struct span segment, const char *text);

#endif
