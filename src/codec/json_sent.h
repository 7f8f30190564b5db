/* What a state says beside its options, as it says it: a member for each row of a table,
 * and what that makes of a state. */
#ifndef LOSSD_CODEC_JSON_SENT_H
#define LOSSD_CODEC_JSON_SENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/engine/batch.h"
#include "lossd/engine/state.h"

struct sent {
    uint32_t given; /* bits of the rows */
    int64_t version, classes, count, ignored, top5;
    double l2_penalty;
    struct exact_sum losses, penalties, weights, nll, brier, entropy;
    struct array bin_count, bin_correct, class_support, class_predicted, class_correct;
    const struct span *bin_confidence;
    size_t bin_confidences;
};

/* The row of that name, SENT_ROWS when there is none. */
enum { SENT_ROWS = 18 };
size_t sent_row(struct span name);
const char *sent_name(size_t row);

/* Notes that its value comes next.  False: it has come before. */
bool sent_begin(struct sent *sent, size_t row, struct err *err);

/* What an array of numbers is to be read into; NULL for a row that is none. */
struct array *sent_array(struct sent *sent, size_t row);

/* Any other value.  Names must live as long as `sent`. */
bool sent_set(struct sent *sent, size_t row, const struct value *value, struct err *err);

/* Fills `state` with what was sent, in the memory of `mem`; options and classes of the
 * part are those it was made with.  False: something is missing, too much, or no such
 * thing. */
bool sent_state(const struct sent *sent, struct batch *part, struct arena *mem,
                struct state *state, struct err *err);

#endif
