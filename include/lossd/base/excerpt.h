/* A stranger's text as a sentence can show it: short, whole characters, terminated.
 *
 *     fail(err, ERR_UNKNOWN_MEMBER, pointer, "unknown member \"%s\"",
 *          excerpt_of(name).text);
 *
 * A value, which lives as long as the expression that made it; safe in any thread. */
#ifndef LOSSD_BASE_EXCERPT_H
#define LOSSD_BASE_EXCERPT_H

#include "lossd/base/span.h"

enum { EXCERPT_MAX = 64 }; /* bytes */

struct excerpt {
    char text[EXCERPT_MAX + 1];
};

/* What does not fit is cut at a character, the cut marked with "...".  A NUL, with
 * which the sentence would end, is shown as JSON writes it: \u0000.  Bytes that are
 * no UTF-8 are taken over as they are. */
struct excerpt excerpt_of(struct span text);

#endif
