/* Blocks from malloc, in a list; small pieces are cut from the newest block of
 * BLOCK_SIZE, larger ones get a block of their own.  Sanitizers and the
 * allocator's own return of large blocks to the system work as they always do,
 * which a hand-made heap would lose.
 *
 * What can be resized begins as a block within a block, while there is room: so a
 * request of some rows makes do with one call of malloc.  As long as nothing has been
 * cut behind it, it grows where it is. */
#include "lossd/base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/guard.h"

enum {
    BLOCK_SIZE = 14336,
    ALIGNMENT = 16,
    LINE = 64,           /* of the cache: an array begins with one, */
    ARRAY_FROM = 256,    /* if it has so many bytes */
    INSIDE_MAX = 2048,   /* bytes of a block within a block */
    FIRST_ELEMENTS = 16, /* of a list that grows */
    HUGE_FROM = 1 << 20  /* bytes that may be worth pages of a size of their own */
};

struct arena_block {
    struct arena_block *next;
    struct arena_block **link; /* what points here, so that any block can be resized;
                                  NULL: it is within another */
    size_t size;               /* bytes, this header included */
    size_t padding;
};

_Static_assert(sizeof(struct arena_block) % ALIGNMENT == 0, "blocks keep the alignment");

void arena_init(struct arena *arena, size_t limit, const char *limit_flag,
                struct budget *budget)
{
    *arena = (struct arena){.budget = budget, .limit = limit, .limit_flag = limit_flag};
}

static bool budget_take(struct budget *budget, size_t bytes, bool favoured)
{
    size_t limit = budget->limit - (favoured ? 0 : budget->kept);
    size_t used = atomic_load(&budget->used);

    do {
        if (bytes > limit || used > limit - bytes)
            return false;
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + bytes));
    return true;
}

static bool fail_overloaded(struct err *err, const char *why, size_t bytes)
{
    return fail(err, ERR_OVERLOADED, NULL,
                "%s: %zu more bytes are needed for this request", why, bytes);
}

bool arena_reserve(struct arena *arena, size_t bytes, struct err *err)
{
    if (bytes <= arena->reserved)
        return true;
    size_t more = bytes - arena->reserved;
    if (arena->budget && !budget_take(arena->budget, more, arena->favoured))
        return fail_overloaded(err, "the memory budget is in use", more);
    arena->reserved = bytes;
    return true;
}

size_t arena_reserve_left(const struct arena *arena)
{
    return arena->reserved > arena->used ? arena->reserved - arena->used : 0;
}

/* Room for `bytes` more under the limit and the budget. */
static bool admit(struct arena *arena, size_t bytes, struct err *err)
{
    if (bytes > arena->limit || arena->used > arena->limit - bytes)
        return fail_limit(err, ERR_TOO_LARGE, NULL, arena->limit, arena->limit_flag,
                          "this request needs more than the %zu bytes of memory that one "
                          "request may hold",
                          arena->limit);
    return arena_reserve(arena, arena->used + bytes, err);
}

static void fail_immense(const struct arena *arena, struct err *err)
{
    fail_limit(err, ERR_TOO_LARGE, NULL, arena->limit, arena->limit_flag,
               "this request needs more memory than a machine can have");
}

/* Large blocks come fresh from the system each time, and to have them come page by page
 * was an eighth of the work that the logits of a large batch were.  Where there are no
 * other pages nothing is lost. */
static void prefer_huge_pages(struct arena_block *block)
{
    if (block->size < HUGE_FROM)
        return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *from = (char *)block - (uintptr_t)block % page;
    (void)madvise(from, (size_t)((char *)block + block->size - from), MADV_HUGEPAGE);
}

static void link_in(struct arena *arena, struct arena_block *block)
{
    block->next = arena->blocks;
    block->link = &arena->blocks;
    if (block->next)
        block->next->link = &block->next;
    arena->blocks = block;
}

