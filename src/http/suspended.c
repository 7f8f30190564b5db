#include "http/suspended.h"

void suspended_init(struct suspended *suspended)
{
    pthread_mutex_init(&suspended->lock, NULL);
    pthread_cond_init(&suspended->none, NULL);
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

void suspended_finish(struct suspended *suspended)
{
    pthread_mutex_lock(&suspended->lock);
    suspended->ending = true;
    while (suspended->count > 0)
        pthread_cond_wait(&suspended->none, &suspended->lock);
    pthread_mutex_unlock(&suspended->lock);
}
