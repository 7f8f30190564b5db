/* One state for where in the grammar we are, one bit for each open container, an
 * automaton for each kind of token: nothing recurses, no byte is looked at twice,
 * and a cut between any two bytes changes nothing.
 *
 * A token that is cut leaves behind the state of its automaton and, if anybody
 * wants its text, the text so far.  That is all that outlives a piece; numbers of
 * arrays are decoded where they lie (json_array.c), what is kept is json_keep.c's. */
#include "codec/json/json_read.h"

#include "codec/json/json_fault.h"
#include "codec/json/json_keep.h"
#include "codec/json/json_text.h"

bool json_read_begin(struct json_reader *r, const struct json_handler *handler, void *ctx,
                     const struct limits *limits, struct arena *mem, struct err *err)
{
    *r = (struct json_reader){.handler = handler,
                              .ctx = ctx,
                              .limits = limits,
                              .what = "the body",
                              .state = JSON_VALUE,
                              .way = JSON_SKIP,
                              .level = 1,
                              .place.line = 1};
    buf_init(&r->text, mem, limits->max_text, "--max-text", err);
    buf_init(&r->token, mem, limits->max_text, "--max-text", err);
    r->text.what = "the text beside the arrays";
    r->token.what = "an element of an array";
    r->objects = arena_zalloc(mem, limits->max_depth / 64 + 1, sizeof *r->objects, err);
    return r->objects != NULL;
}

void json_read_single(struct json_reader *r, enum json_way way)
{
    r->level = 0;
    r->what = "the text";
    r->way = way;
}

static const char *refuse(struct json_reader *r)
{
    r->state = JSON_REFUSED;
    return NULL;
}

/* The byte at `at` is wrong. */
static const char *wrong(struct json_reader *r, const char *at)
{
    if (json_keep(r, at))
        json_fault_byte(r, json_offset(&r->place, at), (unsigned char)*at);
    return refuse(r);
}

/* The whole text is something else than an object. */
static void note_top(struct json_reader *r, const char *what)
{
    if (r->depth > 0 || r->level == 0)
        return;
    r->no_object = true;
    fail(r->err, ERR_WRONG_TYPE, r->pointer, "%s is %s; a JSON object is wanted", r->what,
         what);
}

/* --- values --- */

static void after_take(struct json_reader *r)
{
    if (r->array->failed)
        r->way = JSON_SKIP;
}

static const char *end_member(struct json_reader *r, const char *at)
{
    enum json_way way = r->way;

    r->way = JSON_SKIP;
    if (way == JSON_COPY) {
        if (!json_keep(r, at))
            return refuse(r);
        r->keeping = false;
        if (!r->handler->text(r->ctx, json_kept(r), r->err))
            return refuse(r);
    } else if (way == JSON_TAKE && !json_array_end(r->array, r->err)) {
        return refuse(r);
    }
    return at;
}

/* A value ends before `at`. */
static const char *end_value(struct json_reader *r, const char *at)
{
    bool in_list = r->list != LIST_NONE;

    r->state = r->depth > 0 || in_list ? JSON_AFTER_VALUE : JSON_END;
    return r->depth == r->level && !in_list ? end_member(r, at) : at;
}

/* False: refused. */
static bool take_scalar(struct json_reader *r, enum json_scalar scalar, struct span text)
{
    if (!json_array_scalar(r->array, scalar, text, r->err)) {
        refuse(r);
        return false;
    }
    after_take(r);
    return true;
}

/* Neither the array that is to be entered nor an object of it. */
static void misfit(struct json_reader *r, const char *what)
{
    r->handler->misfit(r->ctx, what, r->depth > r->level, r->err);
    r->way = JSON_SKIP;
}

static const char *end_scalar(struct json_reader *r, enum json_scalar scalar,
                              struct span text, const char *at)
{
    if (r->list == LIST_FIRST) {
        r->first = scalar;
        r->first_text = text;
    } else if (r->way == JSON_TAKE && !take_scalar(r, scalar, text)) {
        return NULL;
    } else if (r->way == JSON_ENTER) {
        misfit(r, json_scalar_words(scalar));
    }
    return end_value(r, at);
}

/* --- a list --- */

/* Is the value that begins the first of an array without its brackets? */
static bool starts_list(const struct json_reader *r, char first)
{
    return r->way == JSON_TAKE && r->depth == 0 && r->list == LIST_NONE && first != '[' &&
           first != '{';
}

/* What is held is the first of some. */
static bool open_list(struct json_reader *r)
{
    r->list = LIST_OPEN;
    return json_array_open(r->array, r->err) && take_scalar(r, r->first, r->first_text);
}

static bool close_list(struct json_reader *r)
{
    if (r->list == LIST_FIRST && r->array->may_be_bare)
        return take_scalar(r, r->first, r->first_text);
    if (r->list == LIST_FIRST && !open_list(r))
        return false;
    return r->way != JSON_TAKE || json_array_close(r->array, r->err);
}

static void end_list(struct json_reader *r)
{
    bool closed = close_list(r);

    r->list = LIST_NONE;
    r->state = closed ? JSON_END : JSON_REFUSED;
    if (closed)
        end_member(r, "");
}

