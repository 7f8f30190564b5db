/* Proactive negotiation (RFC 9110, 12.5.1): the most specific range that fits a media
 * type says how much it is wanted.  Parameters other than the quality are passed over, for
 * no format here has versions to choose from. */
#include "api/accept.h"

#include <strings.h>

#include "lossd/base/number.h"

static struct span cut(struct span *rest, char separator)
{
    return span_trim(span_cut(rest, separator), " \t");
}

/* 1 where it is not said, or cannot be read. */
static double quality_of(struct span parameters)
{
    while (parameters.len > 0) {
        struct span value = cut(&parameters, ';'), name = cut(&value, '=');
        if (name.len != 1 || (name.at[0] | ' ') != 'q' || value.len == 0 ||
            number_length(value) != value.len)
            continue;
        return number_read_double(value);
    }
    return 1;
}

static bool is_text(struct span a, struct span b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

/* How closely a range fits: the type itself 3, its family 2, anything 1, not at all 0. */
static int closeness(struct span range, struct span type)
{
    const char *slash = memchr(type.at, '/', type.len);
    size_t family = slash ? (size_t)(slash - type.at) + 1 : type.len;

    if (is_text(range, type))
        return 3;
    if (range.len == family + 1 && range.at[family] == '*' &&
        strncasecmp(range.at, type.at, family) == 0)
        return 2;
    return span_is(range, "*/*");
}

static double wish_for(struct span accept, struct span type)
{
    double wish = 0;
    int closest = 0;

    while (accept.len > 0) {
        struct span parameters = cut(&accept, ','), range = cut(&parameters, ';');
        int close = closeness(range, type);
        if (close <= closest)
            continue;
        closest = close;
        wish = quality_of(parameters);
    }
    return wish;
}

size_t accept_best(struct span accept, const char *const *offers, size_t count)
{
    size_t best = count;
    double most = 0;

    if (accept.len == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        double wish = wish_for(accept, span_of(offers[i]));
        if (wish <= most)
            continue;
        most = wish;
        best = i;
    }
    return best;
}
