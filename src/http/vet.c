/* The rules, and the holes they close:
 *
 * - Every name is a token: `Content-Length : 5` reaches us with the blank in the
 *   name and is not obeyed by the library, which then reads the body as the next
 *   request.
 * - No name merely begins with transfer-encoding or content-length: a folded
 *   header arrives with its continuation glued to the name.
 * - At most one Transfer-Encoding, at most one Content-Length, never both; the
 *   library takes the first, or the chunks, and a proxy may take the other.
 * - Transfer-Encoding is chunked, and only in HTTP/1.1: anything else makes the
 *   library read until the connection closes.
 * - A length of 2^63 or more is refused: the library takes 2^64-1 for "unknown".
 * - Host exactly once in HTTP/1.1, and a host's name in it (RFC 9110, section 7.2); no
 *   control bytes in values.
 * - Nothing stands between the last header that is shown to us and the end of them: a
 *   line without a name, or a NUL in the last value.  The library takes a line that
 *   begins with a colon for the empty one that ends the headers, and what follows it
 *   for the next request.  It leaves NULs of the colon and of the line's end, just as of
 *   CR LF.  So where lines may end in LF alone, those of the last header and of the
 *   headers must be LF LF: anything longer may be such a line.  (When LF alone has
 *   been kept for the colon's line, and not even a blank follows the colon, there is
 *   nothing to tell by.)
 * - The method is a token, should such a next request begin all the same.
 */
#include "http/vet.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum {
    SHOWN = 60,   /* bytes of the client's text in a sentence */
    LINE_ENDS = 4 /* CR LF of the last line, and of the empty one */
};

struct vetting vet_begin(struct request *head, char room[VET_ROOM], struct err *err)
{
    struct vetting vetting = {.head = head, .err = err};

    for (size_t i = 0; i < VET_LISTS; i++)
        buf_over(&vetting.joined[i], room + i * VET_LIST_MAX, VET_LIST_MAX);
    return vetting;
}

static bool begins_with(struct span name, const char *known)
{
    size_t len = strlen(known);

    return name.len > len && strncasecmp(name.at, known, len) == 0;
}

/* Letters, digits and those of `others`, nothing else. */
static bool consists_of(struct span text, const char *others)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool alnum =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return true;
}

static bool is_token(struct span text)
{
    return text.len > 0 && consists_of(text, "!#$%&'*+-.^_`|~");
}

/* A name or an address, and a port; it may be empty. */
static bool is_host(struct span text)
{
    return consists_of(text, "-._~%!$&'()*+,;=:[]");
}

static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return true;
    }
    return false;
}

static void see(struct vetting *vetting, struct span text)
{
    uintptr_t begin = (uintptr_t)vetting->block.at, at = (uintptr_t)text.at;
    size_t end = at + text.len - begin;

    if (at >= begin && end <= vetting->block.len && end > vetting->seen)
        vetting->seen = end;
}

void vet_block(struct vetting *vetting, struct span block, struct span version)
{
    vetting->block = block;
    see(vetting, version);
}

/* Only the end of a line stands before a name. */
static void see_line_end(struct vetting *vetting, struct span name)
{
    size_t at = (uintptr_t)name.at - (uintptr_t)vetting->block.at;

    vetting->bare_lf |= at < vetting->block.len && at == vetting->seen + 1;
}

static bool is_end(const struct vetting *vetting)
{
    struct span rest = {vetting->block.at + vetting->seen,
                        vetting->block.len - vetting->seen};

    for (size_t i = 0; i < rest.len; i++)
        if (rest.at[i] != '\0')
            return false;
    return rest.len <= (vetting->bare_lf ? 2 : LINE_ENDS) && rest.len != 3;
}

static int shown(struct span text)
{
    return text.len > SHOWN ? SHOWN : (int)text.len;
}

static bool is_digits(struct span text)
{
    size_t i = 0;

    while (i < text.len && text.at[i] >= '0' && text.at[i] <= '9')
        i++;
    return i == text.len;
}

