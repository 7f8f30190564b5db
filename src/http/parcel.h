/* Text that a network thread and the pool hand each other: a part of a body, or of an
 * answer.
 *
 * Reading and writing numbers takes so long that it would hold up every other
 * connection of the thread, so the thread that moves bytes only copies them; and
 * handing over takes so long that it is worth it for many of them at a time. */
#ifndef LOSSD_HTTP_PARCEL_H
#define LOSSD_HTTP_PARCEL_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/arena.h"
#include "lossd/base/span.h"

struct parcel {
    char *at; /* NULL: there is none */
    size_t len, taken;
    bool last; /* nothing comes after it */
};

/* Empty parcels that a network thread keeps for the next request: memory fresh from the
 * system would have to be cleared page by page, and taking it or giving it back waits
 * for whichever thread is just doing the same with much of it. */
enum { SHELF_PLACES = 8 };
struct shelf {
    char *parcel[SHELF_PLACES];
    size_t count;
};

void shelf_release(struct shelf *shelf);

/* An empty one, charged to the arena.  False: there is no memory left. */
bool parcel_open(struct parcel *parcel, struct shelf *shelf, struct arena *mem,
                 struct err *err);

/* Puts it back.  For one that has not been opened, nothing. */
void parcel_close(struct parcel *parcel, struct shelf *shelf);

/* Puts in as much of the text as fits, and says how much that is. */
size_t parcel_put(struct parcel *parcel, struct span text);

/* Empties it of the text that it holds, which stays there until something is put in. */
struct span parcel_empty(struct parcel *parcel);

/* Takes out the next bytes, at most `capacity`; 0 when nothing is left. */
size_t parcel_take(struct parcel *parcel, char *out, size_t capacity);

/* The place behind the text, and its size. */
char *parcel_end(const struct parcel *parcel);
size_t parcel_room(const struct parcel *parcel);

#endif
