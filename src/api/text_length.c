#include "api/text_length.h"

#include <stdio.h>

#include "api/response.h"
#include "lossd/base/excerpt.h"
#include "lossd/base/number.h"
#include "lossd/codec/codec.h"
#include "lossd/codec/mime.h"

static const char header[] = "Inference-Header-Content-Length";
static const char parameter[] = "json-header-size"; /* of the media type */

/* What somebody says of the length; nothing, where `text` is empty. */
struct said {
    const char *by;
    struct span text;
    int64_t bytes;
};

static bool fail_two(const struct said *one, const struct said *other, struct err *err)
{
    return fail(err, ERR_BAD_HEADER, NULL, "%s is %s, %s is %s; one length is wanted",
                one->by, excerpt_of(one->text).text, other->by,
                excerpt_of(other->text).text);
}

static bool is_number(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.len > 0;
}

/* The length without its zeros in front, which a number may not have. */
static struct span without_zeros(struct span text)
{
    while (text.len > 1 && text.at[0] == '0')
        text = (struct span){text.at + 1, text.len - 1};
    return text;
}

static bool read_length(struct said *said, struct err *err)
{
    struct span text = said->text;

    return text.len == 0 ||
           (is_number(text) && number_read_int64(without_zeros(text), &said->bytes) &&
            said->bytes <= INT32_MAX) ||
           fail(err, ERR_BAD_HEADER, NULL,
                "%s is %s; how many bytes of JSON there are is wanted, at most %d",
                said->by, excerpt_of(text).text, INT32_MAX);
}

/* False: both say something, and not the same. */
static bool agree(const struct said *one, const struct said *other, struct err *err)
{
    return one->text.len == 0 || other->text.len == 0 || one->bytes == other->bytes ||
           fail_two(one, other, err);
}

/* What the media type says: "type;json-header-size=NN". */
static bool read_media_type(struct span type, struct said *out, struct err *err)
{
    struct span rest = mime_parameters(type);
    struct mime_parameter next;

    while (mime_next(&rest, &next)) {
        struct said said = {.by = parameter, .text = next.value};
        if (!span_is_caseless(next.name, parameter))
            continue;
        if (!read_length(&said, err) || !agree(out, &said, err))
            return false;
        *out = said;
    }
    return true;
}

static bool check(const struct exchange *exchange, const struct said *said,
                  struct err *err)
{
    const struct request *head = &exchange->head;

    if (said->bytes == 0)
        return fail(err, ERR_BAD_HEADER, NULL,
                    "%s is 0; a body of bytes alone does not say which tensors they are",
                    said->by);
    if (head->has_content_length && !exchange->coding &&
        (uint64_t)said->bytes > head->content_length)
        return fail(err, ERR_BAD_HEADER, NULL, "%s is %lld; the body has %llu bytes",
                    said->by, (long long)said->bytes,
                    (unsigned long long)head->content_length);
    return true;
}

bool text_length_tell(struct exchange *exchange)
{
    const struct request *head = &exchange->head;
    struct err *err = &exchange->err;
    struct said by_header = {.by = header,
                             .text = span_trim(head->inference_header_length, " \t")};
    struct said by_type = {.by = parameter};

    if (!read_length(&by_header, err) ||
        !read_media_type(head->content_type, &by_type, err) ||
        !agree(&by_header, &by_type, err))
        return false;
    const struct said *said = by_header.text.len > 0 ? &by_header : &by_type;
    if (said->text.len == 0)
        return true;
    if (!check(exchange, said, err))
        return false;
    exchange->codec->set_text_length(exchange->decoder, (size_t)said->bytes);
    return true;
}

void text_length_add(struct exchange *exchange, size_t bytes, struct response *response)
{
    if (bytes == 0)
        return;
    snprintf(exchange->text_length, sizeof exchange->text_length, "%zu", bytes);
    response_add(response, header, exchange->text_length);
}
