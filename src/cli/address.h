/* Where the service is: an address made from what the user gave. */
#ifndef LOSSD_CLI_ADDRESS_H
#define LOSSD_CLI_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct address {
    const char *given;    /* "http://host:8080", or NULL for the server of this machine */
    const char *path;     /* "/v1/loss": for an address that has none */
    char *const *options; /* "reduction=sum" or "pretty", to become its query */
    size_t option_count;
};

/* The URL, to be freed with address_free().  NULL after a complaint. */
char *address_url(const struct address *address);
void address_free(char *url);

#endif
