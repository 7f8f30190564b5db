#include "http/suspended.h"

#include <errno.h>
#include <time.h>

#include "lossd/base/clock.h"

static const int64_t SECOND_NS = INT64_C(1000000000);

void suspended_init(struct suspended *suspended)
{
    pthread_mutex_init(&suspended->lock, NULL);
    clock_condition_init(&suspended->none);
    suspended->count = 0;
    suspended->ending = false;
}

void suspended_release(struct suspended *suspended)
{
    pthread_cond_destroy(&suspended->none);
    pthread_mutex_destroy(&suspended->lock);
}

bool suspended_begin(struct suspended *suspended)
{
    pthread_mutex_lock(&suspended->lock);
    bool may = !suspended->ending;
    suspended->count += may;
    pthread_mutex_unlock(&suspended->lock);
    return may;
}

void suspended_end(struct suspended *suspended)
{
    pthread_mutex_lock(&suspended->lock);
    if (--suspended->count == 0)
        pthread_cond_signal(&suspended->none);
    pthread_mutex_unlock(&suspended->lock);
}

bool suspended_are_ending(struct suspended *suspended)
{
    pthread_mutex_lock(&suspended->lock);
    bool ending = suspended->ending;
    pthread_mutex_unlock(&suspended->lock);
    return ending;
}

void suspended_forbid(struct suspended *suspended)
{
    pthread_mutex_lock(&suspended->lock);
    suspended->ending = true;
    pthread_mutex_unlock(&suspended->lock);
}

size_t suspended_finish(struct suspended *suspended, int64_t longest_ns)
{
    struct timespec end;
    int trouble = 0;

    clock_gettime(CLOCK_MONOTONIC, &end);
    longest_ns += end.tv_nsec;
    end.tv_sec += (time_t)(longest_ns / SECOND_NS);
    end.tv_nsec = (long)(longest_ns % SECOND_NS);
    suspended_forbid(suspended);
    pthread_mutex_lock(&suspended->lock);
    while (suspended->count > 0 && trouble != ETIMEDOUT)
        trouble = pthread_cond_timedwait(&suspended->none, &suspended->lock, &end);
    size_t left = suspended->count;
    pthread_mutex_unlock(&suspended->lock);
    return left;
}
