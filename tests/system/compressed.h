/* Texts as clients compress them. */
#ifndef LOSSD_TESTS_COMPRESSED_H
#define LOSSD_TESTS_COMPRESSED_H

#include <stddef.h>

#include "lossd/base/span.h"

struct compressed {
    char *at; /* to be freed */
    size_t len;
};

struct compressed compressed_gzip(struct span text);
struct compressed compressed_zlib(struct span text); /* which HTTP calls deflate */

/* By the words that Content-Encoding has for the two. */
struct compressed compressed_as(const char *coding, struct span text);

/* Gzip data of `count` times the text, without that being anywhere. */
struct compressed compressed_bomb(const char *begin, const char *text, size_t count);

#endif
