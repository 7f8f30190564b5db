/* A batch: what one request asks to have scored, whatever format it came in.
 *
 * A codec fills a batch member by member, in the order of the text.  Then
 * batch_check() says whether it is sound; what passed it, score() can score
 * without failing.  The words are the API's: logits [d1,..] with a class axis;
 * a position is what is left of the shape without that axis, and has one row of
 * `classes` logits; labels name the true class of each position; targets give a
 * distribution for each position instead.
 *
 * A batch and all it points to belong to one request and one thread at a time. */
#ifndef LOSSD_ENGINE_BATCH_H
#define LOSSD_ENGINE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/base/excerpt.h"
#include "lossd/base/span.h"

enum { RANK_MAX = 8 };

struct shape {
    unsigned rank;        /* 0: a single number */
    size_t dim[RANK_MAX]; /* row-major: the last one varies fastest */
};

/* The product of its dimensions. */
static inline size_t shape_count(const struct shape *shape)
{
    size_t count = 1;

    for (unsigned d = 0; d < shape->rank; d++)
        count *= shape->dim[d];
    return count;
}

enum dtype { DTYPE_FLOAT64, DTYPE_FLOAT32 };

enum element { ELEMENT_FLOAT64, ELEMENT_FLOAT32, ELEMENT_INT64 };

/* Why an element is not what its member wants. */
enum flaw {
    FLAW_NONE,
    FLAW_NAN,            /* NaN or null */
    FLAW_INFINITE,       /* Infinity */
    FLAW_OVERFLOW,       /* a finite number beyond the range of the type */
    FLAW_BEYOND_FLOAT32, /* the same of a narrower type that it was sent as, */
    FLAW_BEYOND_FLOAT16, /* or of this one */
    FLAW_BEYOND_INT64    /* an integer, but no label can be so large */
};

/* The numbers of one member.  Codecs note the first flawed element here and go
 * on, because errors are reported in the order of the text. */
struct array {
    enum element element;
    struct shape shape;
    size_t count;             /* product of shape.dim */
    void *data;               /* `count` doubles, floats or int64_t */
    bool has_minus_infinity;  /* some element is a masked class */
    enum flaw flaw;           /* of the first flawed element */
    size_t flaw_index;        /* which one, row-major */
    struct excerpt flaw_text; /* as the sender wrote it */
};

