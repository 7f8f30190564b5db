#include "lossd/base/nearest_name.h"

#include <stdbool.h>
#include <stddef.h>

enum { NAME_MAX_LEN = 32 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Capital or not, for shouting is no mistake in spelling. */
static bool same_letter(char a, char b)
{
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) ==
           (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
}

/* Letters to add, drop, change or swap with a neighbour to get from a to b. */
static size_t edits(struct span a, struct span b)
{
    size_t row[3][NAME_MAX_LEN + 1];
    size_t *before = row[0], *last = row[1], *now = row[2];

    for (size_t j = 0; j <= b.len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = last[j - 1] + !same_letter(a.at[i - 1], b.at[j - 1]);
            now[j] = smaller(change, smaller(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a.at[i - 1], b.at[j - 2]) &&
                same_letter(a.at[i - 2], b.at[j - 1]))
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.len];
}

const char *nearest_name(struct span text, const char *const *names)
{
    const char *nearest = NULL;
    size_t fewest = text.len / 3 + 2;

    if (text.len > NAME_MAX_LEN)
        return NULL;
    for (; *names; names++) {
        struct span name = span_of(*names);
        size_t count = name.len <= NAME_MAX_LEN ? edits(text, name) : fewest;
        if (count < fewest && count < name.len) {
            fewest = count;
            nearest = *names;
        }
    }
    return nearest;
}
