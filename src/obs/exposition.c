/* Two formats that differ in little: a family is named with its suffix in the one
 * (TYPE x_total counter) and without it in the other (TYPE x counter), which also
 * says the unit and where the text ends.
 *
 * Series of one label are all written, so that the first error is a rise from 0 and
 * not a beginning.  Those of several labels, whose combinations mostly never
 * happen, and histograms are written once they have counted something. */
#include "lossd/obs/exposition.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lossd/base/accept.h"
#include "lossd/base/number.h"
#include "lossd/obs/meter.h"

static const char openmetrics[] = "application/openmetrics-text";

struct kind {
    const char *name[2]; /* by enum exposition */
    const char *suffix;  /* of its samples */
};

static const struct kind kinds[] = {
    [KIND_COUNTER] = {{"counter", "counter"}, "_total"},
    [KIND_GAUGE] = {{"gauge", "gauge"}, ""},
    [KIND_HISTOGRAM] = {{"histogram", "histogram"}, ""},
    [KIND_INFO] = {{"gauge", "info"}, "_info"},
};

/* Who names the one only has no use for the other, which ranges are welcome as a last
 * resort. */
enum exposition exposition_for(struct span accept)
{
    struct acceptance found = accept_find(accept, openmetrics);
    struct acceptance plain = accept_find(accept, "text/plain");
    bool is_named = found.range == ACCEPT_NAMED && found.quality > 0;
    bool is_second = plain.range == ACCEPT_NAMED && plain.quality > found.quality;

    return is_named && !is_second ? EXPOSITION_OPENMETRICS : EXPOSITION_PROMETHEUS;
}

const char *exposition_media_type(enum exposition format)
{
    return format == EXPOSITION_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

static void texts(struct buf *out, const char *a, const char *b, const char *c)
{
    buf_text(out, a);
    buf_text(out, b);
    buf_text(out, c);
}

static void head(enum metric metric, enum exposition format, struct buf *out)
{
    const struct metric_info *info = &metric_infos[metric];
    const struct kind *kind = &kinds[info->kind];
    const char *suffix = format == EXPOSITION_PROMETHEUS ? kind->suffix : "";

    texts(out, "# HELP ", info->name, suffix);
    texts(out, " ", info->help, "\n");
    texts(out, "# TYPE ", info->name, suffix);
    texts(out, " ", kind->name[format], "\n");
    if (format == EXPOSITION_OPENMETRICS && *info->unit) {
        texts(out, "# UNIT ", info->name, " ");
        texts(out, info->unit, "\n", "");
    }
}

static void escaped(struct buf *out, const char *value)
{
    for (; *value; value++)
        if (*value == '\n')
            buf_text(out, "\\n");
        else if (*value == '\\' || *value == '"')
            buf_add(out, (struct span){(char[]){'\\', *value}, 2});
        else
            buf_char(out, *value);
}

/* "{route="/v1/loss"", without the end; "" when the metric has no labels. */
static void labels(const struct meter *meter, enum metric metric, size_t series,
                   struct buf *out)
{
    char before = '{';

    for (enum metric_label l = 0; l < METRIC_LABELS; l++) {
        if (!(metric_infos[metric].labels >> l & 1))
            continue;
        buf_char(out, before);
        texts(out, metric_label_names[l], "=\"", "");
        escaped(out, meter_label(meter, metric, series, l));
        buf_char(out, '"');
        before = ',';
    }
}

static void number(uint64_t value, struct buf *out)
{
    char digits[NUMBER_TEXT_MAX];

    buf_add(out, (struct span){digits, number_write_uint64(digits, value)});
}

/* Exact, without zeros at the end. */
static void seconds(uint64_t ns, struct buf *out)
{
    char digits[11];
    size_t len = 10;

    number(ns / 1000000000, out);
    if (ns % 1000000000 == 0)
        return;
    snprintf(digits, sizeof digits, ".%09" PRIu64, ns % 1000000000);
    while (digits[len - 1] == '0')
        len--;
    buf_add(out, (struct span){digits, len});
}

/* A whole line.  `suffix` may be "". */
static void sample(const struct meter *meter, enum metric metric, size_t series,
                   const char *suffix, uint64_t value, struct buf *out)
{
    const struct metric_info *info = &metric_infos[metric];
    bool in_seconds = strcmp(info->unit, "seconds") == 0 && strcmp(suffix, "_count") != 0;

    texts(out, info->name, suffix, "");
    labels(meter, metric, series, out);
    texts(out, info->labels ? "}" : "", " ", "");
    if (in_seconds)
        seconds(value, out);
    else
        number(value, out);
    buf_char(out, '\n');
}

static void histogram(const struct meter *meter, enum metric metric, size_t series,
                      struct buf *out)
{
    uint64_t counted = 0, sum = meter_read(meter, metric, series, CELL_SUM);
    uint64_t within[BUCKETS];

    for (size_t b = 0; b < BUCKETS; b++)
        within[b] = counted += meter_read(meter, metric, series, b);
    if (counted == 0)
        return;
    for (size_t b = 0; b < BUCKETS; b++) {
        texts(out, metric_infos[metric].name, "_bucket", "");
        labels(meter, metric, series, out);
        texts(out, metric_infos[metric].labels ? "," : "{", "le=\"", buckets[b].most);
        buf_text(out, "\"} ");
        number(within[b], out);
        buf_char(out, '\n');
    }
    sample(meter, metric, series, "_sum", sum, out);
    sample(meter, metric, series, "_count", counted, out);
}

static void plain(const struct meter *meter, enum metric metric, size_t series,
                  struct buf *out)
{
    const struct metric_info *info = &metric_infos[metric];
    bool of_several = (info->labels & (info->labels - 1)) != 0;
    uint64_t value = info->kind == KIND_INFO ? 1 : meter_read(meter, metric, series, 0);

    if (value > 0 || !of_several)
        sample(meter, metric, series, kinds[info->kind].suffix, value, out);
}

void exposition_write(struct meter *meter, enum exposition format, struct buf *out)
{
    if (meter)
        meter_gauge(meter);
    for (enum metric m = 0; meter && m < METRIC_COUNT; m++) {
        head(m, format, out);
        for (size_t series = 0; series < meter_width(meter, m); series++)
            if (metric_infos[m].kind == KIND_HISTOGRAM)
                histogram(meter, m, series, out);
            else
                plain(meter, m, series, out);
    }
    if (format == EXPOSITION_OPENMETRICS)
        buf_text(out, "# EOF\n");
}
