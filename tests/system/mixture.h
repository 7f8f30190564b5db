/* Clients of every kind at once: small and large, whole and in chunks, on kept and on
 * new connections, pipelined, refused, slow, and such as leave.  Each kind is a thread
 * that does one thing after the other. */
#ifndef LOSSD_TESTS_MIXTURE_H
#define LOSSD_TESTS_MIXTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { MIXTURE_KINDS = 9 };

struct mixture;

struct ingredient {
    pthread_t thread;
    struct mixture *mixture;
    bool (*act)(struct ingredient *); /* false: it was not answered as it must be */
    unsigned long turns; /* acts that it is to do, 0: until the others have done theirs */
    unsigned long acts;
    bool runs;
    unsigned status, wanted; /* of the last answer */
    int error;               /* why there was none */
};

struct mixture {
    unsigned port;
    unsigned pause_ms; /* between two acts of a client */
    char *large;
    atomic_bool ending;
    _Atomic unsigned long wrong; /* acts that were not answered as they must be */
    char complaint[300];         /* about the first of them */
    struct ingredient kinds[MIXTURE_KINDS];
};

/* Each is to act so often, or until it is stopped if `turns` is 0.  The service needs
 * --max-body 1MiB, and a --header-timeout that is short.  False: not all of them could
 * begin; to be stopped in both cases. */
bool mixture_start(struct mixture *mixture, unsigned port, unsigned pause_ms,
                   unsigned long turns);

/* Waits until all have had their turns, or stops them.  What they did in all. */
unsigned long mixture_stop(struct mixture *mixture);

#endif
