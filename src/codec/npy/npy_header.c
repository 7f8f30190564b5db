/* A grammar of its own: Python's literals, but only those that numpy writes.
 *
 *     header := '{' pair (',' pair)* [','] '}'      pair := string ':' value
 *     descr := string      fortran_order := True | False
 *     shape := '(' ')' | '(' int ',' ')' | '(' int (',' int)+ [','] ')' */
#include "codec/npy/npy_header.h"

#include "lossd/base/excerpt.h"

enum { DESCR = 1, ORDER = 2, SHAPE = 4 };

struct scan {
    struct span text; /* what is left */
    size_t length;    /* of all of it */
    struct err *err;
};

static bool fault(struct scan *s, const char *wanted)
{
    size_t at = s->length - s->text.len;

    if (s->text.len == 0)
        return fail(s->err, ERR_BAD_TENSOR, NULL,
                    "the NPY header ends after %zu bytes; %s is wanted", at, wanted);
    return fail(s->err, ERR_BAD_TENSOR, NULL,
                "the NPY header has \"%s\" at its byte %zu; %s is wanted",
                excerpt_of((struct span){s->text.at, 1}).text, at, wanted);
}

static void advance(struct scan *s, size_t bytes)
{
    s->text = (struct span){s->text.at + bytes, s->text.len - bytes};
}

static void skip_space(struct scan *s)
{
    while (s->text.len > 0 && span_is_blank(s->text.at[0], " \t\r\n"))
        advance(s, 1);
}

/* Takes the character, if it comes next but for white space. */
static bool take(struct scan *s, char c)
{
    skip_space(s);
    bool is_next = s->text.len > 0 && s->text.at[0] == c;
    if (is_next)
        advance(s, 1);
    return is_next;
}

static bool take_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    skip_space(s);
    bool is_next = s->text.len >= len && memcmp(s->text.at, word, len) == 0;
    if (is_next)
        advance(s, len);
    return is_next;
}

static bool read_string(struct scan *s, const char *wanted, struct span *out)
{
    skip_space(s);
    char quote = s->text.len > 0 ? s->text.at[0] : '\0';
    if (quote != '\'' && quote != '"')
        return fault(s, wanted);
    advance(s, 1);
    const char *from = s->text.at;
    while (s->text.len > 0 && s->text.at[0] != quote && s->text.at[0] != '\\')
        advance(s, 1);
    *out = (struct span){from, (size_t)(s->text.at - from)};
    return take(s, quote) || fault(s, "the end of a string without escapes");
}

/* --- values --- */

static bool fail_type(const char *dtype, struct err *err)
{
    return fail(err, ERR_UNSUPPORTED_MEDIA_TYPE, NULL,
                "the array's dtype is %s; real numbers of up to 8 bytes are wanted, such "
                "as arr.astype('float32')",
                dtype);
}

static bool read_descr(struct scan *s, struct npy_header *header)
{
    struct span descr = {NULL, 0};

    skip_space(s);
    if (s->text.len > 0 && (s->text.at[0] == '[' || s->text.at[0] == '('))
        return fail_type("a structured one", s->err);
    if (!read_string(s, "the dtype in quotes", &descr))
        return false;
    struct span name = descr;
    char order = descr.len > 0 ? descr.at[0] : '\0';
    if (span_is_blank(order, "<>|="))
        name = (struct span){descr.at + 1, descr.len - 1};
    header->type = npy_type_find(name);
    header->is_swapped = order == '>';
    return header->type || fail_type(excerpt_of(descr).text, s->err);
}

static bool read_order(struct scan *s, struct npy_header *header)
{
    header->is_fortran = take_word(s, "True");
    return header->is_fortran || take_word(s, "False") || fault(s, "True or False");
}

