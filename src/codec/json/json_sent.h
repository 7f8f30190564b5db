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
    /* the first is ours until something else is said */
    int64_t version, classes, count, ignored, top5;
    double l2_penalty;
    struct exact_sum losses, penalties, weights, nll, brier, entropy;
    struct array bin_count, bin_correct, class_support, class_predicted, class_correct;
    const struct span *bin_confidence;
    size_t bin_confidences;
};

/* Makes an empty one. */
void sent_init(struct sent *sent);

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

/* Is it of our version, with all members that it needs and no others?  Of another version
 * it may have others, so that is told before what is wrong with them.  Errors of members
 * that are there already stay before those that come behind them.  `part` has the options
 * that say what belongs to a state; NULL, when they are wrong, leaves that open. */
bool sent_check(const struct sent *sent, const struct batch *part, struct err *err);

/* Fills `state` with what was sent and checked, in the memory of `mem`; options and
 * classes of the part are those it was made with.  False: something is no such thing. */
bool sent_state(const struct sent *sent, struct batch *part, struct arena *mem,
                struct state *state, struct err *err);

#endif
