#include "lossd/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "lossd/base/clock.h"

enum { MANY = 10000 };

/* A loop that counts how often each index was visited. */
struct visits {
    size_t n, grain, width;
    _Atomic unsigned *count;
    _Atomic unsigned *busy; /* by worker: its index is in use */
    _Atomic bool wrong;     /* a range too long or not aligned, a worker used twice */
};

static void visit(void *ctx, size_t from, size_t to, size_t worker)
{
    struct visits *visits = ctx;

    if (from % visits->grain != 0 || to <= from || to - from > visits->grain ||
        to > visits->n || worker >= visits->width)
        atomic_store(&visits->wrong, true);
    if (atomic_fetch_add(&visits->busy[worker], 1) != 0)
        atomic_store(&visits->wrong, true);
    for (size_t i = from; i < to; i++)
        atomic_fetch_add(&visits->count[i], 1);
    atomic_fetch_sub(&visits->busy[worker], 1);
}

static bool each_visited_once(struct pool *pool, size_t n, size_t grain)
{
    size_t ranges = n / grain + (n % grain > 0), width = pool_width(pool);
    struct visits visits = {
        .n = n, .grain = grain, .width = ranges < width ? ranges : width};
    bool once = true;

    visits.count = calloc(n + 1, sizeof *visits.count);
    visits.busy = calloc(width, sizeof *visits.busy);
    pool_for(pool, n, grain, visit, &visits);
    for (size_t i = 0; i < n; i++)
        once &= visits.count[i] == 1;
    once &= visits.count[n] == 0 && !visits.wrong;
    free(visits.count);
    free(visits.busy);
    return once;
}

static void pool_for__visits_every_index_exactly_once(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 7, 64, 65, 1000, MANY};
    static const size_t grains[] = {1, 2, 3, 64, 1000, SIZE_MAX};

    for (size_t threads = 1; threads <= 8; threads *= 2) {
        struct pool *pool = pool_new(threads, 0);
        assert_non_null(pool);
        assert_int_equal(pool_width(pool), threads + 1);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t g = 0; g < sizeof grains / sizeof *grains; g++)
                assert_true(each_visited_once(pool, sizes[s], grains[g]));
        pool_free(pool);
    }
}

static void pool_for__does_without_a_pool(void **state)
{
    (void)state;
    assert_int_equal(pool_width(NULL), 1);
    assert_true(each_visited_once(NULL, 1000, 7));
}

static void pool_for__is_right_when_short_loops_follow_each_other(void **state)
{
    (void)state;
    /* Loops of two chunks in quick succession: a woken thread mostly arrives
     * when its loop has ended and another one stands in the same slot. */
    struct pool *pool = pool_new(3, 0);

    for (int i = 0; i < 20000; i++)
        assert_true(each_visited_once(pool, 2, 1));
    pool_free(pool);
}

struct nest {
    struct pool *pool;
    _Atomic size_t good;
};

static void visit_within(void *ctx, size_t from, size_t to, size_t worker)
{
    struct nest *nest = ctx;

    (void)worker;
    for (size_t i = from; i < to; i++)
        if (each_visited_once(nest->pool, 100 + i, 3))
            atomic_fetch_add(&nest->good, 1);
}

static void pool_for__may_be_called_from_within_a_loop(void **state)
{
    (void)state;
    struct nest nest = {.pool = pool_new(2, 0)};

    pool_for(nest.pool, 200, 1, visit_within, &nest);
    assert_int_equal(nest.good, 200);
    pool_free(nest.pool);
}

static void *visit_from_thread(void *arg)
{
    visit_within(arg, 0, 200, 0);
    return NULL;
}

static void pool_for__may_be_called_from_several_threads_at_once(void **state)
{
    (void)state;
    struct nest nest = {.pool = pool_new(2, 0)};
    pthread_t threads[6];

    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit_from_thread, &nest), 0);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(nest.good, 6 * 200);
    pool_free(nest.pool);
}

/* A job that tells when it starts and ends when it may. */
struct errand {
    struct job job;
    struct pool *pool;
    pthread_mutex_t *lock;
    pthread_cond_t *changed;
    bool started, may_end;
    _Atomic size_t *done;
};

static void run_errand(struct job *job)
{
    struct errand *errand = (struct errand *)job;

    if (errand->lock) {
        pthread_mutex_lock(errand->lock);
        errand->started = true;
        pthread_cond_broadcast(errand->changed);
        while (!errand->may_end)
            pthread_cond_wait(errand->changed, errand->lock);
        pthread_mutex_unlock(errand->lock);
    }
    atomic_fetch_add(errand->done, 1);
}

static void let_end(struct errand *errand)
{
    pthread_mutex_lock(errand->lock);
    errand->may_end = true;
    pthread_cond_broadcast(errand->changed);
    pthread_mutex_unlock(errand->lock);
}

