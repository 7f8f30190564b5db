/* A setting's value, read from text and written as text.
 *
 * Numbers are whole and carry their unit: k (or K), M, G, T are thousands, Ki, Mi, Gi, Ti
 * are 1024s, and a size may end with B.  A duration must have a unit (10 is not
 * clear: seconds or milliseconds?), unless it is 0.  Writing takes the largest unit
 * that divides the value, so what is written reads back as the same. */
#include "option.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KiB (UINT64_C(1) << 10)
#define MiB (UINT64_C(1) << 20)
#define GiB (UINT64_C(1) << 30)
#define TiB (UINT64_C(1) << 40)
#define Mi MiB
#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SEC UINT64_C(1000000000)
#define HOUR (3600 * SEC)

static const char *const log_format_names[] = {"off", "json", "text", "auto", NULL};
static const char *const log_level_names[] = {"debug", "info", "warning", "error", NULL};

_Static_assert(LOG_OFF == 0 && LOG_JSON == 1 && LOG_TEXT == 2 && CONFIG_LOG_AUTO == 3,
               "log_format_names are in the order of their values");
_Static_assert(LOG_DEBUG == 0 && LOG_INFO == 1 && LOG_WARNING == 2 && LOG_ERROR == 3,
               "log_level_names are in the order of their values");

/* The columns mean the same for all types but these: only a STRING and a LIST have a text
 * for its default, only a CHOICE has names. */
#define TEXT_STRING(standard) standard
#define TEXT_LIST(standard) standard
#define TEXT_UINT(standard) NULL
#define TEXT_SIZE(standard) NULL
#define TEXT_DURATION(standard) NULL
#define TEXT_BOOL(standard) NULL
#define TEXT_CHOICE(standard) NULL
#define NUMBER_STRING(standard) 0
#define NUMBER_LIST(standard) 0
#define NUMBER_UINT(standard) standard
#define NUMBER_SIZE(standard) standard
#define NUMBER_DURATION(standard) standard
#define NUMBER_BOOL(standard) standard
#define NUMBER_CHOICE(standard) standard
#define CHOICES_STRING(field) NULL
#define CHOICES_LIST(field) NULL
#define CHOICES_UINT(field) NULL
#define CHOICES_SIZE(field) NULL
#define CHOICES_DURATION(field) NULL
#define CHOICES_BOOL(field) NULL
#define CHOICES_CHOICE(field) field##_names

/* clang-format off */
#define ROW(field, TYPE, default_, lowest_, highest_, help_, is_ceiling_) \
    [CONFIG_OPTION_##field] = {                                           \
        .name = #field,                                                   \
        .type = OPTION_##TYPE,                                            \
        .offset = offsetof(struct config, field),                         \
        .text = TEXT_##TYPE(default_),                                    \
        .standard = NUMBER_##TYPE(default_),                              \
        .lowest = lowest_,                                                \
        .highest = highest_,                                              \
        .choices = CHOICES_##TYPE(field),                                 \
        .help = help_,                                                    \
        .is_ceiling = is_ceiling_,                                        \
    },
#define OPTION(...) ROW(__VA_ARGS__, false)
#define CEILING(...) ROW(__VA_ARGS__, true)
/* clang-format on */

const struct option options[CONFIG_OPTIONS] = {
#include "options.def"
};

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first, because writing takes the first that divides. */
static const struct unit binary_units[] = {
    {"Ti", TiB}, {"Gi", GiB}, {"Mi", MiB}, {"Ki", KiB}, {NULL, 0}};
static const struct unit decimal_units[] = {
    {"T", UINT64_C(1000000000000)}, {"G", UINT64_C(1000000000)}, {"M", UINT64_C(1000000)},
    {"k", UINT64_C(1000)},          {"K", UINT64_C(1000)},       {NULL, 0}};
static const struct unit time_units[] = {{"h", HOUR}, {"m", 60 * SEC}, {"s", SEC},
                                         {"ms", MS},  {"us", US},      {"ns", 1},
                                         {NULL, 0}};

static const struct unit *unit_find(const struct unit *units, struct span name)
{
    for (; units->name; units++)
        if (span_is(name, units->name))
            return units;
    return NULL;
}

