/* A set of names: any bytes, any number of them, by whoever wishes us ill. */
#ifndef LOSSD_ENGINE_NAME_SET_H
#define LOSSD_ENGINE_NAME_SET_H

#include <stdbool.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"

struct name_node;

/* Adds a copy of the name to the set, which is NULL when it is empty and lives in
 * `mem`; *twice says whether it was there before.  Takes time by the length of the
 * name alone.  False: no memory. */
bool name_set_add(struct name_node **set, struct span name, struct arena *mem,
                  bool *twice, struct err *err);

#endif
