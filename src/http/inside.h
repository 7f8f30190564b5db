/* The server as its own files see it: what its threads share. */
#ifndef LOSSD_HTTP_INSIDE_H
#define LOSSD_HTTP_INSIDE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/acceptor.h"
#include "http/admission.h"
#include "http/connection.h"
#include "http/parcel.h"
#include "http/reaper.h"
#include "http/refuse.h"
#include "http/tally.h"
#include "lossd/http/server.h"

/* A network thread. */
struct net {
    struct server *server;
    bool is_admin;  /* its requests may only ask how the service is */
    bool is_prompt; /* has asked the scheduler for it; the thread's own */
    struct MHD_Daemon *daemon;
    struct registry registry;
    struct shelf shelf;
    /* Sockets handed over whose start the thread has not told of, and the least
     * that there have been since the reaper looked: see reaper.c. */
    _Atomic long arriving, arriving_least;
};

struct server {
    struct server_settings settings;
    struct api *api;
    struct pool *pool;
    struct budget *budget;
    const struct log *log;
    struct meter *meter;
    struct admission admission;
    struct acceptor *acceptor, *admin_acceptor; /* the latter may be NULL */
    struct refuser *refuser;
    struct reaper *reaper;
    atomic_bool parting;  /* answers say Connection: close; */
    atomic_bool draining; /* and connections that are idle end */
    pthread_mutex_t lock; /* of the jobs */
    pthread_cond_t no_jobs;
    size_t jobs; /* connections suspended for the pool */
    bool ending; /* no more of them may begin */
    size_t nets;
    struct net net[]; /* the administrator's, if there is one, is the last */
};

/* Starts the thread's daemon.  Without a `thread` of its own it only does something when
 * the caller runs it. */
bool net_open(struct net *net, enum MHD_FLAG thread);

/* Connections of a thread, those on their way to it included. */
size_t net_load(const struct net *net);

/* Is there nobody whom the thread could keep waiting?  Then it does what takes time
 * itself, because handing over has its price. */
bool net_has_one(const struct net *net);

/* And are there too few to help with a long answer? */
bool net_writes_alone(const struct net *net);

/* A connection is about to be suspended for the pool.  False: not any more. */
bool server_begin_job(struct server *server);

/* It has been resumed. */
void server_end_job(struct server *server);

/* True when nobody will wait for the answers to jobs that have not begun. */
bool server_ending(struct server *server);

/* Makes a refusal without a request: of `fd`, by hand, and without a body `to_head`.
 * `request_id` may be NULL. */
void server_refuse(struct server *server, int fd, bool to_head, enum err_kind kind,
                   const char *request_id, const char *why);

#endif