/* --- containers --- */

/* The bracket of an array that is to be entered, or within it. */
static bool enter(struct json_reader *r, bool object)
{
    bool has_begun = r->depth > r->level;

    if (object != has_begun)
        misfit(r, object ? "an object" : "an array");
    if (!object || r->way != JSON_ENTER)
        return true;
    r->level = r->depth + 1;
    r->way = JSON_SKIP;
    return r->handler->open(r->ctx, r->err);
}

/* An object of the array ends, unless it is the whole text. */
static bool leave(struct json_reader *r)
{
    if (r->depth != r->level || r->level == 1)
        return true;
    r->level = 1;
    r->way = JSON_ENTER;
    return r->handler->close(r->ctx, r->err);
}

static const char *open(struct json_reader *r, const char *at)
{
    bool object = *at == '{';

    if (!object)
        note_top(r, "an array");
    if (r->depth >= r->limits->max_depth) {
        if (json_keep(r, at))
            json_fault_depth(r, json_offset(&r->place, at));
        return refuse(r);
    }
    if (r->way == JSON_TAKE) {
        if (!(object ? json_array_object(r->array, r->err)
                     : json_array_open(r->array, r->err)))
            return refuse(r);
        after_take(r);
    } else if (r->way == JSON_ENTER && !enter(r, object)) {
        return refuse(r);
    }
    r->depth++;
    uint64_t bit = UINT64_C(1) << r->depth % 64;
    if (object)
        r->objects[r->depth / 64] |= bit;
    else
        r->objects[r->depth / 64] &= ~bit;
    r->state = object ? JSON_NAME_OR_CLOSE : JSON_VALUE_OR_CLOSE;
    return at + 1;
}

static const char *close(struct json_reader *r, const char *at)
{
    if (r->way == JSON_TAKE) {
        if (!json_array_close(r->array, r->err))
            return refuse(r);
        after_take(r);
    }
    if (!leave(r))
        return refuse(r);
    r->depth--;
    return end_value(r, at + 1);
}

/* --- tokens --- */

static bool decodes(const struct json_reader *r)
{
    return r->way == JSON_TAKE || (r->state == JSON_IN_NAME && r->depth == r->level);
}

static const char *end_name(struct json_reader *r, const char *at)
{
    r->state = JSON_COLON;
    if (r->depth == r->level)
        r->way = r->handler->name(r->ctx, r, json_kept(r), r->err);
    return err_by(r->err, PHASE_TRANSPORT) ? refuse(r) : at;
}

static const char *read_string(struct json_reader *r, const char *at, const char *end)
{
    bool decode = decodes(r);

    at = json_string_read(&r->string, at, end, decode ? json_kept_in(r) : NULL);
    if (!buf_ok(json_kept_in(r)))
        return refuse(r);
    if (r->string.wanted)
        return wrong(r, at);
    if (!r->string.ended)
        return at;
    if (r->state == JSON_IN_NAME)
        return end_name(r, at);
    return end_scalar(r, JSON_STRING, decode ? json_kept(r) : span_of(""), at);
}

static const char *begin_string(struct json_reader *r, const char *at)
{
    bool is_name = r->state == JSON_NAME || r->state == JSON_NAME_OR_CLOSE;

    if (!is_name)
        note_top(r, "a string");
    r->string = (struct json_string){0};
    r->state = is_name ? JSON_IN_NAME : JSON_IN_STRING;
    if (decodes(r))
        json_keep_begin(r);
    return at + 1;
}

static const char *end_number(struct json_reader *r, const char *at)
{
    struct span text = {0};

    if (r->way == JSON_TAKE && !json_keep_token(r, at, &text))
        return refuse(r);
    return end_scalar(r, JSON_NUMBER, text, at);
}

/* What began like a number is -Infinity. */
static const char *turn_into_literal(struct json_reader *r, const char *at)
{
    if (r->way == JSON_TAKE)
        r->keeping = false;
    r->state = JSON_IN_LITERAL;
    r->literal = JSON_MINUS_INFINITY;
    r->matched = 1;
    return at;
}

static const char *read_number(struct json_reader *r, const char *at, const char *end)
{
    while (at < end && json_number_take(&r->number, *at))
        at++;
    if (at == end)
        return at;
    if (json_number_may_end(r->number, *at))
        return end_number(r, at);
    if (r->number == NUMBER_MINUS && *at == 'I' && r->bare_tokens)
        return turn_into_literal(r, at);
    return wrong(r, at);
}

static const char *begin_number(struct json_reader *r, const char *at)
{
    note_top(r, "a number");
    if (r->way == JSON_TAKE)
        json_keep_from(r, at);
    r->state = JSON_IN_NUMBER;
    r->number = json_number_begin(*at);
    return at + 1;
}

static const char *read_literal(struct json_reader *r, const char *at, const char *end)
{
    const char *text = json_scalar_words(r->literal);

    while (at < end && text[r->matched] != '\0') {
        if (*at != text[r->matched])
            return wrong(r, at);
        r->matched++;
        at++;
    }
    if (text[r->matched] != '\0')
        return at;
    return end_scalar(r, r->literal, span_of(text), at);
}

