/* The server as its own files see it: what its threads share. */
#ifndef LOSSD_HTTP_INSIDE_H
#define LOSSD_HTTP_INSIDE_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/acceptor.h"
#include "http/admission.h"
#include "http/connection.h"
#include "http/parcel.h"
#include "http/reaper.h"
#include "http/refuse.h"
#include "http/suspended.h"
#include "http/tally.h"
#include "lossd/http/server.h"

/* A network thread. */
struct net {
    struct server *server;
    bool is_admin;  /* its requests may only ask how the service is */
    bool is_prompt; /* has asked the scheduler for it; the thread's own */
    /* The library is about to close a connection whose buffer has no room for an answer's
     * head; the thread's own. */
    bool lacks_room;
    bool lacks_record; /* it has found none for an argument or a header; likewise */
    struct MHD_Daemon *daemon;
    struct registry registry;
    struct shelf shelf;
    /* Sockets handed over whose start the thread has not told of, and the least
     * that there have been since the reaper looked: see reaper.c. */
    _Atomic long arriving, arriving_least;
};

/* So many are arriving now. */
static inline void net_note_arriving(struct net *net, long arriving)
{
    long least = atomic_load(&net->arriving_least);

    while (arriving < least &&
           !atomic_compare_exchange_weak(&net->arriving_least, &least, arriving))
        continue;
}

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
    struct suspended suspended;
    size_t nets;
    struct net net[]; /* the administrator's, if there is one, is the last */
};

#endif