static bool read_length(struct vetting *vetting, struct span value)
{
    uint64_t length = 0;

    if (!is_digits(value))
        return fail(vetting->err, ERR_BAD_HEADER, NULL,
                    "Content-Length is '%.*s'; a number of bytes is wanted", shown(value),
                    value.at);
    for (size_t i = 0; i < value.len; i++) {
        uint64_t digit = (uint64_t)(value.at[i] - '0');
        if (length > (INT64_MAX - digit) / 10)
            return fail_limit(vetting->err, ERR_TOO_LARGE, NULL, INT64_MAX, NULL,
                              "Content-Length is %.*s, more than any body has",
                              shown(value), value.at);
        length = length * 10 + digit;
    }
    if (value.len == 0)
        return fail(vetting->err, ERR_BAD_HEADER, NULL, "Content-Length is empty");
    vetting->head->has_content_length = true;
    vetting->head->content_length = length;
    return true;
}

/* The headers that say where the request ends. */
static bool vet_framing(struct vetting *vetting, struct span name, struct span value)
{
    struct err *err = vetting->err;

    if (begins_with(name, "transfer-encoding") || begins_with(name, "content-length"))
        return fail(err, ERR_BAD_HEADER, NULL,
                    "the header %.*s is not one, or was folded over two lines",
                    shown(name), name.at);
    if (span_is_caseless(name, "transfer-encoding")) {
        vetting->chunked = true;
        if (++vetting->codings > 1)
            return fail(err, ERR_BAD_HEADER, NULL,
                        "there is more than one Transfer-Encoding header");
        if (!span_is_caseless(value, "chunked"))
            return fail(err, ERR_BAD_HEADER, NULL,
                        "Transfer-Encoding is '%.*s'; only chunked is understood",
                        shown(value), value.at);
    } else if (span_is_caseless(name, "content-length")) {
        if (++vetting->lengths > 1)
            return fail(err, ERR_BAD_HEADER, NULL,
                        "there is more than one Content-Length header");
        return read_length(vetting, value);
    } else if (span_is_caseless(name, "host")) {
        vetting->hosts++;
        value = span_trim(value, " \t");
        if (!is_host(value))
            return fail(err, ERR_BAD_HEADER, NULL,
                        "Host is '%.*s'; a name or an address, and a port if any, are "
                        "wanted",
                        shown(value), value.at);
    }
    return true;
}

/* The first of several is taken. */
static void keep(struct span *place, struct span value)
{
    if (!place->at)
        *place = value;
}

/* A list may be told in several headers (RFC 9110, section 5.3). */
static void join(struct vetting *vetting, enum vet_list which, struct span name,
                 struct span *list, struct span value)
{
    struct buf *joined = &vetting->joined[which];

    if (joined->len == 0)
        buf_add(joined, *list);
    buf_text(joined, ", ");
    buf_add(joined, value);
    if (buf_ok(joined))
        *list = buf_span(joined);
    else
        fail(vetting->err, ERR_BAD_HEADER, NULL,
             "there is more than one %.*s header, with more than %zu bytes together",
             shown(name), name.at, joined->capacity);
}

/* What becomes of a header that is sent again: of a list, `enum vet_list` says which. */
enum again {
    ONE_MORE = VET_LISTS, /* of those that name a request the first is taken */
    ANOTHER               /* two that differ have the request mean two things */
};

/* Where the head keeps what is for us. */
#define WANTED(name, member, again)                                           \
    {                                                                         \
        {(name), sizeof(name) - 1}, offsetof(struct request, member), (again) \
    }
static const struct {
    struct span name;
    size_t place;
    unsigned again;
} wanted[] = {
    WANTED("content-type", content_type, ANOTHER),
    WANTED("content-encoding", content_encoding, ONE_MORE),
    WANTED("accept", accept, VET_ACCEPT),
    WANTED("if-none-match", if_none_match, VET_IF_NONE_MATCH),
    WANTED("x-request-id", request_id, ONE_MORE),
    WANTED("traceparent", traceparent, ONE_MORE),
    WANTED("x-request-timeout", timeout, ANOTHER),
    WANTED("authorization", authorization, ANOTHER),
    WANTED("origin", origin, ANOTHER),
    WANTED("access-control-request-method", access_control_request_method, ANOTHER),
    WANTED("inference-header-content-length", inference_header_length, ANOTHER),
};
#undef WANTED

