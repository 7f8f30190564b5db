#include "lossd/base/accept.h"

static const char blanks[] = " \t";

/* Cuts what is before the next separator off `rest`; one in quotes is none. */
static struct span cut(struct span *rest, char separator)
{
    bool quoted = false;
    size_t len = 0;

    for (; len < rest->len && (quoted || rest->at[len] != separator); len++) {
        quoted ^= rest->at[len] == '"';
        if (quoted && rest->at[len] == '\\' && len + 1 < rest->len)
            len++;
    }
    struct span part = {rest->at, len};
    size_t skipped = len < rest->len ? len + 1 : len;
    *rest = (struct span){rest->at + skipped, rest->len - skipped};
    return span_trim(part, blanks);
}

/* "0.25" is 250. */
static unsigned thousandths(struct span weight)
{
    const unsigned whole = 1000;
    unsigned value = 0, unit = 100;

    if (weight.len == 0 || weight.at[0] != '0' || (weight.len > 1 && weight.at[1] != '.'))
        return whole;
    for (size_t i = 2; i < weight.len; i++, unit /= 10) {
        if (weight.at[i] < '0' || weight.at[i] > '9')
            return whole;
        value += (unsigned)(weight.at[i] - '0') * unit;
    }
    return value;
}

/* What the parameters of a range say of its weight. */
static unsigned quality_of(struct span parameters)
{
    while (parameters.len > 0) {
        struct span value = cut(&parameters, ';');
        struct span name = cut(&value, '=');
        if (span_is_caseless(name, "q"))
            return thousandths(value);
    }
    return 1000;
}

static enum accept_range range_of(struct span range, const char *type)
{
    struct span rest = span_of(type), family = cut(&rest, '/');

    if (span_is(range, "*/*"))
        return ACCEPT_ANY;
    if (span_is_caseless(range, type))
        return ACCEPT_NAMED;
    if (range.len == family.len + 2 && memcmp(range.at + family.len, "/*", 2) == 0 &&
        strncasecmp(range.at, family.at, family.len) == 0)
        return ACCEPT_FAMILY;
    return ACCEPT_NOTHING;
}

struct acceptance accept_find(struct span accept, const char *media_type)
{
    struct acceptance found = {ACCEPT_NOTHING, 0};
    bool has_ranges = false;

    while (accept.len > 0) {
        struct span parameters = cut(&accept, ',');
        struct span name = cut(&parameters, ';');
        if (name.len == 0)
            continue;
        has_ranges = true;
        struct acceptance here = {range_of(name, media_type), quality_of(parameters)};
        /* the most precise range has the say, the same one twice what is better of it */
        if (here.range > found.range ||
            (here.range == found.range && here.range != ACCEPT_NOTHING &&
             here.quality > found.quality))
            found = here;
    }
    return has_ranges ? found : (struct acceptance){ACCEPT_NOTHING, 1000};
}
