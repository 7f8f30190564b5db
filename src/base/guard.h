/* Shows AddressSanitizer where pieces within a block end; nothing without it. */
#ifndef LOSSD_BASE_GUARD_H
#define LOSSD_BASE_GUARD_H

#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
#define IS_GUARDED 1
#elif defined(__has_feature)
#define IS_GUARDED __has_feature(address_sanitizer)
#else
#define IS_GUARDED 0
#endif

#if IS_GUARDED
#include <sanitizer/asan_interface.h>

enum { GUARD_SIZE = 16 }; /* between two pieces */

static inline void guard(const void *at, size_t bytes)
{
    __asan_poison_memory_region(at, bytes);
}

static inline void unguard(const void *at, size_t bytes)
{
    __asan_unpoison_memory_region(at, bytes);
}
#else
enum { GUARD_SIZE = 0 };

static inline void guard(const void *at, size_t bytes)
{
    (void)at, (void)bytes;
}

static inline void unguard(const void *at, size_t bytes)
{
    (void)at, (void)bytes;
}
#endif

#endif
