/* Where to listen, as settings say it. */
#ifndef LOSSD_BASE_ADDRESS_H
#define LOSSD_BASE_ADDRESS_H

#include <stdbool.h>

#include "lossd/base/err.h"
#include "lossd/base/span.h"

enum { ADDRESS_HOST_SIZE = 256, ADDRESS_PATH_SIZE = 108 };

struct address {
    char host[ADDRESS_HOST_SIZE]; /* "" for that of a socket in the file system */
    char port[8];
    char path[ADDRESS_PATH_SIZE]; /* "/run/lossd.sock"; "@name" has no file */
};

/* Reads "8080", "host:8080", "[::1]:8080", "unix:/path" or "unix:@name"; a port alone is
 * of 127.0.0.1.  False with ERR_INVALID_OPTION, naming the text and what was wanted. */
bool address_read(struct span text, struct address *out, struct err *err);

/* The next of several with commas between; moves `rest` on.  False: there is none. */
bool address_next(struct span *rest, struct span *out);

/* False with ERR_INVALID_OPTION, naming the second of two in the list that nothing can
 * listen on at the same time: they are one address, or one takes in the other as 0.0.0.0
 * does.  What is no address is passed over; the names of hosts are not looked up. */
bool addresses_check_apart(const char *list, struct err *err);

#endif
