#include "api/text_length.h"

#include <stdio.h>
#include <strings.h>

#include "api/response.h"
#include "lossd/base/excerpt.h"
#include "lossd/base/number.h"
#include "lossd/codec/codec.h"

static const char header[] = "Inference-Header-Content-Length";

/* What "type;json-header-size=NN" has behind the sign, empty when it has no such. */
static struct span of_media_type(struct span type)
{
    static const char name[] = "json-header-size";

    span_cut(&type, ';');
    while (type.len > 0) {
        struct span value = span_trim(span_cut(&type, ';'), " \t");
        struct span key = span_cut(&value, '=');
        if (key.len == sizeof name - 1 && strncasecmp(key.at, name, key.len) == 0)
            return value;
    }
    return (struct span){NULL, 0};
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

static bool check(const struct exchange *exchange, int64_t bytes, struct err *err)
{
    const struct request *head = &exchange->head;

    if (bytes == 0)
        return fail(err, ERR_BAD_HEADER, NULL,
                    "%s is 0; a body of bytes alone does not say which tensors they are",
                    header);
    if (head->has_content_length && !exchange->coding &&
        (uint64_t)bytes > head->content_length)
        return fail(err, ERR_BAD_HEADER, NULL, "%s is %lld; the body has %llu bytes",
                    header, (long long)bytes, (unsigned long long)head->content_length);
    return true;
}

bool text_length_tell(struct exchange *exchange)
{
    struct span text = span_trim(exchange->head.inference_header_length, " \t");
    struct err *err = &exchange->err;
    int64_t bytes = 0;

    if (text.len == 0)
        text = of_media_type(exchange->head.content_type);
    if (text.len == 0)
        return true;
    if (!is_number(text) || !number_read_int64(without_zeros(text), &bytes) ||
        bytes > INT32_MAX)
        return fail(err, ERR_BAD_HEADER, NULL,
                    "%s is %s; how many bytes of JSON there are is wanted, at most %d",
                    header, excerpt_of(text).text, INT32_MAX);
    if (!check(exchange, bytes, err))
        return false;
    exchange->codec->set_text_length(exchange->decoder, (size_t)bytes);
    return true;
}

void text_length_add(struct exchange *exchange, size_t bytes, struct response *response)
{
    if (bytes == 0)
        return;
    snprintf(exchange->text_length, sizeof exchange->text_length, "%zu", bytes);
    response_add(response, header, exchange->text_length);
}