static const char *begin_literal(struct json_reader *r, const char *at,
                                 enum json_scalar literal)
{
    note_top(r, json_scalar_words(literal));
    r->state = JSON_IN_LITERAL;
    r->literal = literal;
    r->matched = 1;
    return at + 1;
}

/* --- grammar --- */

static const char *begin_value(struct json_reader *r, const char *at)
{
    if (r->way == JSON_COPY && r->depth == r->level)
        json_keep_from(r, at);
    if (starts_list(r, *at))
        r->list = LIST_FIRST;
    switch (*at) {
    case '{':
    case '[':
        return open(r, at);
    case '"':
        return begin_string(r, at);
    case 't':
        return begin_literal(r, at, JSON_TRUE);
    case 'f':
        return begin_literal(r, at, JSON_FALSE);
    case 'n':
        return begin_literal(r, at, JSON_NULL);
    case 'N':
        return r->bare_tokens ? begin_literal(r, at, JSON_NAN) : wrong(r, at);
    case 'I':
        return r->bare_tokens ? begin_literal(r, at, JSON_INFINITY) : wrong(r, at);
    case ']':
        return r->state == JSON_VALUE_OR_CLOSE ? close(r, at) : wrong(r, at);
    default:
        return *at == '-' || json_is_digit(*at) ? begin_number(r, at) : wrong(r, at);
    }
}

static const char *after_value(struct json_reader *r, const char *at)
{
    bool object = json_in_object(r);

    if (*at == (object ? '}' : ']') && r->depth > 0)
        return close(r, at);
    if (*at != ',')
        return wrong(r, at);
    if (r->list == LIST_FIRST && !open_list(r))
        return NULL;
    r->state = object ? JSON_NAME : JSON_VALUE;
    return at + 1;
}

static const char *read_structure(struct json_reader *r, const char *at)
{
    switch (r->state) {
    case JSON_VALUE:
    case JSON_VALUE_OR_CLOSE:
        return begin_value(r, at);
    case JSON_AFTER_VALUE:
        return after_value(r, at);
    case JSON_NAME:
    case JSON_NAME_OR_CLOSE:
        if (*at == '}' && r->state == JSON_NAME_OR_CLOSE)
            return close(r, at);
        return *at == '"' ? begin_string(r, at) : wrong(r, at);
    case JSON_COLON:
        if (*at != ':')
            return wrong(r, at);
        r->state = JSON_VALUE;
        return at + 1;
    default:
        return wrong(r, at);
    }
}

static const char *read_on(struct json_reader *r, const char *at, const char *end)
{
    switch (r->state) {
    case JSON_IN_NAME:
    case JSON_IN_STRING:
        return read_string(r, at, end);
    case JSON_IN_NUMBER:
        return read_number(r, at, end);
    case JSON_IN_LITERAL:
        return read_literal(r, at, end);
    default:
        break;
    }
    at = json_skip_space(&r->place, at, end);
    if (r->way == JSON_TAKE && at < end && r->state <= JSON_VALUE_OR_CLOSE) {
        const char *next =
            json_array_numbers(r->array, at, end, &r->state, &r->place, r->err);
        if (!next)
            return refuse(r);
        if (next != at)
            return next;
    }
    return at < end ? read_structure(r, at) : at;
}

static void begin_piece(struct json_reader *r, const char *at, struct err *err)
{
    r->err = r->text.err = r->token.err = err;
    r->place.piece = r->keep_from = at;
}

bool json_read_value(struct json_reader *r, struct span *piece, struct err *err)
{
    const char *at = piece->at, *end = piece->at + piece->len;

    if (r->state == JSON_REFUSED)
        return false;
    begin_piece(r, at, err);
    while (at && at < end && r->state != JSON_END)
        at = read_on(r, at, end);
    if (!at || !json_keep(r, at)) {
        refuse(r);
        return false;
    }
    r->place.offset += (size_t)(at - piece->at);
    *piece = (struct span){at, (size_t)(end - at)};
    return true;
}

bool json_read(struct json_reader *r, struct span piece, struct err *err)
{
    if (!json_read_value(r, &piece, err))
        return false;
    const char *at = piece.at, *end = piece.at + piece.len;
    begin_piece(r, at, err);
    at = json_skip_space(&r->place, at, end);
    if (at < end)
        wrong(r, at);
    r->place.offset += piece.len;
    return r->state != JSON_REFUSED;
}

bool json_read_end(struct json_reader *r, struct err *err)
{
    if (r->state == JSON_REFUSED)
        return false;
    begin_piece(r, NULL, err);
    if (r->state == JSON_IN_NUMBER && r->depth == 0 &&
        json_number_may_end(r->number, ' '))
        end_number(r, NULL);
    if (r->list != LIST_NONE && r->state == JSON_AFTER_VALUE)
        end_list(r);
    if (r->state == JSON_END)
        return !r->no_object;
    json_fault_end(r);
    refuse(r);
    return false;
}
