/* Do the options of a batch go with its loss, its truth and its model? */
#ifndef LOSSD_ENGINE_BATCH_OPTIONS_H
#define LOSSD_ENGINE_BATCH_OPTIONS_H

#include <stdbool.h>

#include "lossd/engine/batch.h"

/* Does `member`, which was given and is sound by itself, go with the rest?  False with
 * `err` filled. */
bool batch_check_option(const struct batch *batch, enum member member, struct err *err);

/* Can all that is asked for be answered, in whatever way that was said?  Likewise. */
bool batch_check_outputs(const struct batch *batch, struct err *err);

#endif
