/* The members of one JSON object into a batch. */
#ifndef LOSSD_CODEC_JSON_BATCH_H
#define LOSSD_CODEC_JSON_BATCH_H

#include <stdbool.h>

#include "codec/json/json_array.h"
#include "codec/json/json_reader.h"
#include "lossd/base/arena.h"
#include "lossd/engine/batch.h"

struct json_batch {
    struct batch *batch;
    struct arena *mem;
    struct json_array array;   /* the one that is being read */
    struct json_narrow narrow; /* of the logits */
    enum member member;        /* the one whose value comes next */
};

/* A handler (json_reader.h) whose ctx is a json_batch. */
extern const struct json_handler json_batch_handler;

/* Prepares to read an object into `batch`, with that handler.  False: no memory. */
bool json_batch_begin(struct json_batch *json, struct batch *batch,
                      struct json_reader *reader, struct arena *mem, struct err *err);

/* What a handler of somebody else's does with a name and with a text. */
enum json_way json_batch_name(struct json_batch *json, struct json_reader *reader,
                              struct span name, struct err *err);
bool json_batch_text(struct json_batch *json, struct span text, struct err *err);

/* The same for a member whose name batch_begin() has seen already. */
enum json_way json_batch_member(struct json_batch *json, struct json_reader *reader,
                                enum member member);

/* The object is complete.  False: no memory. */
bool json_batch_end(struct json_batch *json, struct err *err);

#endif
