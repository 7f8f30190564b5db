/* A problem document, read: what the service says when it refuses. */
#ifndef LOSSD_CODEC_PROBLEM_READ_H
#define LOSSD_CODEC_PROBLEM_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/span.h"

/* Texts are terminated, cut where they are longer, and "" where there are none.
 * They are the sender's: they may hold any character. */
struct problem_text {
    char detail[512];  /* one sentence */
    char code[64];     /* "label_out_of_range" */
    char pointer[256]; /* "/labels/3" */
    char flag[64];     /* "--max-classes", which raises the limit that was hit */
    size_t line;       /* where the text is wrong, from 1; 0: not said */
    size_t column;
};

/* Reads a document that has at least a detail or, without one, a title, which then
 * takes its place.  False when `text` is no such thing. */
bool problem_read(struct span text, struct problem_text *out);

#endif
