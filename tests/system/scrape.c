/* The families of lossd have no time stamps, no exemplars and no summaries, so these
 * are errors here. */
#include "scrape.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"

enum { NAME_SIZE = 128, FAMILIES_MAX = 256, PATIENCE_MS = 30000, STEP_MS = 5 };

/* The family whose lines are being read. */
struct family {
    char name[NAME_SIZE];
    char type[16];
    bool has_type, has_samples;
};

/* The histogram series whose buckets are being read. */
struct tower {
    char labels[300]; /* of the series, without le */
    double bound, within;
    bool open, has_sum;
};

struct reading {
    struct scrape *out;
    bool openmetrics, ended;
    char seen[FAMILIES_MAX][NAME_SIZE];
    size_t families;
    struct family family;
    struct tower tower;
    char *why;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct reading *reading,
                                                        const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reading->why, WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static size_t name_length(const char *at)
{
    size_t len = 0;

    while (isalnum((unsigned char)at[len]) || at[len] == '_')
        len++;
    return isdigit((unsigned char)at[0]) ? 0 : len;
}

/* ---- the lines that begin with # ---------------------------------------------------- */

static bool end_tower(struct reading *reading)
{
    if (reading->tower.open)
        return wrong(reading, "%s{%s} has no count", reading->family.name,
                     reading->tower.labels);
    return true;
}

static bool begin_family(struct reading *reading, const char *name)
{
    if (!end_tower(reading))
        return false;
    for (size_t i = 0; i < reading->families; i++)
        if (strcmp(reading->seen[i], name) == 0)
            return wrong(reading, "family %s is there twice", name);
    if (reading->families == FAMILIES_MAX)
        return wrong(reading, "there are too many families");
    strcpy(reading->seen[reading->families++], name);
    reading->family = (struct family){0};
    strcpy(reading->family.name, name);
    return true;
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static bool take_type(struct reading *reading, const char *type)
{
    static const char *const known[] = {"counter", "gauge", "histogram", "info"};
    struct family *family = &reading->family;
    bool total = ends_in(family->name, "_total");

    if (family->has_type || family->has_samples)
        return wrong(reading, "the TYPE of %s comes late", family->name);
    for (size_t i = 0; i < 3 + (size_t)reading->openmetrics; i++)
        if (strcmp(type, known[i]) == 0) {
            strcpy(family->type, type);
            family->has_type = true;
            if (total != (i == 0 && !reading->openmetrics))
                return wrong(reading, "%s is a bad name for a %s", family->name, type);
            return true;
        }
    return wrong(reading, "%s is no type", type);
}

static bool take_comment(struct reading *reading, const char *line)
{
    char word[8], name[NAME_SIZE];
    int at = 0;

    if (strcmp(line, "# EOF") == 0 && reading->openmetrics)
        return reading->ended = end_tower(reading);
    if (sscanf(line, "# %7[A-Z] %127[a-zA-Z0-9_] %n", word, name, &at) != 2 || at == 0 ||
        !line[at] || line[at - 1] != ' ' || name_length(name) != strlen(name))
        return wrong(reading, "what is `%s`?", line);
    if (strcmp(word, "HELP") == 0)
        return begin_family(reading, name) &&
               (!strpbrk(line, "\\\"") || wrong(reading, "what is `%s`?", line));
    if (strcmp(name, reading->family.name) != 0)
        return wrong(reading, "%s of %s among those of %s", word, name,
                     reading->family.name);
    if (strcmp(word, "TYPE") == 0)
        return take_type(reading, line + at);
    if (strcmp(word, "UNIT") == 0 && reading->openmetrics)
        return ends_in(name, line + at) ||
               wrong(reading, "%s is not named for its unit", name);
    return wrong(reading, "what is %s?", word);
}

/* ---- samples -------------------------------------------------------------------------- */

/* The length of `name="value"`, 0 when it is not one. */
static size_t label_length(const char *at)
{
    size_t len = name_length(at);

    if (len == 0 || strncmp(at + len, "=\"", 2) != 0)
        return 0;
    for (len += 2; at[len] && at[len] != '"'; len++)
        if (at[len] == '\\' && !strchr("\\\"n", at[++len]))
            return 0;
    return at[len] == '"' ? len + 1 : 0;
}

/* Reads `{a="b",le="c"}`, copies all but le, and finds the text of le.  The length, 0
 * when it is not of that form. */
static size_t labels_length(const char *at, char others[300], char le[32])
{
    size_t len = 1;

    others[0] = le[0] = '\0';
    if (*at != '{')
        return 0;
    do {
        size_t label = label_length(at + len);
        if (label == 0 || strlen(others) + label + 2 > 300)
            return 0;
        if (strncmp(at + len, "le=\"", 4) == 0)
            snprintf(le, 32, "%.*s", (int)label - 5, at + len + 4);
        else
            sprintf(others + strlen(others), "%s%.*s", *others ? "," : "", (int)label,
                    at + len);
        len += label;
    } while (at[len++] == ',');
    return at[len - 1] == '}' ? len : 0;
}

static bool read_value(const char *text, double *value)
{
    char *end;

    if (!isdigit((unsigned char)*text)) /* nothing here is negative, nothing infinite */
        return false;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value) &&
           strspn(text, "0123456789.") == strlen(text);
}

static bool add_bucket(struct reading *reading, const char *labels, const char *le,
                       double value)
{
    struct tower *tower = &reading->tower;
    double bound = strcmp(le, "+Inf") == 0 ? INFINITY : strtod(le, NULL);

    if (!*le)
        return wrong(reading, "a bucket without le");
    if (!tower->open) {
        *tower = (struct tower){.open = true, .bound = -1};
        strcpy(tower->labels, labels);
    }
    if (strcmp(tower->labels, labels) != 0 || tower->has_sum)
        return wrong(reading, "a bucket of {%s} among those of {%s}", labels,
                     tower->labels);
    if (!(bound > tower->bound) || value < tower->within)
        return wrong(reading, "buckets of {%s} fall at %s", labels, le);
    tower->bound = bound;
    tower->within = value;
    return true;
}

static bool add_to_tower(struct reading *reading, const char *suffix, const char *labels,
                         const char *le, double value)
{
    struct tower *tower = &reading->tower;

    if (strcmp(suffix, "_bucket") == 0)
        return add_bucket(reading, labels, le, value);
    if (*le || !tower->open || strcmp(tower->labels, labels) != 0 ||
        tower->bound != INFINITY)
        return wrong(reading, "%s of {%s} without its buckets", suffix, labels);
    if (strcmp(suffix, "_sum") == 0 && !tower->has_sum)
        return tower->has_sum = true;
    if (strcmp(suffix, "_count") != 0 || !tower->has_sum)
        return wrong(reading, "%s of {%s} has no place there", suffix, labels);
    tower->open = false;
    return value == tower->within ||
           wrong(reading, "the count of {%s} is not its last bucket", labels);
}

static bool fits_family(struct reading *reading, const char *suffix, const char *labels,
                        const char *le, double value)
{
    const char *type = reading->family.type;

    if (strcmp(type, "histogram") == 0)
        return add_to_tower(reading, suffix, labels, le, value);
    const char *wanted = !reading->openmetrics          ? ""
                         : strcmp(type, "counter") == 0 ? "_total"
                         : strcmp(type, "info") == 0    ? "_info"
                                                        : "";
    if (strcmp(suffix, wanted) != 0 || *le)
        return wrong(reading, "a sample of %s with %s", reading->family.name, suffix);
    return strcmp(type, "info") != 0 || value == 1 || wrong(reading, "info is not 1");
}

static bool add_sample(struct reading *reading, const char *series, size_t len,
                       double value)
{
    struct scrape *out = reading->out;

    for (size_t i = 0; i < out->count; i++)
        if (strlen(out->samples[i].series) == len &&
            strncmp(out->samples[i].series, series, len) == 0)
            return wrong(reading, "%.*s is there twice", (int)len, series);
    struct sample *more = realloc(out->samples, (out->count + 1) * sizeof *out->samples);
    if (!more)
        return wrong(reading, "no memory");
    out->samples = more;
    out->samples[out->count++] = (struct sample){strndup(series, len), value};
    return true;
}

static bool take_sample(struct reading *reading, const char *line)
{
    char others[300] = "", le[32] = "", suffix[32];
    const char *family = reading->family.name;
    size_t name = name_length(line), len = name, family_len = strlen(family);
    double value;

    if (line[len] == '{') {
        size_t labels = labels_length(line + len, others, le);
        if (labels == 0)
            return wrong(reading, "bad labels in `%s`", line);
        len += labels;
    }
    if (name == 0 || line[len] != ' ' || !read_value(line + len + 1, &value))
        return wrong(reading, "what is `%s`?", line);
    if (!reading->family.has_type || strncmp(line, family, family_len) != 0 ||
        name < family_len || name - family_len >= sizeof suffix)
        return wrong(reading, "`%s` is not of %s", line, family);
    snprintf(suffix, sizeof suffix, "%.*s", (int)(name - family_len), line + family_len);
    reading->family.has_samples = true;
    return fits_family(reading, suffix, others, le, value) &&
           add_sample(reading, line, len, value);
}

/* ---- the whole ------------------------------------------------------------------------- */

static bool take_line(struct reading *reading, const char *line)
{
    for (const char *at = line; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            return wrong(reading, "a control byte in `%s`", line);
    if (reading->ended)
        return wrong(reading, "`%s` after the end", line);
    return *line == '#' ? take_comment(reading, line) : take_sample(reading, line);
}

bool scrape_read(struct scrape *scrape, const char *text, bool openmetrics,
                 char why[WHY_SIZE])
{
    struct reading *reading = calloc(1, sizeof *reading);
    char *copy = strdup(text), *rest = copy;
    bool good = reading && copy;

    *scrape = (struct scrape){0};
    why[0] = '\0';
    if (good) {
        reading->out = scrape;
        reading->openmetrics = openmetrics;
        reading->why = why;
        for (char *line; good && (line = strsep(&rest, "\n")) && rest;)
            good = take_line(reading, line);
        size_t len = strlen(text);
        if (good && (len == 0 || text[len - 1] != '\n'))
            good = wrong(reading, "the last line does not end");
        if (good && openmetrics && !reading->ended)
            good = wrong(reading, "the end is missing");
        good = good && end_tower(reading);
    }
    free(copy);
    free(reading);
    return good;
}

void scrape_release(struct scrape *scrape)
{
    for (size_t i = 0; i < scrape->count; i++)
        free(scrape->samples[i].series);
    free(scrape->samples);
    *scrape = (struct scrape){0};
}

double scrape_value(const struct scrape *scrape, const char *series)
{
    for (size_t i = 0; i < scrape->count; i++)
        if (strcmp(scrape->samples[i].series, series) == 0)
            return scrape->samples[i].value;
    return NAN;
}

double scrape_sum(const struct scrape *scrape, const char *start)
{
    double sum = 0;

    for (size_t i = 0; i < scrape->count; i++)
        if (strncmp(scrape->samples[i].series, start, strlen(start)) == 0)
            sum += scrape->samples[i].value;
    return sum;
}

bool scrape_service(struct scrape *scrape, unsigned port, bool openmetrics,
                    char why[WHY_SIZE])
{
    static const char *const types[] = {
        "text/plain; version=0.0.4; charset=utf-8",
        "application/openmetrics-text; version=1.0.0; charset=utf-8"};
    struct question question = {
        .method = "GET",
        .target = "/metrics",
        .header = {openmetrics ? "Accept: application/openmetrics-text;version=1.0.0,"
                                 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
                               : "Accept: */*"}};
    struct client *client = client_new(port);
    struct answer answer = {0};
    char type[300] = "";

    *scrape = (struct scrape){0};
    bool good = client && client_ask(client, &question, &answer, why);
    if (good) {
        answer_header(&answer, "Content-Type", type);
        good = answer.status == 200 && strcmp(type, types[openmetrics]) == 0;
        if (!good)
            snprintf(why, WHY_SIZE, "answered %u, %s", answer.status, type);
    }
    good = good && scrape_read(scrape, answer.body, openmetrics, why);
    answer_release(&answer);
    client_free(client);
    return good;
}

bool scrape_comes_to(struct scrape *scrape, unsigned port, const char *series,
                     double value, char why[WHY_SIZE])
{
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        if (!scrape_service(scrape, port, false, why))
            return false;
        if (scrape_value(scrape, series) == value)
            return true;
        snprintf(why, WHY_SIZE, "%s is %g, not %g", series, scrape_value(scrape, series),
                 value);
        scrape_release(scrape);
        nanosleep(&(struct timespec){0, STEP_MS * 1000000}, NULL);
    }
    return false;
}
