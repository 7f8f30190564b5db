/* The models of the Open Inference Protocol: softmax, and each loss by its name; private to
 * this layer. */
#ifndef LOSSD_API_MODEL_H
#define LOSSD_API_MODEL_H

#include <stddef.h>

#include "lossd/api/api.h"

#define MODEL_VERSION "1" /* of each: they change with the service only */

/* How many there are; the one at an index below that. */
size_t model_count(void);
struct model model_at(size_t index);

/* Finds the model that the address names, where the route has such.  False with
 * ERR_UNKNOWN_MODEL. */
bool model_choose(struct exchange *exchange);

/* Sets the loss of the batch to that of the model, if there is one, as the address does. */
void model_set_loss(struct exchange *exchange);

#endif
