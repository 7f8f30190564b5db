/* Any address into the query parser.
 *
 * The address is decoded here once more, and what it asks for is written as a JSON
 * body: that must set the same members to the same values, or be refused for the same
 * reason.  Both together must agree with each other.  Without a batch the same address
 * must express the same wishes. */
#include <string.h>

#include "api/query.h"
#include "lossd/base/number.h"
#include "lossd/base/utf8.h"
#include "lossd/codec/codec.h"
#include "target.h"

enum { TEXT_MAX = 4096, BODY_MAX = 16 * TEXT_MAX };

static const struct limits limits = {.max_elements = 4096,
                                     .max_classes = 1024,
                                     .max_confusion = 64,
                                     .max_depth = 20,
                                     .max_text = BODY_MAX};

struct reading {
    struct arena mem;
    struct batch batch;
    struct wishes wishes;
    struct err err;
};

/* What the address says, as it is read here. */
struct saying {
    bool broken;    /* an escape is none, or the text is not UTF-8 */
    bool has_array; /* for the body only */
    bool bad_wish;
    bool has_pretty, has_timeout, wish_twice;
    struct wishes wishes;
    char body[BODY_MAX];
    size_t len;
};

/* --- the address once more --- */

static bool is_hex(char c)
{
    return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

/* Undoes escapes; false: one is broken, or what comes out is not UTF-8. */
static bool decode(struct span text, char *out, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i] == '+' ? ' ' : text.at[i];
        if (text.at[i] == '%') {
            if (i + 2 >= text.len || !is_hex(text.at[i + 1]) || !is_hex(text.at[i + 2]))
                return false;
            char digits[] = {text.at[i + 1], text.at[i + 2], '\0'};
            c = (char)strtoul(digits, NULL, 16);
            if (c == '\0')
                return false;
            i += 2;
        }
        out[(*len)++] = c;
    }
    for (size_t at = 0, step; at < *len; at += step)
        if ((step = utf8_length((struct span){out + at, *len - at})) == 0)
            return false;
    return true;
}

static void say(struct saying *saying, const char *text)
{
    size_t len = strlen(text);

    require(saying->len + len < sizeof saying->body, "the body is large enough");
    memcpy(saying->body + saying->len, text, len + 1);
    saying->len += len;
}

static void say_string(struct saying *saying, struct span text)
{
    char escape[8];

    say(saying, "\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = c >= 0x20 && c != '"' && c != '\\';
        snprintf(escape, sizeof escape, plain ? "%c" : "\\u%04x", c);
        say(saying, escape);
    }
    say(saying, "\"");
}

/* As many as commas, and one more; but nothing is no name at all. */
static void say_names(struct saying *saying, struct span text)
{
    bool more = text.len > 0;

    say(saying, "[");
    while (more) {
        const char *comma = text.len ? memchr(text.at, ',', text.len) : NULL;
        size_t len = comma ? (size_t)(comma - text.at) : text.len;
        say_string(saying, (struct span){text.at, len});
        more = comma != NULL;
        if (more)
            text = (struct span){comma + 1, text.len - len - 1};
        say(saying, more ? "," : "");
    }
    say(saying, "]");
}

static const struct member_info *info_of(const struct task *task, struct span name)
{
    for (enum member m = 0; m < MEMBERS; m++)
        if (task->members >> m & 1 && span_is(name, member_infos[m].name))
            return &member_infos[m];
    return NULL;
}

static void say_member(struct saying *saying, const struct task *task, struct span name,
                       struct span text)
{
    const struct member_info *info = info_of(task, name);
    enum member_type type = info ? info->type : MEMBER_TEXT;
    char number[TEXT_MAX + 1];

    saying->has_array |= type == MEMBER_ARRAY || type == MEMBER_LABELS;
    say(saying, saying->len > 1 ? "," : "");
    say_string(saying, name);
    say(saying, ":");
    if (type == MEMBER_NAMES) {
        say_names(saying, text);
    } else if ((type == MEMBER_NUMBER || type == MEMBER_INTEGER) && text.len > 0 &&
               number_length(text) == text.len) {
        snprintf(number, sizeof number, "%.*s", (int)text.len, text.at);
        say(saying, number);
    } else {
        say_string(saying, text);
    }
}

