/* The slow and certain way to read a number, for the few that need it. */
#ifndef LOSSD_BASE_NUMBER_EXACT_H
#define LOSSD_BASE_NUMBER_EXACT_H

#include "lossd/base/span.h"

/* `text` is a JSON number, all of it.  Both take time linear in its length. */
double number_exact_double(struct span text);
float number_exact_float(struct span text);

#endif