enum { WANTED_HEADERS = sizeof wanted / sizeof *wanted };

/* Any of several counts, as the library may see it. */
static void vet_expectation(struct vetting *vetting, struct span value)
{
    bool is_continue = span_is_caseless(value, "100-continue");

    vetting->expects_continue |= is_continue;
    if (!is_continue)
        fail(vetting->err, ERR_EXPECTATION_FAILED, NULL,
             "Expect is '%.*s'; only 100-continue can be met", shown(value), value.at);
}

/* A second one would be a coding on top of the first. */
static void vet_coding(struct vetting *vetting, struct span name)
{
    if (span_is_caseless(name, "content-encoding") && vetting->head->content_encoding.at)
        fail(vetting->err, ERR_UNSUPPORTED_ENCODING, NULL,
             "there is more than one Content-Encoding header; one coding is understood");
}

/* False: it is none of those. */
static bool pick_wanted(struct vetting *vetting, struct span name, struct span value)
{
    size_t i = 0;

    while (i < WANTED_HEADERS && !span_equal_caseless(name, wanted[i].name))
        i++;
    if (i == WANTED_HEADERS)
        return false;
    struct span *place = (void *)((char *)vetting->head + wanted[i].place);
    if (wanted[i].again < VET_LISTS && place->at)
        join(vetting, wanted[i].again, name, place, value);
    else if (wanted[i].again == ANOTHER && place->at && !span_equal(*place, value))
        fail(vetting->err, ERR_BAD_HEADER, NULL,
             "there is more than one %.*s header, and they differ", shown(name), name.at);
    else
        keep(place, value);
    return true;
}

/* The library leaves blanks behind a value, which are no part of it. */
static void pick(struct vetting *vetting, struct span name, struct span value)
{
    value = span_trim(value, " \t");
    vet_coding(vetting, name);
    if (pick_wanted(vetting, name, value))
        return;
    if (span_is_caseless(name, "user-agent"))
        keep(&vetting->user_agent, value);
    else if (span_is_caseless(name, "expect"))
        vet_expectation(vetting, value);
}

void vet_method(struct vetting *vetting, struct span method)
{
    if (!is_token(method))
        fail(vetting->err, ERR_BAD_HEADER, NULL, "'%.*s' is not a method", shown(method),
             method.at);
}

void vet_header(struct vetting *vetting, struct span name, struct span value)
{
    see_line_end(vetting, name);
    see(vetting, value);
    if (!is_token(name))
        fail(vetting->err, ERR_BAD_HEADER, NULL, "'%.*s' is not the name of a header",
             shown(name), name.at);
    else if (has_control(value))
        fail(vetting->err, ERR_BAD_HEADER, NULL,
             "the header %.*s has a control character in its value", shown(name),
             name.at);
    else if (vet_framing(vetting, name, value))
        pick(vetting, name, value);
}

bool vet_end(struct vetting *vetting, struct span version)
{
    struct err *err = vetting->err;
    bool modern = span_is(version, "HTTP/1.1");

    if (err->kind != ERR_NONE)
        return false;
    if (vetting->block.len > 0 && !is_end(vetting))
        return fail(
            err, ERR_BAD_HEADER, NULL,
            "the last header is none, has a NUL in it, was folded over two lines, "
            "or does not end like the others");
    if (!modern && !span_is(version, "HTTP/1.0"))
        return fail(err, ERR_BAD_HEADER, NULL,
                    "the version is '%.*s'; HTTP/1.1 or HTTP/1.0 is wanted",
                    shown(version), version.at);
    if (vetting->chunked && !modern)
        return fail(err, ERR_BAD_HEADER, NULL, "HTTP/1.0 has no Transfer-Encoding");
    if (vetting->chunked && vetting->lengths > 0)
        return fail(err, ERR_BAD_HEADER, NULL,
                    "there is a Content-Length and a Transfer-Encoding");
    if (vetting->hosts > 1)
        return fail(err, ERR_BAD_HEADER, NULL, "there is more than one Host header");
    if (modern && vetting->hosts == 0)
        return fail(err, ERR_BAD_HEADER, NULL, "there is no Host header");
    return true;
}