static void pool_submit__queues_while_all_threads_are_busy(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    _Atomic size_t done = 0;
    struct pool *pool = pool_new(1, 0);
    struct errand blocker = {
        {.run = run_errand}, pool, &lock, &changed, false, false, &done};
    struct errand waiting[4];

    pool_submit(pool, &blocker.job);
    pthread_mutex_lock(&lock);
    while (!blocker.started)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < 4; i++) {
        waiting[i] = (struct errand){.job = {.run = run_errand}, .done = &done};
        pool_submit(pool, &waiting[i].job);
    }
    assert_int_equal(pool_queued(pool), 4);
    /* the only thread is busy, and a loop still ends */
    assert_true(each_visited_once(pool, 1000, 10));
    let_end(&blocker);
    pool_free(pool);
    assert_int_equal(done, 5);
}

static void pool_help__does_what_waits_for_a_thread_in_turn(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    _Atomic size_t done[3] = {0};
    struct pool *pool = pool_new(1, 0);
    struct errand blocker = {
        {.run = run_errand}, pool, &lock, &changed, false, false, &done[0]};
    struct errand waiting[2];

    assert_false(pool_help(NULL));
    assert_false(pool_help(pool));
    pool_submit(pool, &blocker.job);
    pthread_mutex_lock(&lock);
    while (!blocker.started)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < 2; i++) {
        waiting[i] = (struct errand){.job = {.run = run_errand}, .done = &done[i + 1]};
        pool_submit(pool, &waiting[i].job);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_true(pool_help(pool));
        assert_int_equal(done[i + 1], 1);
        assert_int_equal(pool_queued(pool), 1 - i);
    }
    assert_int_equal(done[0], 0);
    assert_false(pool_help(pool));
    let_end(&blocker);
    pool_free(pool);
    assert_int_equal(done[0], 1);
}

struct look {
    struct job job;
    int nice;
};

static void run_look(struct job *job)
{
    struct look *look = (struct look *)(void *)job;

    look->nice = getpriority(PRIO_PROCESS, 0);
}

static void pool_new__makes_threads_that_give_way(void **state)
{
    (void)state;
    int own = getpriority(PRIO_PROCESS, 0);

    for (unsigned steps = 0; steps <= 5; steps += 5) {
        struct pool *pool = pool_new(1, steps);
        struct look look = {.job = {.run = run_look}, .nice = -99};
        pool_submit(pool, &look.job);
        pool_free(pool);
        assert_int_equal(look.nice, own + (int)steps > 19 ? 19 : own + (int)steps);
        assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
    }
}

static void pool_free__finishes_the_queued_jobs(void **state)
{
    (void)state;
    _Atomic size_t done = 0;
    struct pool *pool = pool_new(2, 0);
    static struct errand errands[500];

    for (size_t i = 0; i < 500; i++) {
        errands[i] = (struct errand){.job = {.run = run_errand}, .done = &done};
        pool_submit(pool, &errands[i].job);
    }
    pool_free(pool);
    assert_int_equal(done, 500);
}

static void loop_within_job(struct job *job)
{
    struct errand *errand = (struct errand *)job;

    if (each_visited_once(errand->pool, 1000, 7))
        atomic_fetch_add(errand->done, 1);
}

static void pool_for__may_be_called_from_within_a_job(void **state)
{
    (void)state;
    _Atomic size_t done = 0;
    struct pool *pool = pool_new(3, 0);
    struct errand errands[100];

    for (size_t i = 0; i < 100; i++) {
        errands[i] =
            (struct errand){.job = {.run = loop_within_job}, .pool = pool, .done = &done};
        pool_submit(pool, &errands[i].job);
    }
    assert_true(each_visited_once(pool, MANY, 11));
    pool_free(pool);
    assert_int_equal(done, 100);
}

/* A loop whose ranges last until a job that was queued before it has run, or for far too
 * long. */
static void wait_for_job(void *ctx, size_t from, size_t to, size_t worker)
{
    _Atomic size_t *done = ctx;
    int64_t until = clock_ns() + INT64_C(5000000000);

    (void)from;
    (void)to;
    (void)worker;
    while (atomic_load(done) == 0 && clock_ns() < until)
        sched_yield();
}

static void pool_submit__comes_before_a_loop_for_a_thread_that_slept(void **state)
{
    (void)state;
    struct pool *pool = pool_new(1, 0);

    for (int i = 0; i < 100; i++) {
        _Atomic size_t done = 0;
        struct errand errand = {.job = {.run = run_errand}, .done = &done};
        while (pool_busy(pool) > 0)
            sched_yield();
        pool_submit(pool, &errand.job);
        int64_t began = clock_ns();
        pool_for(pool, 2, 1, wait_for_job, &done);
        assert_true(clock_ns() - began < INT64_C(4000000000));
    }
    pool_free(pool);
}

/* A waiting loop may hold two threads: its own and the one that took its first
 * chunk.  There must be threads left to begin the other loops. */
enum { SLOTS = 64, CROWD = 2 * (SLOTS + 1) + 8 };

/* A loop within a job, that goes on once more loops than there are slots for
 * have begun. */
struct crowd {
    struct pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t grown;
    size_t loops;
    _Atomic size_t visited;
};

struct crowd_job {
    struct job job;
    struct crowd *crowd;
};

