/* "recv;dur=0.012, parse;dur=0.004, …": milliseconds.  Every answer of a route that
 * computes has it, and five numbers by printf() took longer than all else that a short
 * answer needs. */
#include "api/timing.h"

#include <string.h>

#include "api/response.h"
#include "api/route.h"
#include "lossd/base/clock.h"
#include "lossd/base/number.h"

#define TEXT(text)               \
    {                            \
        (text), sizeof(text) - 1 \
    }
static const struct span before[STAGES] = {TEXT("recv;dur="), TEXT(", parse;dur="),
                                           TEXT(", queue;dur="), TEXT(", compute;dur="),
                                           TEXT(", encode;dur=")};
#undef TEXT

enum { LONGEST = sizeof ", compute;dur=" + 13 + sizeof ".000" /* of 2^63 ns */ };

_Static_assert(TIMING_SIZE >= STAGES * LONGEST + NUMBER_TEXT_MAX, "all stages fit");

/* What none of the stages took was spent on receiving. */
static void end_account(struct exchange *exchange)
{
    int64_t total = clock_ns() - exchange->began_ns, known = 0;

    for (enum stage s = STAGE_PARSE; s < STAGES; s++)
        known += exchange->stage_ns[s];
    exchange->stage_ns[STAGE_RECEIVE] = total > known ? total - known : 0;
}

static char *write_milliseconds(char *at, int64_t ns)
{
    int64_t us = (ns + 500) / 1000, part = us % 1000;

    if (us < 1000) /* most are */
        *at++ = '0';
    else
        at += number_write_int64(at, us / 1000);
    *at++ = '.';
    *at++ = (char)('0' + part / 100);
    *at++ = (char)('0' + part / 10 % 10);
    *at++ = (char)('0' + part % 10);
    return at;
}

void timing_tell(struct exchange *exchange, struct response *response)
{
    char *at = exchange->timing;

    if (!exchange->route || !exchange->route->task)
        return;
    end_account(exchange);
    if (!exchange->api->settings.server_timing)
        return;
    for (enum stage s = 0; s < STAGES; s++) {
        memcpy(at, before[s].at, before[s].len);
        at = write_milliseconds(at + before[s].len, exchange->stage_ns[s]);
    }
    *at = '\0';
    response_add(response, "Server-Timing", exchange->timing);
}
