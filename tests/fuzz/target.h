/* What every fuzz target has: an entry, a judge, and cuts that come from the input. */
#ifndef LOSSD_TESTS_TARGET_H
#define LOSSD_TESTS_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The fuzzers' name for it; replay.c calls it too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not true: %s\n", what);
    abort();
}

/* Where the cuts of an input begin: any change of it moves them all. */
static inline uint64_t cuts_of(const uint8_t *data, size_t size)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* The size of the next piece: 1 to 512, the small ones more often. */
static inline size_t next_step(uint64_t *cuts)
{
    *cuts = *cuts * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return 1 + (*cuts >> 33) % ((size_t)1 << (*cuts >> 58) % 10);
}

#endif
