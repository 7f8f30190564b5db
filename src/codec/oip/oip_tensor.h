/* An input of an inference: what is said of it, its numbers, and how they become a member
 * of the batch.  The numbers are in the text, or are bytes behind it. */
#ifndef LOSSD_CODEC_OIP_TENSOR_H
#define LOSSD_CODEC_OIP_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/json/json_array.h"
#include "codec/npy/npy_numbers.h"
#include "codec/oip/oip_type.h"
#include "lossd/base/arena.h"
#include "lossd/base/err.h"
#include "lossd/engine/batch.h"

struct tensor {
    size_t index;     /* among the inputs */
    struct span name; /* empty until it is known, as are */
    struct span datatype;
    bool is_member; /* `member` is what it becomes, `type` what it is sent as: */
    bool has_type;
    enum member member;
    struct oip_type type;
    bool has_shape, has_data, has_bytes;
    struct array data;
    struct json_narrow narrow;     /* of data that may become float32 */
    struct json_integers integers; /* of data that may become labels */
    struct json_truths truths;     /* of data that may be truths */
    bool is_flat;                  /* the text has them in one list, whatever the shape */
    bool is_column;                /* its last axis, of one element, was dropped */
    int64_t bytes;                 /* behind the text, where it has_bytes */
    size_t seen;                   /* of them so far */
    struct npy_header header;      /* its shape, and what is behind the text */
    struct npy_numbers numbers;
};

/* "/inputs/0/NAME", or without a name "/inputs/0". */
enum { TENSOR_POINTER = 64 };
void tensor_pointer(char out[TENSOR_POINTER], const struct tensor *tensor,
                    const char *name);

/* Looks up what its name and its datatype stand for, as far as they have been read. */
void tensor_name(struct tensor *tensor, const struct batch *batch);
void tensor_type(struct tensor *tensor);

/* Reads its shape, from valid JSON.  False: it is none, which is noted. */
bool tensor_read_shape(struct tensor *tensor, struct span text, struct err *err);

/* Prepares to read its data from the text.  False: no memory. */
bool tensor_begin_data(struct tensor *tensor, struct json_array *array,
                       const struct batch *batch, struct arena *mem, struct err *err);

/* How many numbers it will have, about, for who has to know before they are looked at. */
size_t tensor_expected(const struct tensor *tensor, const struct limits *limits);

/* The text is complete: are its shape, type and size sound, and its numbers among those of
 * the type?  Notes what is not. */
void tensor_check(struct tensor *tensor, struct batch *batch, struct err *err);

/* Prepares to read the bytes of a sound one; then some of them, no more than are left. */
void tensor_begin_bytes(struct tensor *tensor, const struct batch *batch,
                        struct arena *mem);
bool tensor_feed(struct tensor *tensor, struct span bytes, struct err *err);

/* All of a sound one has been read: it becomes the member.  False: no memory. */
bool tensor_settle(struct tensor *tensor, struct batch *batch, struct arena *mem,
                   struct err *err);

#endif
