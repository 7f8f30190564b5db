#include "codec/json/json_metrics.h"

static void open_member(struct reply *reply, enum output output)
{
    json_key(reply_json(reply), output_names[output]);
    json_open(reply_json(reply), '{');
}

void json_add_metrics(struct reply *reply, const struct metrics *metrics)
{
    struct json *json = reply_json(reply);

    open_member(reply, OUTPUT_METRICS);
#define METRIC(name)       \
    json_key(json, #name); \
    json_number(json, metrics->name);
    METRICS(METRIC)
#undef METRIC
    json_close(json, '}');
}

static void add_column(struct reply *reply, const char *name, enum reply_numbers numbers,
                       const void *data, size_t count)
{
    json_key(reply_json(reply), name);
    reply_array(reply, numbers, data, &(struct shape){1, {count}});
}

void json_add_per_class(struct reply *reply, const struct per_class *table,
                        size_t classes)
{
    open_member(reply, OUTPUT_PER_CLASS);
    add_column(reply, "support", REPLY_INTEGERS, table->support, classes);
    add_column(reply, "predicted", REPLY_INTEGERS, table->predicted, classes);
    add_column(reply, "precision", REPLY_DOUBLES, table->precision, classes);
    add_column(reply, "recall", REPLY_DOUBLES, table->recall, classes);
    add_column(reply, "f1", REPLY_DOUBLES, table->f1, classes);
    json_close(reply_json(reply), '}');
}

void json_add_calibration(struct reply *reply, const struct calibration *table)
{
    open_member(reply, OUTPUT_CALIBRATION);
    add_column(reply, "edges", REPLY_DOUBLES, table->edges, table->bins + 1);
    add_column(reply, "count", REPLY_INTEGERS, table->count, table->bins);
    add_column(reply, "accuracy", REPLY_DOUBLES, table->accuracy, table->bins);
    add_column(reply, "confidence", REPLY_DOUBLES, table->confidence, table->bins);
    json_close(reply_json(reply), '}');
}
