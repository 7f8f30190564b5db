/* SIGTERM again and again while clients ask without a rest, at moments from their first
 * question on: ROUNDS=300. */
#include <stdio.h>
#include <stdlib.h>

#include "churn.h"
#include "service.h"
#include "verdict.h"

enum { MOMENTS = 40, ANSWERS_APART = 20 };

struct toll {
    unsigned started, killed, failed; /* services, by how they ended */
    struct churn_sum sum;
};

static bool stop_in_the_middle(struct toll *toll, unsigned round)
{
    struct service service;
    struct churn churn;

    if (!service_start(&service, NULL) || !churn_start(&churn, service.port) ||
        !churn_has_had(&churn, round % MOMENTS * ANSWERS_APART))
        return false;
    int status = service_stop(&service);
    toll->started++;
    toll->killed += status >= SERVICE_KILLED;
    toll->failed += status > 0 && status < SERVICE_KILLED;
    churn_join(&churn, &toll->sum);
    return true;
}

int main(void)
{
    const char *wanted = getenv("ROUNDS");
    unsigned rounds = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 300;
    struct verdict verdict = {0};
    struct toll toll = {0};

    for (unsigned round = 0; round < rounds; round++)
        if (!stop_in_the_middle(&toll, round)) {
            fprintf(stderr, "round %u could not be run\n", round);
            return 1;
        }
    verdict_exactly(&verdict, "SIGTERMs under churn", toll.started, rounds);
    verdict_exactly(&verdict, "ended by a signal", toll.killed, 0);
    verdict_exactly(&verdict, "exit status other than 0", toll.failed, 0);
    verdict_exactly(&verdict, "answers lost on kept connections", (double)toll.sum.lost,
                    0);
    verdict_exactly(&verdict, "answers other than 200", (double)toll.sum.other, 0);
    verdict_note("answers", (double)toll.sum.answered, "");
    verdict_note("lost on connections that arrived at the end", (double)toll.sum.fresh,
                 "");
    return verdict_end(&verdict);
}