static void say_timeout(struct saying *saying, struct span text)
{
    char copy[TEXT_MAX + 1];

    snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.at);
    double seconds = strtod(copy, NULL);
    if (text.len == 0 || number_length(text) != text.len || seconds < 0.001 ||
        seconds > 3600)
        saying->bad_wish = true;
    else
        saying->wishes.timeout_ns = (int64_t)(seconds * 1e9);
}

static void say_pretty(struct saying *saying, struct span text)
{
    bool yes = text.len == 0 || span_is(text, "1") || span_is(text, "true");

    saying->wishes.pretty |= yes;
    saying->bad_wish |= !yes && !span_is(text, "0") && !span_is(text, "false");
}

/* Of a wish that is there twice the first counts. */
static void say_wish(struct saying *saying, bool *said,
                     void (*say_it)(struct saying *, struct span), struct span text)
{
    if (*said)
        saying->wish_twice = true;
    else
        say_it(saying, text);
    *said = true;
}

static void say_pair(struct saying *saying, const struct task *task, struct span name,
                     struct span text)
{
    if (span_is(name, "pretty"))
        say_wish(saying, &saying->has_pretty, say_pretty, text);
    else if (span_is(name, "timeout"))
        say_wish(saying, &saying->has_timeout, say_timeout, text);
    else
        say_member(saying, task, name, text);
}

static void say_all(struct saying *saying, const struct task *task, struct span target)
{
    static char name[TEXT_MAX], text[TEXT_MAX];
    const char *mark = memchr(target.at, '?', target.len);
    const char *at = mark ? mark + 1 : NULL, *end = target.at + target.len;

    *saying = (struct saying){.broken = false};
    say(saying, "{");
    while (at && at < end && !saying->broken) {
        const char *to = memchr(at, '&', (size_t)(end - at));
        to = to ? to : end;
        const char *sign = memchr(at, '=', (size_t)(to - at));
        struct span key = {at, (size_t)((sign ? sign : to) - at)};
        struct span value = {sign ? sign + 1 : to, sign ? (size_t)(to - sign - 1) : 0};
        size_t key_len, value_len;
        at = to + 1;
        if (key.len == 0 && value.len == 0)
            continue;
        saying->broken = !decode(key, name, &key_len) || !decode(value, text, &value_len);
        if (!saying->broken)
            say_pair(saying, task, (struct span){name, key_len},
                     (struct span){text, value_len});
    }
    say(saying, "}");
}

/* --- the two ways --- */

static void begin(struct reading *r, const struct task *task)
{
    *r = (struct reading){.wishes = {0}};
    arena_init(&r->mem, SIZE_MAX, NULL, NULL);
    batch_init(&r->batch, task, &limits);
}

/* From memory of its size, which is gone when the batch is looked at. */
static void read_address(struct reading *r, struct span target, struct batch *batch)
{
    char *copy = malloc(target.len + 1);

    require(copy != NULL, "there is memory");
    memcpy(copy + 1, target.at, target.len);
    query_read((struct span){copy + 1, target.len}, batch, &r->wishes, &r->mem, &r->err);
    free(copy);
}

static void read_body(struct reading *r, const struct saying *saying)
{
    const struct codec *codec = codec_for(&task_loss, span_of(""));
    struct decoder *decoder = codec->begin(span_of(""), &r->batch, &r->mem, &r->err);

    require(decoder != NULL, "there is memory");
    if (codec->feed(decoder, (struct span){saying->body, saying->len}, &r->err))
        codec->finish(decoder, &r->err);
}

