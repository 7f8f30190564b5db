#include "http/parcel.h"

#include <stdlib.h>
#include <string.h>

/* Half a millisecond's work; and it stays in the cache. */
enum { PARCEL_SIZE = 256 << 10 };

void shelf_release(struct shelf *shelf)
{
    while (shelf->count > 0)
        free(shelf->parcel[--shelf->count]);
}

bool parcel_open(struct parcel *parcel, struct shelf *shelf, struct arena *mem,
                 struct err *err)
{
    *parcel = (struct parcel){0};
    if (!arena_charge(mem, PARCEL_SIZE, err))
        return false;
    parcel->at = shelf->count > 0 ? shelf->parcel[--shelf->count] : malloc(PARCEL_SIZE);
    return parcel->at ||
           fail(err, ERR_OVERLOADED, NULL, "the machine has no memory left");
}

void parcel_close(struct parcel *parcel, struct shelf *shelf)
{
    if (parcel->at && shelf->count < SHELF_PLACES)
        shelf->parcel[shelf->count++] = parcel->at;
    else
        free(parcel->at);
    *parcel = (struct parcel){0};
}

size_t parcel_put(struct parcel *parcel, struct span text)
{
    size_t room = parcel_room(parcel), n = text.len < room ? text.len : room;

    memcpy(parcel->at + parcel->len, text.at, n);
    parcel->len += n;
    return n;
}

struct span parcel_empty(struct parcel *parcel)
{
    struct span text = {parcel->at, parcel->len};

    parcel->len = parcel->taken = 0;
    return text;
}

size_t parcel_take(struct parcel *parcel, char *out, size_t capacity)
{
    size_t left = parcel->len - parcel->taken, n = left < capacity ? left : capacity;

    memcpy(out, parcel->at + parcel->taken, n);
    parcel->taken += n;
    return n;
}

char *parcel_end(const struct parcel *parcel)
{
    return parcel->at + parcel->len;
}

size_t parcel_room(const struct parcel *parcel)
{
    return PARCEL_SIZE - parcel->len;
}
