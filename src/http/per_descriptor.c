#include "http/per_descriptor.h"

#include <stdatomic.h>
#include <stdlib.h>

static void *on_shelf(const struct per_descriptor *all, char *shelf, int fd)
{
    return shelf + (size_t)(fd % PER_DESCRIPTOR_SHELF) * all->size;
}

void *per_descriptor_look(struct per_descriptor *all, int fd)
{
    char *shelf = atomic_load(&all->shelf[fd / PER_DESCRIPTOR_SHELF]);

    return shelf ? on_shelf(all, shelf, fd) : NULL;
}

void *per_descriptor_make(struct per_descriptor *all, int fd)
{
    char *_Atomic *place = &all->shelf[fd / PER_DESCRIPTOR_SHELF];
    char *shelf = atomic_load(place), *made;

    if (shelf)
        return on_shelf(all, shelf, fd);
    if (!(made = calloc(PER_DESCRIPTOR_SHELF, all->size)))
        return NULL;
    if (atomic_compare_exchange_strong(place, &shelf, made))
        return on_shelf(all, made, fd);
    free(made);
    return on_shelf(all, shelf, fd);
}