static void require_same_batch(const struct batch *a, const struct batch *b)
{
    require(a->given == b->given && a->members == b->members, "the same members");
    require(memcmp(a->order, b->order, a->members * sizeof *a->order) == 0,
            "in the same order");
    require(a->loss == b->loss, "the same loss");
    for (enum member m = 0; m < MEMBERS; m++) {
        const char *one = (const char *)a + member_infos[m].offset;
        const char *other = (const char *)b + member_infos[m].offset;
        size_t size = member_infos[m].type == MEMBER_NAMES ? sizeof(uint32_t) : 8;
        if (member_infos[m].type == MEMBER_TEXT)
            require(span_equal(a->id, b->id), "the same text");
        else if (member_infos[m].type > MEMBER_LABELS)
            require(memcmp(one, other, size) == 0, "the same value");
    }
    require(a->bad_option.kind == b->bad_option.kind, "the same kind of bad value");
    require(strcmp(a->bad_option.detail, b->bad_option.detail) == 0, "in the same words");
    require(strcmp(a->bad_option.pointer, b->bad_option.pointer) == 0,
            "at the same place");
}

/* What the body does not know the name of. */
static bool suggests_a_wish(const char *detail)
{
    return strstr(detail, "; did you mean \"timeout\"?") ||
           strstr(detail, "; did you mean \"pretty\"?");
}

/* A wish is no member, so the body cannot have a bad one: it comes last; nor one twice,
 * which comes first. */
static void require_same_error(const struct err *query, const struct err *body,
                               const struct saying *saying)
{
    if (saying->wish_twice) {
        require(query->kind == ERR_DUPLICATE_MEMBER, "a wish that is there twice");
        return;
    }
    if (saying->bad_wish && body->kind == ERR_NONE) {
        require(query->kind == ERR_INVALID_OPTION, "a bad wish is refused");
        return;
    }
    require(query->kind == body->kind, "the same kind of error");
    require(strcmp(query->pointer, body->pointer) == 0, "at the same place");
    if (query->kind == ERR_UNKNOWN_MEMBER && !suggests_a_wish(query->detail))
        require(strcmp(query->detail, body->detail) == 0, "in the same words");
}

static void ask_body(const struct reading *query, const struct saying *saying,
                     const struct task *task, struct span target)
{
    struct reading body, both;

    begin(&body, task);
    read_body(&body, saying);
    require_same_error(&query->err, &body.err, saying);
    if (body.err.kind == ERR_NONE && !saying->wish_twice)
        require_same_batch(&query->batch, &body.batch);
    if (query->err.kind == ERR_NONE && query->batch.bad_option.kind == ERR_NONE) {
        begin(&both, task);
        read_address(&both, target, &both.batch);
        read_body(&both, saying);
        require(both.err.kind == ERR_NONE, "saying the same twice is no conflict");
        require_same_batch(&query->batch, &both.batch);
        arena_release(&both.mem);
    }
    arena_release(&body.mem);
}

static void ask_without_batch(const struct reading *query, const struct saying *saying,
                              struct span target)
{
    struct reading alone;

    begin(&alone, &task_loss);
    read_address(&alone, target, NULL);
    require(alone.err.kind == (saying->broken       ? ERR_BAD_HEADER
                               : saying->wish_twice ? ERR_DUPLICATE_MEMBER
                               : saying->bad_wish   ? ERR_INVALID_OPTION
                                                    : ERR_NONE),
            "only wishes and texts count without a batch");
    require(alone.wishes.pretty == query->wishes.pretty &&
                alone.wishes.timeout_ns == query->wishes.timeout_ns,
            "the same wishes without a batch");
    arena_release(&alone.mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct saying saying;
    struct span target = {(const char *)data, size < TEXT_MAX ? size : TEXT_MAX};
    struct reading query;
    struct span path = query_path(target);
    const struct task *task = span_is(path, "/v1/softmax") ? &task_softmax : &task_loss;

    say_all(&saying, task, target);
    begin(&query, task);
    read_address(&query, target, &query.batch);
    require(path.len == target.len || path.at[path.len] == '?',
            "the path ends at the mark");
    require(query.wishes.pretty == saying.wishes.pretty &&
                query.wishes.timeout_ns == saying.wishes.timeout_ns,
            "the wishes are what was said");
    require((query.err.kind == ERR_BAD_HEADER) == saying.broken,
            "broken escapes and what is no text are refused, and no others");
    if (!saying.broken && saying.has_array)
        require(err_by(&query.err, PHASE_UNKNOWN), "arrays go into the body");
    else if (!saying.broken)
        ask_body(&query, &saying, task, target);
    ask_without_batch(&query, &saying, target);
    arena_release(&query.mem);
    return 0;
}
