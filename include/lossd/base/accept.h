/* What an Accept header says of a media type (RFC 9110, section 12.5.1). */
#ifndef LOSSD_BASE_ACCEPT_H
#define LOSSD_BASE_ACCEPT_H

#include <stdbool.h>

#include "lossd/base/span.h"

/* The most precise range of a header that a media type is in. */
enum accept_range {
    ACCEPT_NOTHING, /* there is no header, or no range in it has the type */
    ACCEPT_ANY,     /* any type at all */
    ACCEPT_FAMILY,  /* any of "application" */
    ACCEPT_NAMED    /* "application/json", whatever its parameters */
};

struct acceptance {
    enum accept_range range;
    unsigned quality; /* thousandths; 0: it is not acceptable */
};

/* `media_type` has no parameters.  Without a header, or with one that has no ranges,
 * everything is as good as can be.  A weight that is none counts as 1. */
struct acceptance accept_find(struct span accept, const char *media_type);

/* Is `a` to be preferred?  Of two that are equally welcome, the one that was named. */
static inline bool accept_prefers(struct acceptance a, struct acceptance b)
{
    return a.quality != b.quality ? a.quality > b.quality : a.range > b.range;
}

#endif
