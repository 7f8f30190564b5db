#include "churn.h"

#include <stddef.h>
#include <time.h>

#include "wire.h"

#define QUESTION "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { PATIENCE_MS = 30000, STEP_US = 100 };

/* Asks one thing.  False when the connection does not go on. */
static bool ask(struct churner *churner, struct wire *wire, bool is_new)
{
    struct answer answer = {0};
    char value[300];
    bool goes_on = false;

    if (wire_post(wire, "/v1/loss", QUESTION, false) &&
        wire_answer(wire, false, &answer)) {
        goes_on = !answer_header(&answer, "Connection", value);
        churner->other += answer.status != 200;
        atomic_fetch_add(&churner->answered, 1);
    } else if (is_new) {
        churner->fresh++;
    } else {
        churner->lost++;
    }
    answer_release(&answer);
    return goes_on;
}

static void *keep_asking(void *arg)
{
    struct churner *churner = arg;
    struct wire wire;
    bool is_new = true;

    if (!wire_open(&wire, churner->port))
        return NULL;
    while (ask(churner, &wire, is_new))
        is_new = false;
    wire_close(&wire);
    return NULL;
}

static void *keep_changing(void *arg)
{
    struct churner *churner = arg;
    struct wire wire;

    while (wire_open(&wire, churner->port)) {
        ask(churner, &wire, true);
        wire_close(&wire);
    }
    return NULL;
}

static bool start(struct churner *churners, size_t count, unsigned port,
                  void *(*run)(void *))
{
    for (size_t i = 0; i < count; i++) {
        churners[i] = (struct churner){.port = port};
        if (pthread_create(&churners[i].thread, NULL, run, &churners[i]) != 0)
            return false;
    }
    return true;
}

bool churn_start(struct churn *churn, unsigned port)
{
    return start(churn->keepers, CHURN_KEEPERS, port, keep_asking) &&
           start(churn->changers, CHURN_CHANGERS, port, keep_changing);
}

static unsigned answers(const struct churner *churners, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += atomic_load(&churners[i].answered);
    return sum;
}

bool churn_has_had(struct churn *churn, unsigned count)
{
    for (long waited = 0; waited < PATIENCE_MS * 1000L; waited += STEP_US) {
        if (answers(churn->keepers, CHURN_KEEPERS) +
                answers(churn->changers, CHURN_CHANGERS) >=
            count)
            return true;
        nanosleep(&(struct timespec){0, STEP_US * 1000}, NULL);
    }
    return false;
}

static void join(struct churner *churners, size_t count, struct churn_sum *sum)
{
    for (size_t i = 0; i < count; i++) {
        pthread_join(churners[i].thread, NULL);
        sum->answered += atomic_load(&churners[i].answered);
        sum->lost += churners[i].lost;
        sum->fresh += churners[i].fresh;
        sum->other += churners[i].other;
    }
}

void churn_join(struct churn *churn, struct churn_sum *sum)
{
    join(churn->keepers, CHURN_KEEPERS, sum);
    join(churn->changers, CHURN_CHANGERS, sum);
}
