#include "codec/oip/oip_answer.h"

#include "codec/output_array.h"
#include "codec/ranking.h"
#include "codec/reply.h"
#include "lossd/engine/loss.h"

uint32_t inference_outputs(const struct task *task)
{
    return task->outputs & (output_arrays() | UINT32_C(1) << OUTPUT_LOSS);
}

uint32_t inference_rankable(const struct task *task)
{
    return task->outputs &
           (UINT32_C(1) << OUTPUT_PROBABILITIES |
            UINT32_C(1) << OUTPUT_LOG_PROBABILITIES | UINT32_C(1) << OUTPUT_GRADIENT |
            UINT32_C(1) << OUTPUT_LOGITS);
}

void inference_output_list(char out[OUTPUT_LIST_SIZE], uint32_t outputs)
{
    struct buf list;

    buf_over(&list, out, OUTPUT_LIST_SIZE - 1);
    for (enum output o = 0; o < OUTPUTS; o++) {
        if (!(outputs >> o & 1))
            continue;
        buf_text(&list, list.len > 0 ? ", " : "");
        buf_text(&list, output_names[o]);
    }
    out[list.len] = '\0';
}

void inference_settle_outputs(struct inference *inference, struct batch *batch)
{
    if (inference->outputs) {
        batch->outputs = inference->outputs;
        return;
    }
    for (enum output output = 0; output < OUTPUTS; output++)
        if (batch_wants(batch, output))
            inference->order[inference->count++] = output;
}

static bool is_in_bytes(const struct inference *inference, enum output output)
{
    uint32_t bit = UINT32_C(1) << output;

    return inference->in_bytes & bit ||
           (inference->bytes_unless_told && !(inference->in_text & bit));
}

struct answer {
    const struct batch *batch;
    const struct result *result;
    const struct ranking *ranked[OUTPUTS]; /* NULL: not asked for */
};

/* A reduced loss is a tensor of one number. */
static struct output_array tensor_of(enum output output, const struct answer *answer)
{
    const struct batch *batch = answer->batch;
    const struct result *result = answer->result;
    const struct ranking *ranked = answer->ranked[output];

    if (ranked)
        return (struct output_array){REPLY_RANKED, ranked, ranked->shape};
    if (output == OUTPUT_LOSS && batch->reduction != REDUCTION_NONE)
        return (struct output_array){REPLY_DOUBLES, &result->loss, {1, {1}}};
    return output_array(output, batch, result);
}

static const char *datatype_of(enum reply_numbers numbers)
{
    switch (numbers) {
    case REPLY_DOUBLES:
        return "FP64";
    case REPLY_DOUBLES_AS_FLOATS:
    case REPLY_FLOATS:
        return "FP32";
    case REPLY_RANKED:
        return "BYTES";
    case REPLY_INTEGERS:
        break;
    }
    return "INT64";
}

static void add_size(struct json *json, const struct output_array *array)
{
    json_key(json, "parameters");
    json_open(json, '{');
    json_key(json, "binary_data_size");
    json_uint(json, array->numbers == REPLY_RANKED
                        ? ranking_bytes(array->data)
                        : shape_count(&array->shape) * reply_number_size(array->numbers));
    json_close(json, '}');
}

/* One list, as other servers have it: the shape says how it is nested. */
static void add_data(struct reply *reply, const struct output_array *array)
{
    const struct shape list = {1, {shape_count(&array->shape)}};

    json_key(reply_json(reply), "data");
    reply_array(reply, array->numbers, array->data, &list);
}

static void add_tensor(struct reply *reply, enum output output,
                       const struct answer *answer)
{
    struct output_array array = tensor_of(output, answer);
    struct json *json = reply_json(reply);

    json_open(json, '{');
    json_text_member(json, "name", output_names[output]);
    json_text_member(json, "datatype", datatype_of(array.numbers));
    json_key(json, "shape");
    json_open(json, '[');
    for (unsigned d = 0; d < array.shape.rank; d++)
        json_uint(json, array.shape.dim[d]);
    json_close(json, ']');
    if (is_in_bytes(answer->batch->inference, output))
        add_size(json, &array);
    else
        add_data(reply, &array);
    json_close(json, '}');
}

static void add_ignored(struct json *json, struct span names)
{
    if (names.len == 0)
        return;
    json_key(json, "parameters");
    json_open(json, '{');
    json_key(json, "ignored");
    json_string(json, names);
    json_close(json, '}');
}

/* The id is there always: for some clients an answer is none without it. */
static void add_head(struct json *json, const struct batch *batch)
{
    json_text_member(json, "model_name",
                     batch->task->needs_truth ? batch->loss->name : batch->task->name);
    json_text_member(json, "model_version", "1");
    json_key(json, "id");
    json_string(json, batch_has(batch, MEMBER_id) ? batch->id : span_of(""));
    add_ignored(json, batch->inference->ignored);
}

static void add_bytes(struct reply *reply, const struct answer *answer)
{
    const struct inference *inference = answer->batch->inference;

    for (unsigned i = 0; i < inference->count; i++) {
        enum output output = inference->order[i];
        if (!is_in_bytes(inference, output))
            continue;
        struct output_array array = tensor_of(output, answer);
        reply_bytes(reply, array.numbers, array.data, shape_count(&array.shape));
    }
}

static bool rank(struct answer *answer, struct arena *mem, struct err *err)
{
    const struct batch *batch = answer->batch;

    for (enum output output = 0; output < OUTPUTS; output++) {
        size_t most = batch->inference->ranked[output];
        if (most == 0 || !batch_wants(batch, output))
            continue;
        struct output_array array = output_array(output, batch, answer->result);
        answer->ranked[output] =
            ranking_new(batch, array.data, array.numbers == REPLY_FLOATS, most, mem, err);
        if (!answer->ranked[output])
            return false;
    }
    return true;
}

/* A few of many classes cost little more than being looked at. */
int64_t inference_encode_ns(const struct batch *batch)
{
    enum { FEW = 8, FEW_NS = 2, MANY_NS = 100 };
    int64_t ns = 0;

    for (enum output output = 0; output < OUTPUTS; output++) {
        size_t most = batch->inference->ranked[output];
        if (most > 0)
            ns += (int64_t)batch->logits.count * (most <= FEW ? FEW_NS : MANY_NS);
    }
    return ns;
}

struct reply *inference_encode(const struct batch *batch, const struct result *result,
                               bool pretty, struct arena *mem, struct err *err)
{
    struct reply *reply = reply_new(pretty, mem, err);
    struct answer answer = {.batch = batch, .result = result};

    if (!reply || !rank(&answer, mem, err))
        return NULL;
    struct json *json = reply_json(reply);
    json_open(json, '{');
    add_head(json, batch);
    json_key(json, "outputs");
    json_open(json, '[');
    for (unsigned i = 0; i < batch->inference->count; i++)
        add_tensor(reply, batch->inference->order[i], &answer);
    json_close(json, ']');
    json_close(json, '}');
    if (!reply_end(reply))
        return NULL;
    add_bytes(reply, &answer);
    return reply_is_whole(reply) ? reply : NULL;
}
