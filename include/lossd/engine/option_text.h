/* Options as plain text, without the quotes and brackets of JSON: reduction=sum,
 * return=loss,metrics. */
#ifndef LOSSD_ENGINE_OPTION_TEXT_H
#define LOSSD_ENGINE_OPTION_TEXT_H

#include <stdbool.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"

/* As batch_set(), for a member that is no array, of which batch_begin() has said that it
 * comes next.  The text is UTF-8 and lives as long as the batch.  False also when there
 * is no memory. */
bool option_set_text(struct batch *batch, enum member member, struct span text,
                     struct arena *mem, struct err *err);

#endif
