/* The way of a program that has nothing but cJSON: a tree of the document, a walk
 * over it into an array; a tree of the array, and its print. */
#ifndef LOSSD_BENCH_CJSON_WAY_H
#define LOSSD_BENCH_CJSON_WAY_H

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>

#include "documents.h"
#include "lossd/engine/batch.h"

static inline void walk_row(const cJSON *row, enum dtype dtype, void *out, size_t *at)
{
    const cJSON *number;

    cJSON_ArrayForEach(number, row)
    {
        if (dtype == DTYPE_FLOAT32)
            ((float *)out)[(*at)++] = (float)number->valuedouble;
        else
            ((double *)out)[(*at)++] = number->valuedouble;
    }
}

/* The logits of a document, to be freed; *count says how many. */
static inline void *cjson_read(struct span text, size_t logits, size_t rows,
                               enum dtype dtype, size_t *count)
{
    cJSON *tree = cJSON_ParseWithLength(text.at, text.len);
    void *out = documents_room(logits * sizeof(double));
    int64_t *labels = documents_room(rows * sizeof *labels);
    const cJSON *item;
    size_t n = 0;

    *count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "logits"))
    {
        walk_row(item, dtype, out, count);
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "labels"))
    {
        labels[n++] = (int64_t)item->valuedouble;
    }
    free(labels);
    cJSON_Delete(tree);
    return out;
}

/* Prints rows of numbers; returns the length of the text. */
static inline size_t cjson_write(const void *data, enum dtype dtype, size_t rows,
                                 size_t classes)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(tree, "probabilities");

    for (size_t n = 0; n < rows; n++)
        cJSON_AddItemToArray(
            array,
            dtype == DTYPE_FLOAT32
                ? cJSON_CreateFloatArray((const float *)data + n * classes, (int)classes)
                : cJSON_CreateDoubleArray((const double *)data + n * classes,
                                          (int)classes));
    char *text = cJSON_PrintUnformatted(tree);
    size_t length = text ? strlen(text) : 0;
    cJSON_free(text);
    cJSON_Delete(tree);
    return length;
}

#endif