static bool factor_read(enum option_type type, struct span unit, uint64_t *factor)
{
    const struct unit *found;

    *factor = 1;
    if (type == OPTION_DURATION) {
        found = unit_find(time_units, unit);
    } else {
        if (type == OPTION_SIZE && unit.len > 0 && unit.at[unit.len - 1] == 'B')
            unit.len--;
        if (unit.len == 0)
            return true;
        found = unit_find(binary_units, unit);
        if (!found)
            found = unit_find(decimal_units, unit);
    }
    if (found)
        *factor = found->factor;
    return found != NULL;
}

/* Digits and a unit: "64MiB", "10s", "8080". */
static bool quantity_read(enum option_type type, struct span text, uint64_t *value)
{
    size_t digits = 0;
    uint64_t number = 0;
    uint64_t factor;

    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9') {
        uint64_t digit = (uint64_t)(text.at[digits] - '0');
        if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, digit, &number))
            return false;
        digits++;
    }
    struct span unit = {text.at + digits, text.len - digits};
    if (digits == 0)
        return false;
    if (unit.len == 0 && number == 0) {
        *value = 0;
        return true;
    }
    return factor_read(type, unit, &factor) &&
           !__builtin_mul_overflow(number, factor, value);
}

static bool bool_read(struct span text, uint64_t *value)
{
    static const char *const names[] = {"off", "on",  "false", "true",
                                        "no",  "yes", "0",     "1"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (span_is(text, names[i])) {
            *value = i % 2;
            return true;
        }
    }
    return false;
}

static bool choice_read(const char *const *choices, struct span text, uint64_t *value)
{
    for (uint64_t i = 0; choices[i]; i++) {
        if (span_is(text, choices[i])) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool string_set(const struct option *option, struct config *config,
                       struct span text)
{
    char *field = (char *)config + option->offset;

    if (text.len < option->lowest || text.len > option->highest)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] >= 127 || text.at[i] == '#')
            return false;
    memcpy(field, text.at, text.len);
    field[text.len] = '\0';
    return true;
}

static void number_set(const struct option *option, struct config *config, uint64_t value)
{
    char *field = (char *)config + option->offset;
    bool on = value != 0;
    unsigned choice = (unsigned)value;

    switch (option->type) {
    case OPTION_BOOL:
        memcpy(field, &on, sizeof on);
        break;
    case OPTION_CHOICE:
        memcpy(field, &choice, sizeof choice);
        break;
    default:
        memcpy(field, &value, sizeof value);
    }
}

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "counts and sizes are 64 bits wide");

bool option_is_text(const struct option *option)
{
    return option->type == OPTION_STRING || option->type == OPTION_LIST;
}

uint64_t option_number(const struct option *option, const struct config *config)
{
    const char *field = (const char *)config + option->offset;
    uint64_t value = 0;
    bool on;
    unsigned choice;

    assert(!option_is_text(option));
    switch (option->type) {
    case OPTION_BOOL:
        memcpy(&on, field, sizeof on);
        return on;
    case OPTION_CHOICE:
        memcpy(&choice, field, sizeof choice);
        return choice;
    default:
        memcpy(&value, field, sizeof value);
        return value;
    }
}

bool option_set(const struct option *option, struct config *config, struct span text)
{
    uint64_t value = 0;
    bool known;

    switch (option->type) {
    case OPTION_STRING:
    case OPTION_LIST:
        return string_set(option, config, text);
    case OPTION_BOOL:
        known = bool_read(text, &value);
        break;
    case OPTION_CHOICE:
        known = choice_read(option->choices, text, &value);
        break;
    default:
        known = quantity_read(option->type, text, &value);
    }
    if (!known || value < option->lowest || value > option->highest)
        return false;
    number_set(option, config, value);
    return true;
}

void options_reset(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < CONFIG_OPTIONS; i++)
        if (option_is_text(&options[i]))
            string_set(&options[i], config, span_of(options[i].text));
        else
            number_set(&options[i], config, options[i].standard);
}

