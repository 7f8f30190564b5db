/* What is kept of a dataset's records for the answer: a line for each position where that
 * is asked for, and the first of the records that were passed over. */
#ifndef LOSSD_CODEC_JSON_RECORDS_H
#define LOSSD_CODEC_JSON_RECORDS_H

#include <stddef.h>

#include "codec/reply.h"
#include "lossd/base/buf.h"
#include "lossd/base/err.h"
#include "lossd/engine/batch.h"

enum { SKIPPED_MAX = 100, SKIPPED_POINTER = 128, SKIPPED_DETAIL = 256 };

struct skipped {
    enum err_kind kind;
    size_t line, offset;
    char pointer[SKIPPED_POINTER];
    char detail[SKIPPED_DETAIL];
};

struct records {
    struct buf lines;
    size_t errors; /* records that were passed over */
    struct skipped skipped[SKIPPED_MAX];
};

/* Writes the members of an answer that tell of those. */
void json_add_skipped(struct json *json, struct records *records);

#endif
