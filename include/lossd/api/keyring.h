/* The keys of those who may ask, read from a file: one key a line, comments from # at its
 * start or behind a blank to its end, empty lines.
 *
 * A key has 16 to 255 printable ASCII characters, no blanks.  It appears in no
 * message.  Thread-safe. */
#ifndef LOSSD_API_KEYRING_H
#define LOSSD_API_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/err.h"
#include "lossd/base/span.h"

struct keyring;

/* NULL with `err` filled, naming the file and the line: it cannot be read, has no
 * key, or one that is none. */
struct keyring *keyring_new(const char *path, struct err *err);

/* NULL is allowed. */
void keyring_free(struct keyring *keyring);

/* Reads the file again.  False with `err` filled: the keys are as before. */
bool keyring_reload(struct keyring *keyring, struct err *err);

/* How many keys there are. */
size_t keyring_count(struct keyring *keyring);

/* Does the value of an Authorization header, empty when there was none, open?  False
 * with ERR_UNAUTHORIZED in `err`.  The time that takes tells nothing of the keys but
 * how many there are. */
bool keyring_opens(struct keyring *keyring, struct span authorization, struct err *err);

#endif
