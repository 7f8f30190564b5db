/* Clients that never rest: keepers ask on one connection again and again, changers take
 * a new one for each question.  They end when the service does. */
#ifndef LOSSD_TESTS_CHURN_H
#define LOSSD_TESTS_CHURN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { CHURN_KEEPERS = 8, CHURN_CHANGERS = 4 };

struct churner {
    pthread_t thread;
    unsigned port;
    _Atomic unsigned answered;
    unsigned lost;  /* questions without an answer, on connections that had had one
                     * and had not been told to close */
    unsigned fresh; /* the same, on connections that were new */
    unsigned other; /* answers that were not 200 */
};

struct churn {
    struct churner keepers[CHURN_KEEPERS], changers[CHURN_CHANGERS];
};

/* What all of them have met. */
struct churn_sum {
    unsigned long answered, lost, fresh, other;
};

bool churn_start(struct churn *churn, unsigned port);

/* Waits until they have had so many answers together.  False when that does not come
 * true within half a minute. */
bool churn_has_had(struct churn *churn, unsigned answers);

/* Waits until the last has found that the service is no more; adds to the sum. */
void churn_join(struct churn *churn, struct churn_sum *sum);

#endif