static struct arena_block *new_block(struct arena *arena, size_t bytes, struct err *err)
{
    if (bytes > SIZE_MAX - sizeof(struct arena_block)) {
        fail_immense(arena, err);
        return NULL;
    }
    size_t size = sizeof(struct arena_block) + bytes;
    if (!admit(arena, size, err))
        return NULL;
    struct arena_block *block = malloc(size);
    if (!block) {
        fail_overloaded(err, "the machine has no memory left", size);
        return NULL;
    }
    block->size = size;
    prefer_huge_pages(block);
    arena->used += size;
    link_in(arena, block);
    return block;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Bytes from `at` to where a piece of so many may begin. */
static size_t gap(const void *at, size_t bytes)
{
    return bytes < ARRAY_FROM ? 0 : (LINE - (uintptr_t)at % LINE) % LINE;
}

/* From the current small block, so far on; NULL: so much is not left. */
static void *cut_after(struct arena *arena, size_t before, size_t bytes)
{
    size_t size = before + aligned(bytes) + GUARD_SIZE;

    if (size > arena->left)
        return NULL;
    void *piece = arena->next + before;
    arena->next += size;
    arena->left -= size;
    unguard(piece, bytes);
    return piece;
}

static void *cut(struct arena *arena, size_t bytes)
{
    return cut_after(arena, gap(arena->next, bytes), bytes);
}

/* Small pieces are cut from this block now. */
static void begin_small(struct arena *arena, struct arena_block *block)
{
    arena->next = (char *)(block + 1);
    arena->left = BLOCK_SIZE;
    guard(arena->next, arena->left);
}

void *arena_alloc(struct arena *arena, size_t count, size_t size, struct err *err)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        bytes = SIZE_MAX - ALIGNMENT;
    if (bytes == 0) /* NULL would mean that there is no room */
        bytes = 1;
    if (bytes > BLOCK_SIZE / 2) {
        size_t room = bytes > SIZE_MAX - 2 * LINE ? bytes : aligned(bytes) + LINE;
        struct arena_block *block = new_block(arena, room, err);
        return block ? (char *)(block + 1) + gap(block + 1, bytes) : NULL;
    }
    void *piece = cut(arena, bytes);
    if (piece)
        return piece;
    struct arena_block *block = new_block(arena, BLOCK_SIZE, err);
    if (!block)
        return NULL;
    begin_small(arena, block);
    return cut(arena, bytes);
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size, struct err *err)
{
    void *piece = arena_alloc(arena, count, size, err);

    return piece ? memset(piece, 0, count * size) : NULL;
}

static bool is_inside(const struct arena_block *block)
{
    return !block->link;
}

/* A block that can be resized, within the current one where that is possible. */
static struct arena_block *resizable_block(struct arena *arena, size_t bytes,
                                           struct err *err)
{
    size_t size = sizeof(struct arena_block) + bytes;
    struct arena_block *block = bytes <= INSIDE_MAX ? cut(arena, size) : NULL;

    if (!block)
        return new_block(arena, bytes, err);
    *block = (struct arena_block){.size = size};
    return block;
}

/* The last that was cut grows where it is, others move. */
static struct arena_block *resize_inside(struct arena *arena, struct arena_block *block,
                                         size_t bytes, struct err *err)
{
    size_t before = block->size, room = aligned(before), size = sizeof *block + bytes;
    bool is_last = (char *)block + room == arena->next; /* never with guards */

    if (bytes <= INSIDE_MAX &&
        (size <= room || (is_last && cut_after(arena, 0, size - room)))) {
        unguard(block, size);
        block->size = size;
        return block;
    }
    struct arena_block *moved = resizable_block(arena, bytes, err);
    if (moved)
        memcpy(moved + 1, block + 1, before - sizeof *block);
    return moved;
}

