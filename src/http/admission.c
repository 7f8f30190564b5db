#include "http/admission.h"

enum {
    AS_ESTIMATED = 1000, /* the pace before anything has been measured */
    SLOWEST = 1000 * AS_ESTIMATED,
    SMOOTHING = 8, /* a measurement counts for an eighth */
    RETRY_MOST_S = 30
};

static const int64_t SECOND = INT64_C(1000000000);

struct admission admission_of(size_t threads, size_t places, size_t kept,
                              int64_t longest_ns, size_t most_elements)
{
    return (struct admission){.threads = threads ? threads : 1,
                              .places = places,
                              .kept = kept,
                              .longest_ns = longest_ns,
                              .most_elements = most_elements,
                              .pace = AS_ESTIMATED};
}

int64_t admission_wait_ns(const struct admission *admission)
{
    double work = (double)atomic_load(&admission->work_ns);
    double pace = (double)atomic_load(&admission->pace) / AS_ESTIMATED;

    return (int64_t)(work * pace / (double)admission->threads);
}

unsigned admission_retry_after_s(const struct admission *admission, int64_t chance)
{
    int64_t seconds = admission_wait_ns(admission) / SECOND + 1;

    if (seconds > RETRY_MOST_S)
        seconds = RETRY_MOST_S;
    return (unsigned)(seconds + chance / 1024 % (seconds / 4 + 1));
}

static bool has_idle_thread(const struct admission *admission)
{
    return atomic_load(&admission->working) < admission->threads;
}

static size_t places_for(const struct admission *admission, bool is_small)
{
    return admission->places - (is_small ? 0 : admission->kept);
}

/* One more is under way, unless there are as many as may. */
static bool take_place(struct admission *admission, bool is_small, struct err *err)
{
    size_t under_way = atomic_load(&admission->under_way);
    size_t most = places_for(admission, is_small);

    do {
        if (under_way >= most && !has_idle_thread(admission))
            return fail(err, ERR_OVERLOADED, NULL,
                        "%zu requests are under way already, and while all threads are "
                        "busy no more than %zu may be (--queue-size raises that)",
                        under_way, most);
    } while (
        !atomic_compare_exchange_weak(&admission->under_way, &under_way, under_way + 1));
    return true;
}

/* Whatever this one may wait for, there is too much to be done already. */
static bool fail_long(const struct admission *admission, int64_t wait_ns, struct err *err)
{
    return fail(
        err, ERR_OVERLOADED, NULL,
        "requests that came before will take about %.3f s, and no more than %.3f s "
        "of work may be under way (--queue-work raises that)",
        (double)wait_ns / 1e9, (double)admission->longest_ns / 1e9);
}

/* Too much may wait, by its work or by its numbers: it would take more of them. */
static bool is_full(const struct admission *admission, int64_t wait_ns, struct err *err)
{
    size_t elements = atomic_load(&admission->elements);

    if (wait_ns > admission->longest_ns)
        return !fail_long(admission, wait_ns, err);
    return elements > admission->most_elements &&
           !fail(err, ERR_OVERLOADED, NULL,
                 "requests that came before have %zu numbers, and no more than %zu may "
                 "wait (--queue-elements raises that)",
                 elements, admission->most_elements);
}

bool admission_enter(struct admission *admission, const struct task_estimate *task,
                     enum shedding *why, struct err *err)
{
    int64_t wait = admission_wait_ns(admission);

    if (wait > task->timeout_ns && !has_idle_thread(admission)) {
        *why = SHED_WAIT;
        return fail(err, ERR_OVERLOADED, NULL,
                    "requests that came before will take about %.3f s; this one may wait "
                    "for %.3f s",
                    (double)wait / 1e9, (double)task->timeout_ns / 1e9);
    }
    if (!has_idle_thread(admission) && is_full(admission, wait, err)) {
        *why = SHED_QUEUE;
        return false;
    }
    if (!take_place(admission, task->is_small, err)) {
        *why = SHED_QUEUE;
        return false;
    }
    atomic_fetch_add(&admission->work_ns, task->cost_ns);
    return true;
}

bool admission_may_begin(const struct admission *admission, bool is_small,
                         struct err *err)
{
    size_t working = atomic_load(&admission->working);
    size_t most = places_for(admission, is_small);

    return working < most || has_idle_thread(admission) ||
           fail(err, ERR_OVERLOADED, NULL,
                "%zu requests are waiting for a thread or have one, and no more than "
                "%zu may be (--queue-size raises that)",
                working, most);
}

void admission_begin(struct admission *admission)
{
    atomic_fetch_add(&admission->working, 1);
}

void admission_end(struct admission *admission)
{
    atomic_fetch_sub(&admission->working, 1);
}

bool admission_is_crowded(const struct admission *admission)
{
    return atomic_load(&admission->working) > admission->threads;
}

void admission_grow(struct admission *admission, int64_t more_ns)
{
    atomic_fetch_add(&admission->work_ns, more_ns);
}

void admission_hold(struct admission *admission, size_t elements)
{
    atomic_fetch_add(&admission->elements, elements);
}

void admission_let_go(struct admission *admission, size_t elements)
{
    atomic_fetch_sub(&admission->elements, elements);
}

void admission_leave(struct admission *admission, int64_t cost_ns, int64_t took_ns)
{
    atomic_fetch_sub(&admission->under_way, 1);
    atomic_fetch_sub(&admission->work_ns, cost_ns);
    if (took_ns <= 0 || cost_ns <= 0)
        return;
    double measured = (double)took_ns / (double)cost_ns * AS_ESTIMATED;
    int64_t pace = atomic_load(&admission->pace), next;
    if (measured > SLOWEST)
        measured = SLOWEST;
    do {
        next = pace + ((int64_t)measured - pace) / SMOOTHING;
        if (next < 1)
            next = 1;
    } while (!atomic_compare_exchange_weak(&admission->pace, &pace, next));
}
