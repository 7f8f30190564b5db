/* How fast this machine's memory is: the limit of what an engine can do, over the
 * same bytes that it works on. */
#ifndef LOSSD_BENCH_MEMORY_H
#define LOSSD_BENCH_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lossd/base/pool.h"

enum { MEMORY_GRAIN = 1 << 16 }; /* bytes a thread takes at a time */

struct memory_pass {
    const char *from;
    char *to; /* NULL: only read */
    size_t bytes;
    struct pool *pool;
};

typedef uint64_t memory_words __attribute__((vector_size(16), may_alias));

/* Several sums side by side, because one would wait for itself. */
static inline void read_bytes(const char *from, size_t bytes)
{
    const memory_words *at = (const memory_words *)(const void *)from;
    memory_words a = {0}, b = {0}, c = {0}, d = {0};

    for (size_t left = bytes / sizeof *at; left >= 8; left -= 8, at += 8) {
        a ^= at[0] ^ at[4];
        b ^= at[1] ^ at[5];
        c ^= at[2] ^ at[6];
        d ^= at[3] ^ at[7];
    }
    a ^= b ^ c ^ d;
    __asm__ volatile("" : : "m"(a)); /* somebody might look at it */
}

static inline void memory_range(void *ctx, size_t from, size_t to, size_t worker)
{
    const struct memory_pass *pass = ctx;

    (void)worker;
    if (pass->to)
        memcpy(pass->to + from, pass->from + from, to - from);
    else
        read_bytes(pass->from + from, to - from);
}

static inline void memory_run(void *ctx)
{
    struct memory_pass *pass = ctx;

    pool_for(pass->pool, pass->bytes, MEMORY_GRAIN, memory_range, pass);
}

#endif
