#include "lossd/engine/dataset.h"

#include <inttypes.h>
#include <string.h>

#include "engine/batch_values.h"
#include "engine/layout.h"
#include "engine/metrics.h"
#include "lossd/engine/loss.h"

enum { BLOCK_LOGITS = 16384 };

#define BIT(n) (UINT32_C(1) << (n))

/* ---- beginning ---------------------------------------------------------------- */

/* What is wrong with them is so for all records, and no fault of any. */
static bool check_options(const struct batch *whole, struct err *err)
{
    if (!batch_check_values(whole, err))
        return false;
    return whole->reduction != REDUCTION_NONE ||
           fail(err, ERR_INVALID_OPTION, "/reduction",
                "reduction is none; a dataset has one loss, and return=records tells "
                "those of its positions");
}

/* What the dataset says of itself its records may say of themselves. */
static void forget(struct batch *record, uint32_t members)
{
    record->given &= ~members;
    record->from_query &= ~members;
    record->set &= ~members;
}

bool dataset_init(struct dataset *dataset, struct batch *whole, struct arena *mem,
                  struct err *err)
{
    memset(dataset, 0, sizeof *dataset);
    dataset->whole = whole;
    if (!check_options(whole, err))
        return false;
    whole->state = arena_zalloc(mem, 1, sizeof *whole->state, err);
    if (!whole->state)
        return false;
    bool is_standard =
        whole->outputs == BIT(OUTPUT_RECORDS) || !batch_has(whole, MEMBER_return);
    if (is_standard)
        whole->outputs |= whole->task->standard_outputs;
    if (is_standard && whole->loss->is_elementwise)
        whole->outputs &= ~BIT(OUTPUT_METRICS);
    dataset->record = *whole;
    dataset->record.task = &task_record;
    dataset->record.state = NULL;
    dataset->record.outputs = whole->outputs & task_record.outputs & ~BIT(OUTPUT_LOSS);
    if (batch_wants(whole, OUTPUT_RECORDS))
        dataset->record.outputs |= BIT(OUTPUT_LOSSES) | BIT(OUTPUT_PREDICTIONS);
    forget(&dataset->record, BIT(MEMBER_id) | BIT(MEMBER_return));
    return true;
}

/* Room for the rows of a block. */
static bool make_block(struct dataset *dataset, const struct batch *record,
                       struct arena *mem, struct err *err)
{
    struct batch *block = &dataset->block;
    size_t rows = BLOCK_LOGITS / record->classes;

    dataset->rows_max = rows > 0 ? rows : 1;
    rows = dataset->rows_max;
    *block = dataset->record;
    block->logits.element = record->logits.element;
    block->logits.data =
        arena_alloc(mem, rows * record->classes, layout_size(record), err);
    block->targets.data = arena_alloc(mem, rows * record->classes, sizeof(double), err);
    block->labels.data = arena_alloc(mem, rows, sizeof(int64_t), err);
    block->sample_weights.data = arena_alloc(mem, rows, sizeof(double), err);
    return block->logits.data && block->targets.data && block->labels.data &&
           block->sample_weights.data;
}

/* The first record says how many classes there are. */
static bool settle_classes(struct dataset *dataset, const struct batch *record,
                           struct arena *mem, struct err *err)
{
    struct batch *whole = dataset->whole;
    size_t bins = summary_is_wanted(record) ? (size_t)whole->ece_bins : 0;

    if (!make_block(dataset, record, mem, err) ||
        !state_init(whole->state, bins, tables_are_wanted(record) ? record->classes : 0,
                    mem, err))
        return false;
    whole->classes = record->classes;
    return true;
}

/* ---- scoring -------------------------------------------------------------------- */

static bool add_state(struct dataset *dataset, struct state *state, struct err *err)
{
    struct state *whole = dataset->whole->state;

    if (whole->count + whole->ignored + state->count + state->ignored > POSITIONS_MAX)
        return fail(err, ERR_INVALID_OPTION, NULL,
                    "with this record there are more than %" PRId64 " positions",
                    POSITIONS_MAX);
    state_merge(whole, state, dataset->whole->classes);
    return true;
}

