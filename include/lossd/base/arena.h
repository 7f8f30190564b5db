/* Memory of one request: taken piece by piece, given back all at once.
 *
 * An arena has a limit of its own and draws on a budget that all arenas share.
 * Either may refuse: then arena_alloc() returns NULL and has filled `err`
 * (ERR_TOO_LARGE for the arena's limit, ERR_OVERLOADED for the budget or for
 * the machine).  Large pieces are blocks of their own that can be resized.
 *
 * An arena belongs to one thread at a time.  A budget may be used by all. */
#ifndef LOSSD_BASE_ARENA_H
#define LOSSD_BASE_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/err.h"
#include "lossd/base/span.h"

struct budget {
    size_t limit;        /* bytes */
    size_t kept;         /* of them for arenas that are `favoured` */
    _Atomic size_t used; /* bytes reserved by all arenas */
};

struct arena_block;

struct arena {
    struct budget *budget;      /* NULL: no shared limit */
    bool favoured;              /* the owner's: may use what the budget keeps back */
    size_t limit;               /* bytes this arena may hold */
    const char *limit_flag;     /* names the limit in errors */
    size_t used;                /* bytes of all blocks */
    size_t reserved;            /* bytes taken from the budget, >= used */
    struct arena_block *blocks; /* the newest first */
    char *next;                 /* free space in the current small block */
    size_t left;
};

/* Prepares an arena that holds nothing.  `budget` may be NULL. */
void arena_init(struct arena *arena, size_t limit, const char *limit_flag,
                struct budget *budget);

/* Takes `bytes` from the budget in advance, so that allocations up to that sum
 * cannot be refused by it later.  False: ERR_OVERLOADED. */
bool arena_reserve(struct arena *arena, size_t bytes, struct err *err);

/* Bytes of that which are not in use. */
size_t arena_reserve_left(const struct arena *arena);

/* `count` objects of `size` bytes, not cleared, aligned for any type and, from 256 bytes
 * on, to 64.  NULL with `err` filled when there is no room.  count * size may not fit a
 * size_t. */
void *arena_alloc(struct arena *arena, size_t count, size_t size, struct err *err)
    __attribute__((warn_unused_result));

/* The same, with all bytes zero. */
void *arena_zalloc(struct arena *arena, size_t count, size_t size, struct err *err)
    __attribute__((warn_unused_result));

/* A piece of `bytes`, 64-byte aligned start not promised, which arena_resize() may move
 * when it resizes it.  `old` NULL makes a new one. */
void *arena_resize(struct arena *arena, void *old, size_t bytes, struct err *err)
    __attribute__((warn_unused_result));

/* A list of elements of `size` bytes that is full gets room for more of them, which
 * `capacity` then says.  NULL, with `old` as it was: no memory. */
void *arena_grow(struct arena *arena, void *old, size_t *capacity, size_t size,
                 struct err *err) __attribute__((warn_unused_result));

/* Gives a piece that arena_resize() made back before the arena ends. */
void arena_drop(struct arena *arena, void *piece);

/* Counts memory that is not the arena's own as if it were, until it is released. */
bool arena_charge(struct arena *arena, size_t bytes, struct err *err);

/* Gives back all large pieces before the arena ends, but for the one that `kept` (may
 * be NULL) points into, and what was reserved for more. */
void arena_trim(struct arena *arena, const void *kept);

/* Remembers how far the arena is; NULL: no memory.  Then arena_rewind() takes back all
 * that was given since, as often as one likes, and keeps no more of it than one block for
 * small pieces.  What was given before stays where it is and must not be dropped in
 * between. */
struct arena_block *arena_mark(struct arena *arena, struct err *err);
void arena_rewind(struct arena *arena, struct arena_block *mark);

/* A copy of the text, terminated. */
char *arena_text(struct arena *arena, struct span text, struct err *err);

/* Frees all blocks and returns the reservation.  The arena may be used again, and is
 * as favoured as before. */
void arena_release(struct arena *arena);

#endif
