#include "http/jobs.h"

void jobs_init(struct jobs *jobs)
{
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->none, NULL);
    jobs->count = 0;
    jobs->ending = false;
}

void jobs_release(struct jobs *jobs)
{
    pthread_cond_destroy(&jobs->none);
    pthread_mutex_destroy(&jobs->lock);
}

bool jobs_begin(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    bool may = !jobs->ending;
    jobs->count += may;
    pthread_mutex_unlock(&jobs->lock);
    return may;
}

void jobs_end(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    if (--jobs->count == 0)
        pthread_cond_signal(&jobs->none);
    pthread_mutex_unlock(&jobs->lock);
}

bool jobs_are_ending(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    bool ending = jobs->ending;
    pthread_mutex_unlock(&jobs->lock);
    return ending;
}

void jobs_finish(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->ending = true;
    while (jobs->count > 0)
        pthread_cond_wait(&jobs->none, &jobs->lock);
    pthread_mutex_unlock(&jobs->lock);
}