/* Plain numbers stay plain up to a million: a port is 8192, not 8Ki. */
static void quantity_write(enum option_type type, uint64_t value, char *out, size_t size)
{
    const struct unit *unit = type == OPTION_DURATION ? time_units : binary_units;
    const char *suffix = type == OPTION_SIZE ? "B" : "";

    if (value > 0 && (type != OPTION_UINT || value >= MiB)) {
        for (; unit->name; unit++) {
            if (value % unit->factor == 0) {
                snprintf(out, size, "%" PRIu64 "%s%s", value / unit->factor, unit->name,
                         suffix);
                return;
            }
        }
    }
    snprintf(out, size, "%" PRIu64, value);
}

static void number_text(const struct option *option, uint64_t value,
                        char out[OPTION_TEXT_SIZE])
{
    switch (option->type) {
    case OPTION_BOOL:
        snprintf(out, OPTION_TEXT_SIZE, "%s", value ? "on" : "off");
        break;
    case OPTION_CHOICE:
        snprintf(out, OPTION_TEXT_SIZE, "%s", option->choices[value]);
        break;
    default:
        quantity_write(option->type, value, out, OPTION_TEXT_SIZE);
    }
}

void option_text(const struct option *option, const struct config *config,
                 char out[OPTION_TEXT_SIZE])
{
    if (option_is_text(option))
        snprintf(out, OPTION_TEXT_SIZE, "%s", (const char *)config + option->offset);
    else
        number_text(option, option_number(option, config), out);
}

static void choices_write(const char *const *choices, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; choices[i]; i++) {
        const char *joint = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        int wrote = snprintf(out + len, size - len, "%s%s", joint, choices[i]);
        len += (size_t)wrote;
        assert(len < size);
    }
}

void option_wanted(const struct option *option, char out[OPTION_TEXT_SIZE])
{
    static const char *const kinds[] = {[OPTION_UINT] = "a whole number",
                                        [OPTION_SIZE] = "a size such as 64MiB",
                                        [OPTION_DURATION] = "a duration such as 500ms"};
    char lowest[OPTION_TEXT_SIZE];
    char highest[OPTION_TEXT_SIZE];

    switch (option->type) {
    case OPTION_BOOL:
        snprintf(out, OPTION_TEXT_SIZE, "on or off");
        break;
    case OPTION_CHOICE:
        choices_write(option->choices, out, OPTION_TEXT_SIZE);
        break;
    case OPTION_LIST:
        snprintf(out, OPTION_TEXT_SIZE,
                 "up to 16 addresses with commas between, %" PRIu64
                 " characters in all, without spaces and #",
                 option->highest);
        break;
    case OPTION_STRING:
        snprintf(out, OPTION_TEXT_SIZE,
                 "%" PRIu64 " to %" PRIu64 " printable characters without spaces and #",
                 option->lowest, option->highest);
        break;
    default:
        number_text(option, option->lowest, lowest);
        number_text(option, option->highest, highest);
        snprintf(out, OPTION_TEXT_SIZE, "%s from %.40s to %.40s", kinds[option->type],
                 lowest, highest);
    }
}

const char *option_placeholder(const struct option *option)
{
    static const char *const names[] = {
        [OPTION_STRING] = "TEXT", [OPTION_LIST] = "TEXT",     [OPTION_UINT] = "N",
        [OPTION_SIZE] = "SIZE",   [OPTION_DURATION] = "TIME", [OPTION_BOOL] = "on|off",
        [OPTION_CHOICE] = "NAME"};

    return names[option->type];
}

void option_key(const struct option *option, char out[OPTION_NAME_SIZE])
{
    size_t len = strlen(option->name);

    assert(len < OPTION_NAME_SIZE);
    memcpy(out, option->name, len + 1);
    for (char *c = out; *c; c++)
        if (*c == '_')
            *c = '-';
}

void option_variable(const struct option *option, char out[OPTION_NAME_SIZE])
{
    int len = snprintf(out, OPTION_NAME_SIZE, "LOSSD_%s", option->name);

    assert(len < OPTION_NAME_SIZE);
    (void)len;
    for (char *c = out; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
}
