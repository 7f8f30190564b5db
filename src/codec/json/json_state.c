#include "codec/json/json_state.h"

#include "lossd/engine/dyadic.h"
#include "lossd/engine/loss.h"

/* ---- options ------------------------------------------------------------------- */

static void add_option(struct reply *reply, const struct batch *batch, enum member member)
{
    const struct member_info *info = &member_infos[member];
    const void *field = (const char *)batch + info->offset;
    const struct array *array = field;
    struct json *json = reply_json(reply);

    json_key(json, info->name);
    if (info->type == MEMBER_ARRAY)
        reply_array(reply, REPLY_DOUBLES, array->data, &array->shape);
    else if (info->type == MEMBER_NUMBER)
        json_number(json, *(const double *)field);
    else if (info->type == MEMBER_CHOICE)
        json_text(json, info->choices[*(const int64_t *)field]);
    else
        json_uint(json, (uint64_t) * (const int64_t *)field);
}

/* The two that a reader looks for, and what was given. */
static void add_options(struct reply *reply, const struct batch *batch)
{
    for (enum member m = 0; m < MEMBERS; m++) {
        bool always = m == MEMBER_loss || m == MEMBER_reduction;
        if (task_state.members >> m & 1 && (always || batch_has(batch, m)))
            add_option(reply, batch, m);
    }
}

/* ---- sums ----------------------------------------------------------------------- */

static void add_count(struct json *json, const char *name, size_t count)
{
    json_key(json, name);
    json_uint(json, count);
}

static void add_sum(struct json *json, const char *name, const struct exact_sum *sum)
{
    char text[DYADIC_MAX];

    json_key(json, name);
    json_string(json, (struct span){text, dyadic_write_sum(sum, text)});
}

static void add_bins(struct json *json, const struct summary *summary)
{
    char text[DYADIC_MAX];

    json_key(json, "bin_count");
    json_open(json, '[');
    for (size_t i = 0; i < summary->bin_count; i++)
        json_uint(json, (uint64_t)summary->bins[i].tally.rows[0]);
    json_close(json, ']');
    json_key(json, "bin_correct");
    json_open(json, '[');
    for (size_t i = 0; i < summary->bin_count; i++)
        json_uint(json, (uint64_t)summary->bins[i].tally.rows[1]);
    json_close(json, ']');
    json_key(json, "bin_confidence");
    json_open(json, '[');
    for (size_t i = 0; i < summary->bin_count; i++) {
        size_t len = dyadic_write_confidences(summary->bins[i].confidence, text);
        json_string(json, (struct span){text, len});
    }
    json_close(json, ']');
}

static void add_classes(struct reply *reply, const struct state *state, size_t classes)
{
    const struct shape shape = {1, {classes}};

    json_key(reply_json(reply), "class_support");
    reply_array(reply, REPLY_INTEGERS, state->support, &shape);
    json_key(reply_json(reply), "class_predicted");
    reply_array(reply, REPLY_INTEGERS, state->predicted, &shape);
    json_key(reply_json(reply), "class_correct");
    reply_array(reply, REPLY_INTEGERS, state->correct, &shape);
}

static void add_metrics(struct reply *reply, const struct state *state, size_t classes)
{
    struct json *json = reply_json(reply);

    add_sum(json, "nll", &state->summary.nll);
    add_sum(json, "brier", &state->summary.brier);
    add_sum(json, "entropy", &state->summary.entropy);
    add_count(json, "top5", (size_t)state->summary.top5);
    add_bins(json, &state->summary);
    add_classes(reply, state, classes);
}

void json_add_state(struct reply *reply, const struct batch *batch, struct state *state)
{
    struct json *json = reply_json(reply);

    json_key(json, output_names[OUTPUT_STATE]);
    json_open(json, '{');
    add_count(json, "version", STATE_VERSION);
    add_options(reply, batch);
    add_count(json, "classes", batch->classes);
    add_count(json, "count", state->count);
    add_count(json, "ignored", state->ignored);
    add_sum(json, "losses", &state->losses);
    if (batch->z_loss > 0)
        add_sum(json, "penalties", &state->penalties);
    if (state->is_weighted)
        add_sum(json, "weights", &state->weights);
    if (batch->l2 > 0) {
        json_key(json, "l2_penalty");
        json_number(json, state->l2_penalty);
    }
    if (!batch->loss->is_elementwise)
        add_metrics(reply, state, batch->classes);
    json_close(json, '}');
}
