#include "api/body.h"

#include "api/route.h"
#include "lossd/codec/codec.h"
#include "lossd/codec/inflater.h"

enum {
    USUAL_RATIO = 3,      /* that numbers in JSON are compressed by, at most */
    RATIO_FROM = 64 << 20 /* bytes of text that cost next to nothing, whatever they are */
};

/* ---- how much of it ------------------------------------------------------------- */

bool api_is_small(const struct exchange *exchange)
{
    return !exchange->coding && exchange->head.has_content_length &&
           exchange->head.content_length <= exchange->api->settings.small_body;
}

bool api_is_compressed(const struct exchange *exchange)
{
    return exchange->coding != NULL;
}

bool body_is_stream(const struct exchange *exchange)
{
    return exchange->codec && exchange->codec->becomes;
}

static size_t most_of(const struct exchange *exchange, const char **flag)
{
    const struct api_settings *settings = &exchange->api->settings;

    *flag = body_is_stream(exchange) ? "--max-dataset" : "--max-body";
    return body_is_stream(exchange) ? settings->max_dataset : settings->max_body;
}

bool body_fits(struct exchange *exchange, uint64_t bytes)
{
    const char *flag;
    size_t most = most_of(exchange, &flag);

    if (bytes <= most)
        return true;
    if (exchange->head.has_content_length)
        return fail_limit(
            &exchange->err, ERR_TOO_LARGE, NULL, most, flag,
            "the body has %llu bytes; at most %zu are allowed (%s raises that)",
            (unsigned long long)bytes, most, flag);
    return fail_limit(&exchange->err, ERR_TOO_LARGE, NULL, most, flag,
                      "the body has more than the %zu bytes that are allowed (%s raises "
                      "that)",
                      most, flag);
}

uint64_t body_text(const struct exchange *exchange, uint64_t bytes)
{
    const char *flag;
    uint64_t most = most_of(exchange, &flag);

    if (!exchange->coding)
        return bytes;
    uint64_t usual = bytes < most / USUAL_RATIO ? bytes * USUAL_RATIO : most;
    uint64_t seen = exchange->inflater ? inflater_count(exchange->inflater) : 0;
    return seen > usual ? seen : usual;
}

/* ---- reading ---------------------------------------------------------------------- */

bool body_begin(struct exchange *exchange)
{
    const char *flag;
    size_t most = most_of(exchange, &flag);
    struct err *err = &exchange->err;

    exchange->decoder = exchange->codec->begin(exchange->head.content_type,
                                               &exchange->batch, &exchange->mem, err);
    if (!exchange->coding || !exchange->decoder)
        return exchange->decoder != NULL;
    const struct inflater_limits limits = {most, flag, exchange->api->settings.max_ratio,
                                           RATIO_FROM};
    exchange->inflater = inflater_new(exchange->coding, limits, &exchange->mem, err);
    return exchange->inflater != NULL;
}

static bool decode(struct exchange *exchange, struct span text)
{
    return exchange->codec->feed(exchange->decoder, text, &exchange->err);
}

static bool inflate_and_decode(struct exchange *exchange, struct span piece)
{
    struct span text;

    inflater_give(exchange->inflater, piece);
    while (inflater_next(exchange->inflater, &text, &exchange->err)) {
        if (text.len == 0)
            return true;
        if (!decode(exchange, text))
            return false;
    }
    return false;
}

/* What the head says of it counts more. */
static void note_timeout(struct exchange *exchange)
{
    const struct codec *codec = exchange->codec;

    if (codec->timeout_ns && exchange->wishes.timeout_ns == 0)
        exchange->wishes.timeout_ns = codec->timeout_ns(exchange->decoder);
}

/* What is within the limit is looked at first: which error it is must not depend on how
 * the body was cut. */
bool body_read(struct exchange *exchange, struct span piece)
{
    const char *flag;
    uint64_t most = most_of(exchange, &flag), before = exchange->body_bytes;

    exchange->body_bytes += piece.len;
    if (!exchange->decoder)
        return body_fits(exchange, exchange->body_bytes);
    if (exchange->body_bytes > most)
        piece.len = before < most ? (size_t)(most - before) : 0;
    if (!(exchange->inflater ? inflate_and_decode(exchange, piece)
                             : decode(exchange, piece)))
        return false;
    note_timeout(exchange);
    return body_fits(exchange, exchange->body_bytes);
}

bool body_end(struct exchange *exchange)
{
    struct err *err = &exchange->err;

    return (!exchange->inflater || inflater_finish(exchange->inflater, err)) &&
           exchange->codec->finish(exchange->decoder, err);
}
