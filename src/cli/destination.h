/* Where the service is: a URL, and perhaps a socket, made from what the user gave. */
#ifndef LOSSD_CLI_DESTINATION_H
#define LOSSD_CLI_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/address.h"

struct destination {
    const char *command;  /* whose help says how it is given */
    const char *given;    /* "http://host:8080", or NULL for the server of this machine */
    const char *path;     /* "/v1/loss": for an address that has none */
    char *const *options; /* "reduction=sum" or "pretty", to become its query */
    size_t option_count;
    bool is_for_health; /* so the administrator's address will do, and does better */

    /* found by destination_find() */
    char *url;
    /* instead of TCP: "/run/lossd.sock", "@name"; or "" */
    char socket[ADDRESS_PATH_SIZE];
};

/* Fills `url` and `socket`.  Else, after a complaint, returns what to exit with: EXIT_USAGE
 * for what is given wrong, and for the environment, unless it is for health; there, and
 * without memory, EXIT_BAD.  To be freed in any case. */
int destination_find(struct destination *destination);
void destination_free(struct destination *destination);

/* Names it for the user: its URL, or "unix:" and its socket. */
const char *destination_name(const struct destination *destination, char *room,
                             size_t size);

#endif
