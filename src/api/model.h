/* The models of the Open Inference Protocol: softmax, and each loss by its name; private to
 * this layer. */
#ifndef LOSSD_API_MODEL_H
#define LOSSD_API_MODEL_H

#include <stddef.h>

#include "lossd/api/api.h"

#define MODEL_VERSION "1" /* of each: they change with the service only */

/* How many there are. */
enum {
    MODELS = 1
#define LOSS(name) +1
#include "lossd/engine/losses.def"
#undef LOSS
};

/* The one at an index below that; their names in that order, ending with NULL. */
struct model model_at(size_t index);
extern const char *const model_names[MODELS + 1];

/* Finds the model that the address names, where the route has such.  False with
 * ERR_UNKNOWN_MODEL. */
bool model_choose(struct exchange *exchange);

/* Sets the loss of the batch to that of the model, if there is one, as the address does. */
void model_set_loss(struct exchange *exchange);

#endif
