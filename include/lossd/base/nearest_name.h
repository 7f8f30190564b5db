/* Which name a misspelt one was meant to be. */
#ifndef LOSSD_BASE_NEAREST_NAME_H
#define LOSSD_BASE_NEAREST_NAME_H

#include "lossd/base/span.h"

/* The name of `names` (ends with NULL) that `text` most likely means, NULL when
 * none is near and no word of one begins so. */
const char *nearest_name(struct span text, const char *const *names);

#endif
