/* Functions that the HTTP library calls through the dynamic linker, and that this program
 * has in its place: the one that would be called without. */
#ifndef LOSSD_HTTP_REPLACED_H
#define LOSSD_HTTP_REPLACED_H

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Into *function, a pointer to one.  Without it nothing works. */
static inline void replaced_find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    memcpy(function, &found, sizeof found);
}

#endif
