#include "api/request_id.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

static bool is_acceptable(struct span id)
{
    if (id.len == 0 || id.len >= REQUEST_ID_SIZE)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.at[i];
        if (c >= 0x80 || (!isalnum(c) && !strchr("._:@/+-", c)) || c == '\0')
            return false;
    }
    return true;
}

/* SplitMix64's finalizer: neighbouring counts give unrelated numbers. */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void request_id_choose(struct exchange *exchange)
{
    struct span sent = exchange->head.request_id;

    if (is_acceptable(sent)) {
        memcpy(exchange->request_id, sent.at, sent.len);
        exchange->request_id[sent.len] = '\0';
        return;
    }
    struct api *api = exchange->api;
    uint64_t count = atomic_fetch_add(&api->id_count, 1);
    static const char digits[] = "0123456789abcdef";
    uint64_t half[2] = {scramble(api->id_seed + 2 * count),
                        scramble(api->id_seed + 2 * count + 1)};
    for (unsigned i = 0; i < 16; i++) {
        exchange->request_id[i] = digits[half[0] >> (60 - i * 4) & 15];
        exchange->request_id[16 + i] = digits[half[1] >> (60 - i * 4) & 15];
    }
    exchange->request_id[32] = '\0';
}

static bool is_lower_hex(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!(text.at[i] >= '0' && text.at[i] <= '9') &&
            !(text.at[i] >= 'a' && text.at[i] <= 'f'))
            return false;
    return true;
}

static bool all_zero(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != '0')
            return false;
    return true;
}

/* version-traceid-parentid-flags: 2, 32, 16 and 2 digits; later versions may
 * append more. */
void trace_id_read(struct exchange *exchange)
{
    struct span sent = exchange->head.traceparent;

    exchange->trace_id[0] = '\0';
    if (sent.len < 55 || (sent.len > 55 && sent.at[55] != '-'))
        return;
    struct span version = {sent.at, 2}, trace = {sent.at + 3, 32};
    struct span parent = {sent.at + 36, 16}, flags = {sent.at + 53, 2};
    if (sent.at[2] != '-' || sent.at[35] != '-' || sent.at[52] != '-' ||
        !is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(parent) ||
        !is_lower_hex(flags) || all_zero(trace) || all_zero(parent) ||
        span_is(version, "ff") || (span_is(version, "00") && sent.len != 55))
        return;
    memcpy(exchange->trace_id, trace.at, trace.len);
    exchange->trace_id[trace.len] = '\0';
}
