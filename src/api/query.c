#include "api/query.h"

#include <stdio.h>

#include "lossd/base/excerpt.h"
#include "lossd/base/number.h"
#include "lossd/base/utf8.h"
#include "lossd/engine/option_text.h"
#include "lossd/engine/place.h"

struct span query_path(struct span target)
{
    const char *mark = target.len ? memchr(target.at, '?', target.len) : NULL;

    return mark ? (struct span){target.at, (size_t)(mark - target.at)} : target;
}

/* Percent-decoding; NULL text when there is no memory, an escape is broken, or what
 * comes out is no text. */
static struct span decode(struct span text, struct arena *mem, struct err *err)
{
    char *out = arena_alloc(mem, text.len + 1, 1, err);
    size_t len = 0;

    for (size_t i = 0; out && i < text.len; i++) {
        if (text.at[i] != '%') {
            out[len++] = text.at[i] == '+' ? ' ' : text.at[i];
            continue;
        }
        int high = i + 2 < text.len ? number_hex_digit(text.at[i + 1]) : -1;
        int low = i + 2 < text.len ? number_hex_digit(text.at[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            struct span wrong = {text.at + i, text.len - i};
            wrong.len = utf8_fit(wrong, 3);
            fail(err, ERR_BAD_HEADER, NULL,
                 "the address has \"%s\"; %% and two hexadecimal digits, not 00, are "
                 "wanted",
                 excerpt_of(wrong).text);
            return (struct span){NULL, 0};
        }
        out[len++] = (char)(high << 4 | low);
        i += 2;
    }
    if (out && !utf8_is_text((struct span){out, len})) {
        fail(err, ERR_BAD_HEADER, NULL, "the address has \"%s\", which is not UTF-8",
             excerpt_of(text).text);
        out = NULL;
    }
    return (struct span){out, out ? len : 0};
}

static void set_member(struct batch *batch, struct span name, struct span text,
                       struct arena *mem, struct err *err)
{
    enum member member;
    char pointer[PLACE_SIZE];

    if (!batch_begin(batch, name, true, mem, &member, err))
        return;
    if (!member_is_array(member)) {
        option_set_text(batch, member, text, mem, err);
        return;
    }
    snprintf(pointer, sizeof pointer, "/%s", member_infos[member].name);
    fail(err, ERR_UNKNOWN_MEMBER, pointer,
         "%s is an array and cannot be given in the address; it goes into the body",
         member_infos[member].name);
}

static void set_pretty(struct span text, bool *pretty, struct err *err)
{
    if (text.len == 0 || span_is(text, "true") || span_is(text, "1"))
        *pretty = true;
    else if (!span_is(text, "false") && !span_is(text, "0"))
        fail(err, ERR_INVALID_OPTION, "/pretty", "pretty is %s; true or false is wanted",
             excerpt_of(text).text);
}

bool timeout_read(const char *name, struct span text, enum err_kind kind,
                  const char *pointer, int64_t *timeout_ns, struct err *err)
{
    const double least = 0.001, most = 3600;
    bool is_number = text.len > 0 && number_length(text) == text.len;
    double seconds = is_number ? number_read_double(text) : 0;

    if (seconds < least || seconds > most)
        return fail(err, kind, pointer, "%s is %s; seconds from 0.001 to 3600 are wanted",
                    name, excerpt_of(text).text);
    *timeout_ns = (int64_t)(seconds * 1e9);
    return true;
}

/* What is no member of the batch, which sees to its own. */
static bool is_first(bool *given, const char *pointer, struct err *err)
{
    if (*given)
        return fail(err, ERR_DUPLICATE_MEMBER, pointer,
                    "%s is given twice in the address", pointer + 1);
    return *given = true;
}

void query_read(struct span target, struct batch *batch, struct wishes *wishes,
                struct arena *mem, struct err *err)
{
    static const char *const own_names[] = {"pretty", "timeout", NULL};
    struct span rest = target;
    bool has_pretty = false, has_timeout = false;

    if (batch)
        batch->address_names = own_names;
    span_cut(&rest, '?');
    while (rest.len > 0) {
        struct span text = span_cut(&rest, '&');
        struct span name = span_cut(&text, '=');
        if (name.len == 0 && text.len == 0)
            continue;
        name = decode(name, mem, err);
        text = decode(text, mem, err);
        if (!name.at || !text.at)
            return;
        if (span_is(name, "pretty")) {
            if (is_first(&has_pretty, "/pretty", err))
                set_pretty(text, &wishes->pretty, err);
        } else if (span_is(name, "timeout")) {
            if (is_first(&has_timeout, "/timeout", err))
                timeout_read("timeout", text, ERR_INVALID_OPTION, "/timeout",
                             &wishes->timeout_ns, err);
        } else if (batch) {
            set_member(batch, name, text, mem, err);
        }
    }
}
