#include "lossd/base/nearest_name.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    NAME_MAX_LEN = 32,
    WORD_LEAST = 3 /* letters that tell which word is meant */
};

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

/* Does one of its words begin with the text?  "weight" is that of class_weights. */
static bool has_word(struct span name, struct span text)
{
    size_t same = 0;

    for (size_t from = 0; from + text.len <= name.len && same < text.len; from++) {
        bool begins = from == 0 || name.at[from - 1] == '_' || name.at[from - 1] == '-';
        for (same = 0; begins && same < text.len; same++)
            if (!same_letter(name.at[from + same], text.at[same]))
                break;
    }
    return same == text.len;
}

static const char *name_with_word(struct span text, const char *const *names)
{
    if (text.len < WORD_LEAST)
        return NULL;
    while (*names && !has_word(span_of(*names), text))
        names++;
    return *names;
}

const char *nearest_name(struct span text, const char *const *names)
{
    const char *const *first = names;
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
    return nearest ? nearest : name_with_word(text, first);
}
