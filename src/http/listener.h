/* Sockets that listen. */
#ifndef LOSSD_HTTP_LISTENER_H
#define LOSSD_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lossd/base/address.h"
#include "lossd/base/err.h"

enum {
    LISTENERS_MAX = 16,
    LISTENER_NAME_SIZE = 320,
    LISTENER_BACKLOG = 4096 /* connections that wait to be taken, at most */
};

struct listener {
    int fd;
    char name[LISTENER_NAME_SIZE]; /* "http://127.0.0.1:8080", "unix:/run/lossd.sock" */
    char path[ADDRESS_PATH_SIZE];  /* of a file to be removed at the end, or "" */
    dev_t device;                  /* which file that is: another server may have put */
    ino_t inode;                   /* its own there */
};

struct listeners {
    size_t count;
    struct listener at[LISTENERS_MAX];
};

/* Listens on each address, commas between them; at a host's name, on the first of its
 * addresses where that is possible, which the listener is then named by.  False with
 * `err` filled, naming the address and the reason; what has been opened is to be closed
 * all the same.
 *
 * A file of a unix socket is replaced when nobody listens there any more. */
bool listeners_open(struct listeners *listeners, const char *addresses, struct err *err);

/* Takes over `count` descriptors from 3 on, as systemd hands them down.  False, as
 * above, when one is no socket that listens. */
bool listeners_inherit(struct listeners *listeners, size_t count, struct err *err);

/* Closes them and removes their files.  May be called twice. */
void listeners_close(struct listeners *listeners);

#endif