/* Too large a number is SIZE_MAX, which is too large for any array too. */
static bool read_dimension(struct scan *s, size_t *out)
{
    bool overflows = false;
    size_t value = 0, digits = 0;

    skip_space(s);
    for (; s->text.len > 0 && s->text.at[0] >= '0' && s->text.at[0] <= '9'; digits++) {
        size_t digit = (size_t)(s->text.at[0] - '0');
        overflows |= __builtin_mul_overflow(value, 10, &value) ||
                     __builtin_add_overflow(value, digit, &value);
        advance(s, 1);
    }
    *out = overflows ? SIZE_MAX : value;
    if (digits > 0)
        take(s, 'L'); /* Python 2's */
    return digits > 0 || fault(s, "a dimension, which is not negative,");
}

/* An empty dimension does not hide that the others are too large. */
static void add_dimension(struct npy_header *header, size_t dimension, bool *is_empty)
{
    if (header->rank < RANK_MAX)
        header->shape.dim[header->shape.rank++] = dimension;
    header->rank++;
    if (dimension == 0)
        *is_empty = true;
    else if (__builtin_mul_overflow(header->count, dimension, &header->count))
        header->count = SIZE_MAX;
}

static bool read_dimensions(struct scan *s, struct npy_header *header, bool *is_empty)
{
    size_t dimension = 0;

    do {
        if (!read_dimension(s, &dimension))
            return false;
        add_dimension(header, dimension, is_empty);
        if (!take(s, ',')) /* which a single dimension has to have behind it */
            return header->rank == 1 ? fault(s, "','")
                                     : take(s, ')') || fault(s, "',' or ')'");
    } while (!take(s, ')'));
    return true;
}

static bool read_shape(struct scan *s, struct npy_header *header)
{
    bool is_empty = false;

    header->count = 1;
    if (!take(s, '('))
        return fault(s, "the shape as a tuple");
    if (!take(s, ')') && !read_dimensions(s, header, &is_empty))
        return false;
    if (is_empty && header->count != SIZE_MAX)
        header->count = 0;
    return true;
}

/* --- pairs --- */

static bool read_value(struct scan *s, struct span key, struct npy_header *header,
                       unsigned *seen)
{
    static const struct {
        const char *key;
        unsigned bit;
        bool (*read)(struct scan *s, struct npy_header *header);
    } values[] = {{"descr", DESCR, read_descr},
                  {"fortran_order", ORDER, read_order},
                  {"shape", SHAPE, read_shape}};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (!span_is(key, values[i].key))
            continue;
        if (*seen & values[i].bit)
            return fail(s->err, ERR_BAD_TENSOR, NULL, "the NPY header has %s twice",
                        values[i].key);
        *seen |= values[i].bit;
        return values[i].read(s, header);
    }
    return fail(s->err, ERR_BAD_TENSOR, NULL,
                "the NPY header has \"%s\"; descr, fortran_order and shape are wanted",
                excerpt_of(key).text);
}

static bool read_pairs(struct scan *s, struct npy_header *header, unsigned *seen)
{
    struct span key = {NULL, 0};

    do {
        if (take(s, '}'))
            return true;
        if (!read_string(s, "a name in quotes", &key))
            return false;
        if (!take(s, ':'))
            return fault(s, "':'");
        if (!read_value(s, key, header, seen))
            return false;
    } while (take(s, ','));
    return take(s, '}') || fault(s, "',' or '}'");
}

bool npy_header_read(struct span text, struct npy_header *header, struct err *err)
{
    struct scan s = {text, text.len, err};
    unsigned seen = 0;

    *header = (struct npy_header){.type = NULL};
    if (!take(&s, '{'))
        return fault(&s, "'{'");
    if (!read_pairs(&s, header, &seen))
        return false;
    skip_space(&s);
    if (s.text.len > 0)
        return fault(&s, "the end");
    if (seen != (DESCR | ORDER | SHAPE))
        return fail(err, ERR_BAD_TENSOR, NULL,
                    "the NPY header has no %s; descr, fortran_order and shape are wanted",
                    !(seen & DESCR)   ? "descr"
                    : !(seen & ORDER) ? "fortran_order"
                                      : "shape");
    return true;
}
