/* Something of a kind for every descriptor: zero until somebody writes it, and there for
 * as long as the program.  All functions may be called from any thread; what they return
 * is the caller's business. */
#ifndef LOSSD_HTTP_PER_DESCRIPTOR_H
#define LOSSD_HTTP_PER_DESCRIPTOR_H

#include <limits.h>
#include <stddef.h>

enum {
    PER_DESCRIPTOR_SHELF = 1 << 14, /* of so many descriptors that follow each other */
    PER_DESCRIPTOR_SHELVES = INT_MAX / PER_DESCRIPTOR_SHELF + 1
};

/* Static, and zero but for the size of what there is for each. */
struct per_descriptor {
    size_t size;
    char *_Atomic shelf[PER_DESCRIPTOR_SHELVES];
};

/* What is the descriptor's, which is not negative.  NULL: there is no memory. */
void *per_descriptor_make(struct per_descriptor *all, int fd);

/* The same, but NULL also where it was never made. */
void *per_descriptor_look(struct per_descriptor *all, int fd);

#endif
