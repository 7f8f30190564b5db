#include "batch_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *batch_text(size_t rows)
{
    char *text = malloc(rows * 24 + 100), *end = text;

    if (!text)
        abort();
    end += sprintf(end, "{\"logits\":[");
    for (size_t i = 0; i < rows; i++)
        end += sprintf(end, "%s[0,1,2,3,4,5,6,7,8,9]", i ? "," : "");
    sprintf(end, "]}");
    return text;
}

/* [x,x,...],[x,...],... */
static char *add_matrix(char *at, size_t rows, size_t columns, const char *number)
{
    for (size_t r = 0; r < rows; r++) {
        at = stpcpy(at, r ? ",[" : "[");
        for (size_t c = 0; c < columns; c++)
            at = stpcpy(stpcpy(at, c ? "," : ""), number);
        at = stpcpy(at, "]");
    }
    return at;
}

char *batch_text_hard(size_t rows)
{
    enum { FEATURES = 1000, CLASSES = 1000 };
    char *text = malloc(2 * (rows + CLASSES) * (FEATURES + 2) + 2 * rows + 200);
    char *at = text;

    if (!text)
        abort();
    at = stpcpy(at, "{\"return\":[\"loss\"],\"features\":[");
    at = add_matrix(at, rows, FEATURES, "1");
    at = stpcpy(at, "],\"W\":[");
    at = add_matrix(at, CLASSES, FEATURES, "2");
    at = stpcpy(at, "],\"labels\":[");
    for (size_t r = 0; r < rows; r++)
        at = stpcpy(at, r ? ",0" : "0");
    strcpy(at, "]}");
    return text;
}