static struct arena_block *resize_block(struct arena *arena, struct arena_block *block,
                                        size_t bytes, struct err *err)
{
    if (bytes > SIZE_MAX - sizeof *block) {
        fail_immense(arena, err);
        return NULL;
    }
    size_t before = block->size, size = sizeof *block + bytes;
    if (size > before && !admit(arena, size - before, err))
        return NULL;
    struct arena_block *moved = realloc(block, size);
    if (!moved) {
        fail_overloaded(err, "the machine has no memory left", size - before);
        return NULL;
    }
    moved->size = size;
    prefer_huge_pages(moved);
    *moved->link = moved;
    if (moved->next)
        moved->next->link = &moved->next;
    arena->used = arena->used - before + size;
    return moved;
}

void *arena_resize(struct arena *arena, void *old, size_t bytes, struct err *err)
{
    struct arena_block *block = old ? (struct arena_block *)old - 1 : NULL;

    if (!block)
        block = resizable_block(arena, bytes, err);
    else if (is_inside(block))
        block = resize_inside(arena, block, bytes, err);
    else
        block = resize_block(arena, block, bytes, err);
    return block ? block + 1 : NULL;
}

void *arena_grow(struct arena *arena, void *old, size_t *capacity, size_t size,
                 struct err *err)
{
    size_t more = *capacity ? *capacity + *capacity / 2 : FIRST_ELEMENTS;
    void *grown = arena_resize(arena, old, more * size, err);

    if (grown)
        *capacity = more;
    return grown;
}

void arena_drop(struct arena *arena, void *piece)
{
    if (!piece)
        return;
    struct arena_block *block = (struct arena_block *)piece - 1;
    if (is_inside(block))
        return; /* it goes with the block that it is in */
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    assert(arena->used >= block->size);
    arena->used -= block->size;
    free(block);
}

bool arena_charge(struct arena *arena, size_t bytes, struct err *err)
{
    if (!admit(arena, bytes, err))
        return false;
    arena->used += bytes;
    return true;
}

static bool is_within(const struct arena_block *block, const void *at)
{
    uintptr_t from = (uintptr_t)block, here = (uintptr_t)at;

    return here >= from && here - from < block->size;
}

void arena_trim(struct arena *arena, const void *kept)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        if (block->size > sizeof *block + BLOCK_SIZE && !is_within(block, kept))
            arena_drop(arena, block + 1);
    }
    if (arena->budget)
        atomic_fetch_sub(&arena->budget->used, arena->reserved - arena->used);
    arena->reserved = arena->used;
}

/* The mark is a block that nobody resizes.  Nothing is cut any more from the block
 * before it: what is resizable there could grow into what is given back. */
struct arena_block *arena_mark(struct arena *arena, struct err *err)
{
    struct arena_block *mark = new_block(arena, 0, err);

    if (mark)
        arena->left = 0;
    return mark;
}

/* One small block stays: the next piece will want it. */
void arena_rewind(struct arena *arena, struct arena_block *mark)
{
    struct arena_block *kept = NULL;

    for (struct arena_block *block = arena->blocks, *next; block != mark; block = next) {
        next = block->next;
        if (!kept && block->size == sizeof *block + BLOCK_SIZE) {
            kept = block;
            continue;
        }
        arena->used -= block->size;
        free(block);
    }
    arena->blocks = mark;
    mark->link = &arena->blocks;
    arena->next = NULL;
    arena->left = 0;
    if (kept) {
        link_in(arena, kept);
        begin_small(arena, kept);
    }
}

char *arena_text(struct arena *arena, struct span text, struct err *err)
{
    char *copy = arena_alloc(arena, text.len + 1, 1, err);

    if (!copy)
        return NULL;
    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return copy;
}

void arena_release(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    if (arena->budget)
        atomic_fetch_sub(&arena->budget->used, arena->reserved);
    bool favoured = arena->favoured;
    arena_init(arena, arena->limit, arena->limit_flag, arena->budget);
    arena->favoured = favoured;
}