static bool score_batch(struct dataset *dataset, const struct batch *batch,
                        struct arena *mem, struct err *err)
{
    struct result result;

    if (!result_init(&result, batch, 1, mem, err))
        return false;
    score(batch, &result, NULL);
    return add_state(dataset, result.state, err) &&
           (!dataset->scored || dataset->scored(dataset->ctx, batch, &result, err));
}

static bool score_block(struct dataset *dataset, struct arena *mem, struct err *err)
{
    struct batch here = dataset->block; /* arrays that are not given are not there */
    size_t classes = dataset->whole->classes, rows = dataset->rows;

    if (rows == 0)
        return true;
    dataset->rows = 0;
    here.logits.shape = here.targets.shape = (struct shape){2, {rows, classes}};
    here.logits.count = here.targets.count = rows * classes;
    here.labels.shape = here.sample_weights.shape = (struct shape){1, {rows}};
    here.labels.count = here.sample_weights.count = rows;
    here.labels.data = batch_has(&here, MEMBER_labels) ? here.labels.data : NULL;
    here.targets.data = batch_has(&here, MEMBER_targets) ? here.targets.data : NULL;
    here.sample_weights.data =
        batch_has(&here, MEMBER_sample_weights) ? here.sample_weights.data : NULL;
    return batch_check(&here, err) && score_batch(dataset, &here, mem, err);
}

/* ---- gathering ------------------------------------------------------------------ */

static const uint32_t arrays = BIT(MEMBER_logits) | BIT(MEMBER_labels) |
                               BIT(MEMBER_targets) | BIT(MEMBER_sample_weights);

static bool may_be_joined(const struct dataset *dataset, const struct batch *record)
{
    return (dataset->block.given & arrays) == (record->given & arrays) &&
           record->positions <= dataset->rows_max - dataset->rows;
}

/* Numbers of a record behind those that are there. */
static void append(struct array *to, const struct array *from, size_t at, size_t size)
{
    if (from->data)
        memcpy((char *)to->data + at * size, from->data, from->count * size);
}

static void gather(struct dataset *dataset, const struct batch *record)
{
    struct batch *block = &dataset->block;
    size_t at = dataset->rows, classes = record->classes;

    append(&block->logits, &record->logits, at * classes, layout_size(record));
    append(&block->targets, &record->targets, at * classes, sizeof(double));
    append(&block->labels, &record->labels, at, sizeof(int64_t));
    append(&block->sample_weights, &record->sample_weights, at, sizeof(double));
    block->logits.has_minus_infinity |= record->logits.has_minus_infinity;
    block->given |= record->given & arrays;
    dataset->rows += record->positions;
}

static bool check_classes(const struct dataset *dataset, const struct batch *record,
                          struct err *err)
{
    size_t classes = dataset->whole->classes;

    return classes == 0 || record->classes == classes ||
           fail(err, ERR_SHAPE_MISMATCH, "/logits",
                "logits has %zu classes; %zu are wanted, as in the first record",
                record->classes, classes);
}

bool dataset_add(struct dataset *dataset, struct batch *record, struct arena *mem,
                 struct err *err)
{
    if (!batch_check(record, err) || !check_classes(dataset, record, err))
        return false;
    if (dataset->whole->classes == 0 && !settle_classes(dataset, record, mem, err))
        return false;
    if (!may_be_joined(dataset, record)) {
        if (!score_block(dataset, mem, err))
            return false;
        dataset->block.given &= ~arrays;
        dataset->block.given |= record->given & arrays;
    }
    if (dataset->scored || record->positions > dataset->rows_max)
        return score_batch(dataset, record, mem, err);
    gather(dataset, record);
    return true;
}

bool dataset_finish(struct dataset *dataset, struct arena *mem, struct err *err)
{
    return score_block(dataset, mem, err);
}