static inline size_t array_element_size(const struct array *array)
{
    return array->element == ELEMENT_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* Everything a request may say.  The rows are in members.def. */
enum member {
#define MEMBER(name, ...) MEMBER_##name,
#include "lossd/engine/members.def"
#undef MEMBER
    MEMBERS
};

enum member_type {
    MEMBER_ARRAY,  /* numbers of any rank */
    MEMBER_LABELS, /* integers of any rank */
    MEMBER_NUMBER, /* a number within a range */
    MEMBER_INTEGER,
    MEMBER_CHOICE, /* one of some names */
    MEMBER_NAMES,  /* a list of some names */
    MEMBER_TEXT
};

struct member_info {
    const char *name;
    enum member_type type;
    size_t offset;              /* of the field in struct batch */
    double lowest, highest;     /* of each number; unless equal, where it is no NUMBER */
    bool above_lowest;          /* `lowest` itself is out of the range */
    double standard;            /* the default, NAN when there is none */
    const char *const *choices; /* MEMBER_CHOICE, MEMBER_NAMES: ends with NULL */
    const char *help;
};

extern const struct member_info member_infos[MEMBERS];

static inline bool member_is_array(enum member member)
{
    enum member_type type = member_infos[member].type;

    return type == MEMBER_ARRAY || type == MEMBER_LABELS;
}

/* May it be a single number, without any array, where the logits are a single row? */
static inline bool member_may_be_bare(enum member member)
{
    return member == MEMBER_labels || member == MEMBER_sample_weights;
}

/* What an answer can have, as bits of batch.outputs; the order is the answer's. */
enum output {
    OUTPUT_LOSS,
    OUTPUT_LOSSES,
    OUTPUT_PROBABILITIES,
    OUTPUT_LOG_PROBABILITIES,
    OUTPUT_LOGSUMEXP,
    OUTPUT_GRADIENT,
    OUTPUT_LOGITS,
    OUTPUT_GRADIENT_FEATURES,
    OUTPUT_GRADIENT_W,
    OUTPUT_GRADIENT_B,
    OUTPUT_PREDICTIONS,
    OUTPUT_METRICS,
    OUTPUT_PER_CLASS,
    OUTPUT_CONFUSION,
    OUTPUT_CALIBRATION,
    OUTPUT_STATE,
    OUTPUT_RECORDS,
    OUTPUTS
};

extern const char *const output_names[OUTPUTS + 1]; /* ends with NULL */

enum on_error { ON_ERROR_ABORT, ON_ERROR_SKIP };

enum reduction { REDUCTION_MEAN, REDUCTION_SUM, REDUCTION_NONE };

/* What a route does with a batch. */
enum { TASK_NAMES_MAX = 2 };

struct task {
    const char *name;
    uint32_t members; /* bits of the members it knows */
    uint32_t outputs; /* bits of the outputs it can give */
    uint32_t standard_outputs;
    bool needs_truth;                     /* labels or targets must be there */
    const char *by_codec[TASK_NAMES_MAX]; /* names that a codec takes besides */
};

extern const struct task task_loss;
extern const struct task task_softmax;
extern const struct task task_merge;

/* Of a dataset, which comes record by record, and of one of its records. */
extern const struct task task_dataset;
extern const struct task task_record;

/* Not of a route: the options that a state was made with (state.h). */
extern const struct task task_state;

/* Ceilings.  Each is a setting of the same name. */
struct limits {
    size_t max_elements; /* numbers in one array */
    size_t max_classes;
    size_t max_confusion; /* classes of a confusion table */
    size_t max_depth;     /* of nested JSON */
    size_t max_line;      /* bytes of a record of a dataset */
    size_t max_text;      /* bytes of everything in a body but arrays of numbers */
};

struct loss;
struct state;     /* lossd/engine/state.h */
struct records;   /* a codec's own, */
struct inference; /* as is this */
struct name_node; /* names that are none of a member's: src/engine/name_set.h */

struct batch {
    const struct task *task;
    const struct limits *limits;

    struct array logits; /* of a linear model: shape and count, no data */
    struct array labels, targets, class_weights, sample_weights, pos_weight;
    struct array features, W, b;
    const struct loss *loss;
    int64_t loss_choice, reduction, dtype; /* enum reduction, enum dtype */
    int64_t on_error;                      /* enum on_error */
    int64_t axis, ignore_index, p, ece_bins;
    double label_smoothing, temperature, softcap, z_loss, focal_gamma, poly_epsilon;
    double l2, margin, divisor;
    uint32_t outputs; /* bits of enum output */
    struct span id;
    struct state *state;         /* instead of logits, where states are merged: theirs */
    struct records *records;     /* of a dataset: what its codec keeps for the answer */
    struct inference *inference; /* of a batch of tensors: likewise */

    uint32_t given;               /* bits of the members that were set */
    uint32_t from_query;          /* those of them that only the address gave */
    uint32_t set;                 /* those of them that batch_set() has seen */
    struct span spelled[MEMBERS]; /* how the text said what batch_set() has seen */
    enum member order[MEMBERS];   /* members in the order of the text */
    unsigned members;
    struct err bad_option;  /* the first option out of its range, if any */
    unsigned bad_option_at; /* and where it stands in `order` */
    const char *const
        *address_names;           /* that are none of members; ends with NULL, or NULL */
    struct name_node *unknown[2]; /* names that the body and the address gave in vain */

    /* derived by batch_check() */
    size_t classes;
    size_t positions;
    size_t inner;           /* distance between the logits of a row; 1: contiguous */
    size_t features_of_row; /* D of a linear model */
    struct shape position_shape;
};

static inline bool batch_has(const struct batch *batch, enum member member)
{
    return batch->given >> member & 1;
}

/* Do the logits come from features and weights? */
static inline bool batch_is_linear(const struct batch *batch)
{
    return batch_has(batch, MEMBER_features);
}

static inline bool batch_wants(const struct batch *batch, enum output output)
{
    return batch->outputs >> output & 1;
}

/* An empty batch for the task, every option at its default.  `limits` must
 * outlive the batch. */
void batch_init(struct batch *batch, const struct task *task,
                const struct limits *limits);

/* A scalar member's value as any format can say it. */
struct value {
    enum { VALUE_NUMBER, VALUE_TEXT, VALUE_NAMES, VALUE_NOTHING } type;
    double number;
    bool is_integer; /* `integer` is the exact value */
    int64_t integer;
    struct span text; /* VALUE_TEXT; for others the sender's spelling */
    const struct span *names;
    size_t count;
    const char *no_name; /* what stands after `count` names and is none, or NULL */
    const char *kind;    /* for errors: "a string", "an object", ... */
};

/* Notes what is wrong with a value of a member that has come, found by who reads it, with a
 * place of its own: the batch keeps the first in the order of the text. */
void batch_note_value(struct batch *batch, enum member member, const struct err *found);

/* Finds the member of that name and notes that it comes next.  False when the
 * task does not know it (ERR_UNKNOWN_MEMBER, with the nearest known name) or has
 * seen the name before, known or not (ERR_DUPLICATE_MEMBER); a member of the
 * address may be given once more in the body.  Names that are not known are kept
 * in `mem`, which may have no room for them (ERR_TOO_LARGE, ERR_OVERLOADED). */
bool batch_begin(struct batch *batch, struct span name, bool from_query,
                 struct arena *mem, enum member *member, struct err *err);

/* Sets a member that is not an array.  Type errors are reported now, as are
 * values that contradict the address (ERR_CONFLICTING_MEMBERS); values out of
 * range (ERR_INVALID_OPTION) are kept for batch_check(), which knows their turn.
 * Texts must live as long as the batch. */
bool batch_set(struct batch *batch, enum member member, struct value value,
               struct err *err);

/* The value of an option that was given, as the sender wrote it. */
static inline struct excerpt batch_spelling(const struct batch *batch, enum member member)
{
    return excerpt_of(batch->spelled[member]);
}

/* The array of an array member, to be filled, and with what. */
struct array *batch_array(struct batch *batch, enum member member);
enum element batch_element(const struct batch *batch, enum member member);

/* Is this batch sound?  Members, shapes, then values in the order of the text.
 * `err` may hold what the codec found: the earlier phase wins.  True when the
 * batch can be scored. */
bool batch_check(struct batch *batch, struct err *err);

/* Index, in a row-major array of logits, of the first logit of a position's row. */
static inline size_t batch_row(const struct batch *batch, size_t position)
{
    return position / batch->inner * batch->classes * batch->inner +
           position % batch->inner;
}

/* The position whose row a logit is in. */
static inline size_t batch_position(const struct batch *batch, size_t index)
{
    return index / (batch->classes * batch->inner) * batch->inner + index % batch->inner;
}

/* A logit as it came. */
static inline double batch_logit(const struct batch *batch, size_t index)
{
    return batch->logits.element == ELEMENT_FLOAT32
               ? (double)((const float *)batch->logits.data)[index]
               : ((const double *)batch->logits.data)[index];
}

/* Has the position another label than the one to be ignored? */
static inline bool batch_keeps(const struct batch *batch, size_t position)
{
    const int64_t *labels = batch->labels.data;

    return !labels || labels[position] != batch->ignore_index;
}

static inline double batch_sample_weight(const struct batch *batch, size_t position)
{
    const double *weights = batch->sample_weights.data;

    return weights ? weights[position] : 1;
}

static inline double batch_class_weight(const struct batch *batch, size_t class)
{
    const double *weights = batch->class_weights.data;

    return weights ? weights[class] : 1;
}

#endif
