#include "vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *file_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");

    if (!file)
        return NULL;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

static const cJSON *member_of(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* A divergence for each element, as PyTorch gives it: ours are for positions, the sums
 * over the last axis. */
static void sum_rows(cJSON *tensor)
{
    cJSON *shape = cJSON_GetObjectItem(tensor, "shape"), *sums = cJSON_CreateArray();
    int last = cJSON_GetArraySize(shape) - 1, in_row = 0;
    int classes = cJSON_GetArrayItem(shape, last)->valueint;
    double sum = 0;
    const cJSON *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItem(tensor, "data"))
    {
        sum += item->valuedouble;
        if (++in_row < classes)
            continue;
        cJSON_AddItemToArray(sums, cJSON_CreateNumber(sum));
        sum = in_row = 0;
    }
    cJSON_ReplaceItemInObject(tensor, "data", sums);
    cJSON_DeleteItemFromArray(shape, last);
}

static void adapt(cJSON *json)
{
    const char *op = cJSON_GetStringValue(member_of(json, "op"));
    const char *reduction =
        cJSON_GetStringValue(member_of(member_of(json, "attributes"), "reduction"));

    if (op && reduction && strcmp(op, "kl_div_with_logits") == 0 &&
        strcmp(reduction, "none") == 0)
        sum_rows(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "outputs"), "loss"));
}

bool vector_read(struct vector *vector, const char *path)
{
    char *text = file_text(path);
    cJSON *json = text ? cJSON_Parse(text) : NULL;

    free(text);
    adapt(json);
    const cJSON *tolerance = member_of(json, "tolerance");
    *vector = (struct vector){
        json,
        cJSON_GetStringValue(member_of(json, "name")),
        cJSON_GetStringValue(member_of(json, "op")),
        cJSON_GetNumberValue(member_of(tolerance, "rtol")),
        cJSON_GetNumberValue(member_of(tolerance, "atol")),
    };
    if (vector->name && vector->op && member_of(json, "outputs"))
        return true;
    vector_release(vector);
    return false;
}

void vector_release(struct vector *vector)
{
    cJSON_Delete(vector->json);
    *vector = (struct vector){0};
}

static bool is_op(const struct vector *vector, const char *op)
{
    return strcmp(vector->op, op) == 0;
}

bool vector_has_tag(const struct vector *vector, const char *tag)
{
    const cJSON *item;

    cJSON_ArrayForEach(
        item, member_of(vector->json, "tags")) if (strcmp(cJSON_GetStringValue(item),
                                                          tag) == 0) return true;
    return false;
}

const cJSON *vector_input(const struct vector *vector, const char *name)
{
    return member_of(member_of(vector->json, "inputs"), name);
}

const cJSON *vector_output(const struct vector *vector, const char *name)
{
    return member_of(member_of(vector->json, "outputs"), name);
}

/* ---- numbers ---------------------------------------------------------------- */

static double number_of(const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);

    if (text)
        return text[0] == 'N' ? NAN : text[0] == '-' ? -INFINITY : INFINITY;
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

size_t tensor_count(const cJSON *tensor)
{
    return (size_t)cJSON_GetArraySize(member_of(tensor, "data"));
}

double tensor_number(const cJSON *tensor, size_t index)
{
    return number_of(cJSON_GetArrayItem(member_of(tensor, "data"), (int)index));
}

double nested_number(const cJSON *member, size_t index)
{
    while (cJSON_IsArray(member)) {
        size_t count = (size_t)cJSON_GetArraySize(member), each = 1;
        for (const cJSON *first = member->child; cJSON_IsArray(first);
             first = first->child)
            each *= (size_t)cJSON_GetArraySize(first);
        if (index >= count * each)
            return NAN;
        member = cJSON_GetArrayItem(member, (int)(index / each));
        index %= each;
    }
    return number_of(member);
}

static bool has_shape(const cJSON *member, const cJSON *dimension)
{
    if (!dimension)
        return !cJSON_IsArray(member);
    if (cJSON_GetArraySize(member) != (int)dimension->valuedouble)
        return false;
    for (const cJSON *item = member->child; item; item = item->next)
        if (!has_shape(item, dimension->next))
            return false;
    return true;
}

/* Compares in step; returns the item behind the last one used. */
static const cJSON *compare(const struct vector *vector, const cJSON *want,
                            const cJSON *member, char why[400])
{
    if (cJSON_IsArray(member)) {
        for (const cJSON *item = member->child; item && want; item = item->next)
            want = compare(vector, want, item, why);
        return want;
    }
    double wanted = number_of(want), got = number_of(member);
    bool holds = isfinite(wanted)
                     ? fabs(got - wanted) <= vector->atol + vector->rtol * fabs(wanted)
                     : cJSON_IsNull(member);
    if (!holds && why[0] == '\0')
        snprintf(why, 400, "%.17g is wanted, got %.17g", wanted, got);
    return want->next;
}

