/* A PATRICIA tree (D. R. Morrison, 1968): each node has a name and the bit that tells
 * names below it apart; a link that leads back up, to a bit not larger, has arrived.
 * There is a node for each name, nothing to balance, and no hash for which names that
 * collide could be sent.
 *
 * Before the eight bits of each byte stands one that says that there is a byte, so no
 * name is the beginning of another and any byte may be in it.  Bits count from 1. */
#include "engine/name_set.h"

#include <string.h>

enum { BITS_OF_BYTE = 9 };

struct name_node {
    size_t bit; /* 0: of the first name, which has the whole tree in next[0] */
    struct name_node *next[2];
    size_t len;
    char text[];
};

static struct span name_of(const struct name_node *node)
{
    return (struct span){node->text, node->len};
}

static bool bit_at(struct span name, size_t bit)
{
    size_t byte = (bit - 1) / BITS_OF_BYTE, of_byte = (bit - 1) % BITS_OF_BYTE;

    return byte < name.len &&
           (of_byte == 0 || (unsigned char)name.at[byte] >> (8 - of_byte) & 1);
}

/* The bit that says that the name has ended. */
static size_t last_bit(struct span name)
{
    return name.len * BITS_OF_BYTE + 1;
}

/* Of two names that are not equal. */
static size_t first_difference(struct span a, struct span b)
{
    size_t same = 0, bit;

    while (same < a.len && same < b.len && a.at[same] == b.at[same])
        same++;
    for (bit = same * BITS_OF_BYTE + 1; bit_at(a, bit) == bit_at(b, bit);)
        bit++;
    return bit;
}

/* The link behind the last bit up to `stop` that tells the name from others.  What it
 * leads to has the longest beginning in common with the name. */
static struct name_node **follow(struct name_node *first, struct span name, size_t stop)
{
    struct name_node **link = &first->next[0];

    for (size_t bit = 0; (*link)->bit > bit && (*link)->bit <= stop;) {
        bit = (*link)->bit;
        link = &(*link)->next[bit_at(name, bit)];
    }
    return link;
}

static struct name_node *node_new(struct span name, struct arena *mem, struct err *err)
{
    struct name_node *node = arena_alloc(mem, sizeof *node + name.len, 1, err);

    if (!node)
        return NULL;
    *node = (struct name_node){.next = {node, NULL}, .len = name.len};
    if (name.len > 0)
        memcpy(node->text, name.at, name.len);
    return node;
}

bool name_set_add(struct name_node **set, struct span name, struct arena *mem,
                  bool *twice, struct err *err)
{
    *twice = false;
    if (!*set)
        return (*set = node_new(name, mem, err)) != NULL;
    struct span near = name_of(*follow(*set, name, last_bit(name)));
    *twice = span_equal(near, name);
    if (*twice)
        return true;
    struct name_node *node = node_new(name, mem, err);
    if (!node)
        return false;
    node->bit = first_difference(near, name);
    struct name_node **link = follow(*set, name, node->bit - 1);
    bool side = bit_at(name, node->bit);
    node->next[side] = node;
    node->next[!side] = *link;
    *link = node;
    return true;
}
