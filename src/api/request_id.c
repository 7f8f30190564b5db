#include "api/request_id.h"

#include <ctype.h>
#include <stdint.h>

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

/* Eight digits, in whatever order the machine keeps bytes. */
static void write_hex(uint32_t value, char out[8])
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t x = value;

    x = (x | x << 16) & UINT64_C(0x0000FFFF0000FFFF);
    x = (x | x << 8) & UINT64_C(0x00FF00FF00FF00FF);
    x = (x | x << 4) & (each * 0x0F);
    uint64_t letters = (x + each * 6) >> 4 & each;
    x += each * '0' + letters * ('a' - '0' - 10);
    memcpy(out, &x, sizeof x);
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
    for (unsigned half = 0; half < 2; half++) {
        uint64_t bits = scramble(api->id_seed + 2 * count + half);
        write_hex((uint32_t)bits, exchange->request_id + 16 * half);
        write_hex((uint32_t)(bits >> 32), exchange->request_id + 16 * half + 8);
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
