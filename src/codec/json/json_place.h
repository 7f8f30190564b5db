/* Where in a text a reader is: lines are counted where they can end, in the white
 * space between tokens. */
#ifndef LOSSD_CODEC_JSON_PLACE_H
#define LOSSD_CODEC_JSON_PLACE_H

#include <stddef.h>

struct json_place {
    const char *piece; /* of the text, that is being read */
    size_t offset;     /* of its first byte */
    size_t line;       /* from 1 */
    size_t line_from;  /* offset of the line's first byte */
};

static inline size_t json_offset(const struct json_place *place, const char *at)
{
    return place->offset + (size_t)(at - place->piece);
}

/* The first byte from `at` on that is no white space, or `end`. */
static inline const char *json_skip_space(struct json_place *place, const char *at,
                                          const char *end)
{
    for (; at < end; at++) {
        if (*at == '\n') {
            place->line++;
            place->line_from = json_offset(place, at) + 1;
        } else if (*at != ' ' && *at != '\t' && *at != '\r') {
            break;
        }
    }
    return at;
}

#endif
