/* A carriage return is the first byte of the delimiter and none of the others.  So where a
 * piece ends within what may be the delimiter, how many bytes of it were there is all that
 * has to be remembered; and if it is none, no other can have begun in it. */
#include "codec/multipart/multipart_read.h"

enum { CRLF = 2 };

bool multipart_read_begin(struct multipart_reader *r, struct span content_type,
                          const struct multipart_handler *handler, void *ctx,
                          struct arena *mem, struct err *err)
{
    *r = (struct multipart_reader){.handler = handler,
                                   .ctx = ctx,
                                   .delimiter = "\r\n--",
                                   .state = MULTIPART_PREAMBLE,
                                   .matched = CRLF,
                                   .not_data = CRLF};
    if (!multipart_boundary(content_type, r->delimiter + 4, err))
        return false;
    r->delimiter_len = strlen(r->delimiter);
    buf_init(&r->headers, mem, PART_HEADERS_MAX, NULL, err);
    r->headers.what = "the header of a part";
    return true;
}

static void skip(struct span *piece, size_t bytes)
{
    *piece = (struct span){piece->at + bytes, piece->len - bytes};
}

/* --- up to the next delimiter --- */

static bool hand_on(struct multipart_reader *r, struct span data, struct err *err)
{
    return data.len == 0 || r->state != MULTIPART_CONTENT ||
           r->handler->data(r->ctx, data, err);
}

static bool end_content(struct multipart_reader *r, struct err *err)
{
    bool in_part = r->state == MULTIPART_CONTENT;

    r->state = MULTIPART_BOUNDARY;
    return !in_part || r->handler->end(r->ctx, err);
}

/* Bytes at the end of the text that the delimiter begins with. */
static size_t begun_at_end(const struct multipart_reader *r, struct span text)
{
    size_t most = text.len < r->delimiter_len ? text.len : r->delimiter_len - 1;
    const char *from = memrchr(text.at + text.len - most, '\r', most);
    size_t len = from ? (size_t)(text.at + text.len - from) : 0;

    return len > 0 && memcmp(from, r->delimiter, len) == 0 ? len : 0;
}

static bool seek(struct multipart_reader *r, struct span *piece, struct err *err)
{
    const char *found = memmem(piece->at, piece->len, r->delimiter, r->delimiter_len);

    r->matched = found ? r->delimiter_len : begun_at_end(r, *piece);
    struct span data = {piece->at,
                        found ? (size_t)(found - piece->at) : piece->len - r->matched};
    skip(piece, data.len + r->matched);
    return hand_on(r, data, err) && (!found || end_content(r, err));
}

/* The piece goes on where the one before may have ended with some of the delimiter. */
static bool seek_on(struct multipart_reader *r, struct span *piece, struct err *err)
{
    while (piece->len > 0 && r->matched < r->delimiter_len &&
           piece->at[0] == r->delimiter[r->matched]) {
        r->matched++;
        skip(piece, 1);
    }
    if (r->matched == r->delimiter_len)
        return end_content(r, err);
    if (piece->len == 0)
        return true;
    struct span data = {r->delimiter + r->not_data, r->matched - r->not_data};
    r->matched = r->not_data = 0;
    return hand_on(r, data, err);
}

/* --- the rest of its line --- */

static bool fail_boundary(const struct multipart_reader *r, char c, struct err *err)
{
    return fail(err, ERR_BAD_TENSOR, NULL,
                "byte 0x%02X stands behind the boundary %s; a line's end (CRLF) or -- is "
                "wanted",
                (unsigned char)c, r->delimiter + CRLF);
}

static bool begin_headers(struct multipart_reader *r, struct err *err)
{
    if (r->parts == PARTS_MAX)
        return fail_limit(err, ERR_TOO_LARGE, NULL, PARTS_MAX, NULL,
                          "the form has more than the %d parts that are allowed",
                          PARTS_MAX);
    r->parts++;
    r->state = MULTIPART_HEADERS;
    r->headers.len = 0;
    buf_text(&r->headers,
             "\r\n"); /* so that headers end with an empty line if none come */
    return buf_ok(&r->headers);
}

static bool read_line(struct multipart_reader *r, struct span *piece, struct err *err)
{
    char c = piece->at[0];
    bool is_new = r->state == MULTIPART_BOUNDARY, is_blank = c == ' ' || c == '\t';

    skip(piece, 1);
    if (r->state == MULTIPART_LINE_END && c == '\n')
        return begin_headers(r, err);
    if (is_new && c == '-')
        r->state = MULTIPART_DASH;
    else if (r->state == MULTIPART_DASH && c == '-')
        r->state = MULTIPART_EPILOGUE;
    else if ((is_new || r->state == MULTIPART_BLANKS) && (is_blank || c == '\r'))
        r->state = is_blank ? MULTIPART_BLANKS : MULTIPART_LINE_END;
    else
        return fail_boundary(r, c, err);
    return true;
}

/* --- the headers of a part --- */

static bool end_headers(struct multipart_reader *r, struct err *err)
{
    struct part_header header;

    r->state = MULTIPART_CONTENT;
    r->matched = r->not_data = CRLF; /* that empty line may be the delimiter's already */
    return part_header_read(r->headers.at + CRLF, r->headers.len - 2 * CRLF, r->parts,
                            &header, err) &&
           r->handler->begin(r->ctx, &header, err);
}

/* A carriage return and a line feed come together or not at all. */
static bool is_line_broken(const struct buf *headers)
{
    const char *last = headers->at + headers->len - 1;

    return (last[-1] == '\r') != (last[0] == '\n');
}

static bool read_headers(struct multipart_reader *r, struct span *piece, struct err *err)
{
    struct buf *headers = &r->headers;

    while (piece->len > 0) {
        buf_char(headers, piece->at[0]);
        if (!buf_ok(headers))
            return false;
        skip(piece, 1);
        if (is_line_broken(headers))
            return fail(err, ERR_BAD_HEADER, NULL,
                        "a line of the headers of part %zu of the form does not end with "
                        "CRLF",
                        r->parts);
        if (headers->len >= 4 &&
            memcmp(headers->at + headers->len - 4, "\r\n\r\n", 4) == 0)
            return end_headers(r, err);
    }
    return true;
}

/* --- all of it --- */

static bool read_on(struct multipart_reader *r, struct span *piece, struct err *err)
{
    switch (r->state) {
    case MULTIPART_PREAMBLE:
    case MULTIPART_CONTENT:
        return (r->matched > 0 ? seek_on : seek)(r, piece, err);
    case MULTIPART_HEADERS:
        return read_headers(r, piece, err);
    case MULTIPART_EPILOGUE:
        skip(piece, piece->len);
        return true;
    case MULTIPART_BOUNDARY:
    case MULTIPART_DASH:
    case MULTIPART_BLANKS:
    case MULTIPART_LINE_END:
        break;
    }
    return read_line(r, piece, err);
}

bool multipart_read(struct multipart_reader *r, struct span piece, struct err *err)
{
    r->headers.err = err;
    while (piece.len > 0)
        if (!read_on(r, &piece, err))
            return false;
    return true;
}

bool multipart_read_end(struct multipart_reader *r, struct err *err)
{
    if (r->state == MULTIPART_EPILOGUE)
        return true;
    if (r->state == MULTIPART_PREAMBLE)
        return fail(err, ERR_BAD_TENSOR, NULL,
                    "the boundary %s, which Content-Type names, is not in the body",
                    r->delimiter + CRLF);
    return fail(err, ERR_BAD_TENSOR, NULL, "the body ends before its last boundary, %s--",
                r->delimiter + CRLF);
}