static void join_crowd(void *ctx, size_t from, size_t to, size_t worker)
{
    struct crowd *crowd = ctx;

    (void)worker;
    if (from == 0) {
        pthread_mutex_lock(&crowd->lock);
        crowd->loops++;
        pthread_cond_broadcast(&crowd->grown);
        while (crowd->loops <= SLOTS)
            pthread_cond_wait(&crowd->grown, &crowd->lock);
        pthread_mutex_unlock(&crowd->lock);
    }
    atomic_fetch_add(&crowd->visited, to - from);
}

static void run_crowd_job(struct job *job)
{
    struct crowd *crowd = ((struct crowd_job *)job)->crowd;

    pool_for(crowd->pool, 50, 5, join_crowd, crowd);
}

static void pool_for__works_when_every_slot_for_loops_is_in_use(void **state)
{
    (void)state;
    struct crowd crowd = {.pool = pool_new(CROWD, 0)};
    struct crowd_job jobs[CROWD];

    pthread_mutex_init(&crowd.lock, NULL);
    pthread_cond_init(&crowd.grown, NULL);
    for (size_t i = 0; i < CROWD; i++) {
        jobs[i] = (struct crowd_job){{.run = run_crowd_job}, &crowd};
        pool_submit(crowd.pool, &jobs[i].job);
    }
    pool_free(crowd.pool);
    assert_int_equal(crowd.visited, CROWD * 50);
    pthread_cond_destroy(&crowd.grown);
    pthread_mutex_destroy(&crowd.lock);
}

/* A job that says when it has begun, and waits until it may end. */
struct held_job {
    struct job job;
    _Atomic size_t *begun;
    pthread_mutex_t *end;
};

static void run_held_job(struct job *job)
{
    struct held_job *held = (struct held_job *)job;

    atomic_fetch_add(held->begun, 1);
    pthread_mutex_lock(held->end);
    pthread_mutex_unlock(held->end);
}

static void pool_busy__counts_the_threads_that_do_not_sleep(void **state)
{
    (void)state;
    pthread_mutex_t end = PTHREAD_MUTEX_INITIALIZER;
    _Atomic size_t begun = 0;
    struct held_job jobs[2];
    struct pool *pool = pool_new(3, 0);

    assert_int_equal(pool_threads(pool), 3);
    pthread_mutex_lock(&end);
    for (size_t i = 0; i < 2; i++) {
        jobs[i] = (struct held_job){{.run = run_held_job}, &begun, &end};
        pool_submit(pool, &jobs[i].job);
    }
    while (atomic_load(&begun) < 2 || pool_busy(pool) > 2)
        sched_yield(); /* until the third has found nothing to do */
    assert_int_equal(pool_busy(pool), 2);
    pthread_mutex_unlock(&end);
    while (pool_busy(pool) > 0)
        sched_yield();
    pool_free(pool);
    assert_int_equal(pool_threads(NULL), 0);
    assert_int_equal(pool_busy(NULL), 0);
}

static void queue_again(struct job *job)
{
    struct errand *errand = (struct errand *)job;

    if (atomic_fetch_add(errand->done, 1) + 1 < 1000)
        pool_submit(errand->pool, job);
}

static void pool_submit__takes_a_job_again_from_within_it(void **state)
{
    (void)state;
    _Atomic size_t done = 0;
    struct pool *pool = pool_new(2, 0);
    struct errand errand = {.job = {.run = queue_again}, .pool = pool, .done = &done};

    pool_submit(pool, &errand.job);
    pool_free(pool);
    assert_int_equal(done, 1000);
}

static void pool_submit__runs_the_job_here_without_a_pool(void **state)
{
    (void)state;
    _Atomic size_t done = 0;
    struct errand errand = {.job = {.run = run_errand}, .done = &done};

    pool_submit(NULL, &errand.job);
    assert_int_equal(done, 1);
    assert_int_equal(pool_queued(NULL), 0);
    pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_for__visits_every_index_exactly_once),
        cmocka_unit_test(pool_for__does_without_a_pool),
        cmocka_unit_test(pool_for__is_right_when_short_loops_follow_each_other),
        cmocka_unit_test(pool_for__may_be_called_from_within_a_loop),
        cmocka_unit_test(pool_for__may_be_called_from_several_threads_at_once),
        cmocka_unit_test(pool_for__works_when_every_slot_for_loops_is_in_use),
        cmocka_unit_test(pool_submit__queues_while_all_threads_are_busy),
        cmocka_unit_test(pool_help__does_what_waits_for_a_thread_in_turn),
        cmocka_unit_test(pool_busy__counts_the_threads_that_do_not_sleep),
        cmocka_unit_test(pool_new__makes_threads_that_give_way),
        cmocka_unit_test(pool_free__finishes_the_queued_jobs),
        cmocka_unit_test(pool_for__may_be_called_from_within_a_job),
        cmocka_unit_test(pool_submit__comes_before_a_loop_for_a_thread_that_slept),
        cmocka_unit_test(pool_submit__takes_a_job_again_from_within_it),
        cmocka_unit_test(pool_submit__runs_the_job_here_without_a_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
