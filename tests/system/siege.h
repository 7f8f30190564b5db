/* Slow clients, many at once.  They close nothing themselves. */
#ifndef LOSSD_TESTS_SIEGE_H
#define LOSSD_TESTS_SIEGE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

enum { BESIEGERS_MAX = 1000 };

/* How they are slow. */
struct slowness {
    const char *opening;
    unsigned openings;  /* how often that is sent */
    const char *drip;   /* what follows, byte by byte; NULL: they read a byte instead */
    const char *reaped; /* why the service ends them */
};

extern const struct slowness slow_headers, slow_bodies;
/* They ask for more than the sockets hold, and read next to nothing of it. */
extern const struct slowness slow_readers;

struct siege {
    const struct slowness *slowness;
    size_t count;
    unsigned drips;
    struct wire wires[BESIEGERS_MAX];
};

/* False: some could not connect; to be ended in both cases. */
bool siege_begin(struct siege *siege, const struct slowness *slowness, unsigned port,
                 size_t count);

/* The next byte of each that has not been told to stop. */
void siege_go_on(struct siege *siege);

void siege_end(struct siege *siege);

/* How many the service, at the port where it tells of itself, has ended for this
 * slowness; -1: it does not tell. */
double siege_reaped(const struct slowness *slowness, unsigned port);

#endif