bool tensor_holds(const struct vector *vector, const cJSON *tensor, const cJSON *member,
                  char why[400])
{
    why[0] = '\0';
    if (!member || !has_shape(member, member_of(tensor, "shape")->child)) {
        snprintf(why, 400, "it is missing or has another shape");
        return false;
    }
    compare(vector, member_of(tensor, "data")->child, member, why);
    return why[0] == '\0';
}

/* ---- the request ------------------------------------------------------------ */

static bool is_softmax(const struct vector *vector)
{
    return is_op(vector, "Softmax") || is_op(vector, "LogSoftmax") ||
           is_op(vector, "logsumexp");
}

/* Our losses by the names that operations have elsewhere. */
static const struct {
    const char *op, *loss;
} losses[] = {
    {"NegativeLogLikelihoodLoss", "nll"},
    {"SoftmaxCrossEntropyLoss", "cross_entropy"},
    {"cross_entropy", "cross_entropy"},
    {"linear_cross_entropy", "cross_entropy"},
    {"binary_cross_entropy_with_logits", "bce_with_logits"},
    {"multi_margin_loss", "hinge"},
    {"kl_div_with_logits", "kl_div"},
};

static const char *loss_of(const struct vector *vector)
{
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        if (is_op(vector, losses[i].op))
            return losses[i].loss;
    return NULL;
}

static bool is_linear(const struct vector *vector)
{
    return is_op(vector, "linear_cross_entropy");
}

const char *vector_out_of_reach(const struct vector *vector)
{
    return is_softmax(vector) || loss_of(vector) ? NULL : vector->op;
}

const char *vector_member(const struct vector *vector, const char *output)
{
    if (is_op(vector, "Softmax"))
        return "probabilities";
    if (is_op(vector, "LogSoftmax") || strcmp(output, "log_prob") == 0)
        return "log_probabilities";
    if (is_op(vector, "logsumexp"))
        return output[0] == 'y' ? "logsumexp" : "probabilities";
    if (is_linear(vector) && strcmp(output, "gradient") == 0)
        return "gradient_features";
    return output;
}

/* Writes the numbers from `item` on in the shape, and returns the one behind. */
static const cJSON *write_nested(FILE *out, const cJSON *dimension, const cJSON *item)
{
    if (!dimension) {
        if (cJSON_IsString(item))
            fprintf(out, "\"%s\"", item->valuestring);
        else
            fprintf(out, "%.17g", item->valuedouble);
        return item->next;
    }
    fputc('[', out);
    for (int i = 0; i < (int)dimension->valuedouble; i++) {
        if (i > 0)
            fputc(',', out);
        item = write_nested(out, dimension->next, item);
    }
    fputc(']', out);
    return item;
}

static void write_tensor(FILE *out, const char *name, const cJSON *tensor)
{
    if (!tensor)
        return;
    fprintf(out, ",\"%s\":", name);
    write_nested(out, member_of(tensor, "shape")->child,
                 member_of(tensor, "data")->child);
}

static const char *dtype_of(const cJSON *tensor)
{
    return cJSON_GetStringValue(member_of(tensor, "dtype"));
}

static void write_attributes(FILE *out, const struct vector *vector)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, member_of(vector->json, "attributes"))
    {
        const char *text = cJSON_GetStringValue(item);
        if (text) /* a mean over the batch is what a mean is here */
            fprintf(out, ",\"%s\":\"%s\"", item->string,
                    strcmp(text, "batchmean") == 0 ? "mean" : text);
        else
            fprintf(out, ",\"%s\":%.17g", item->string, item->valuedouble);
    }
}

static void write_body(FILE *out, const struct vector *vector)
{
    const cJSON *x = vector_input(vector, "x"), *target = vector_input(vector, "target"),
                *item;
    int rank = cJSON_GetArraySize(member_of(x, "shape"));
    const char *comma = "";

    fprintf(out, "{\"dtype\":\"%s\",\"return\":[", dtype_of(x));
    cJSON_ArrayForEach(item, member_of(vector->json, "outputs"))
    {
        fprintf(out, "%s\"%s\"", comma, vector_member(vector, item->string));
        comma = ",";
    }
    fputc(']', out);
    write_attributes(out, vector);
    if (!is_softmax(vector)) {
        bool is_index = target && strcmp(dtype_of(target), "int64") == 0;
        fprintf(out, ",\"axis\":%d,\"loss\":\"%s\"", rank > 1, loss_of(vector));
        write_tensor(out, is_index ? "labels" : "targets", target);
        write_tensor(out, "class_weights", vector_input(vector, "weight"));
        write_tensor(out, "pos_weight", vector_input(vector, "pos_weight"));
        write_tensor(out, "W", vector_input(vector, "W"));
        write_tensor(out, "b", vector_input(vector, "b"));
    }
    write_tensor(out, is_linear(vector) ? "features" : "logits", x);
    fputc('}', out);
}

struct question vector_question(const struct vector *vector)
{
    char *body = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&body, &length);

    if (out) {
        write_body(out, vector);
        fclose(out);
    }
    return (struct question){
        .method = "POST",
        .target = is_softmax(vector) ? "/v1/softmax" : "/v1/loss",
        .header = {"Content-Type: application/json"},
        .body = body,
        .body_length = length,
    };
}
