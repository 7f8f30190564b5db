/* What an inference says of itself and of its answer, beside which outputs that has. */
#ifndef LOSSD_CODEC_OIP_ANSWER_H
#define LOSSD_CODEC_OIP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "lossd/base/err.h"
#include "lossd/base/span.h"
#include "lossd/codec/codec.h"
#include "lossd/engine/batch.h"

/* Kept in the batch for the answer. */
struct inference {
    int64_t timeout_ns;         /* it will wait for so long; 0: it does not say */
    uint32_t outputs;           /* that were asked for by name, */
    enum output order[OUTPUTS]; /* and the order in which they are answered */
    unsigned count;
    uint32_t in_bytes;      /* of them, or of all: to be sent as bytes, */
    uint32_t in_text;       /* or as text, */
    bool bytes_unless_told; /* and what is to be done with the others */
    size_t ranked[OUTPUTS]; /* how many classes of each row; 0: numbers, as they are */
    struct span ignored;    /* names of parameters that nobody knows: "a, b" */
};

/* The outputs that the task can give as tensors, as bits. */
uint32_t inference_outputs(const struct task *task);

/* Those of them that have a value for each class, which can be ranked. */
uint32_t inference_rankable(const struct task *task);

/* "loss, losses, ...": the outputs that these are the bits of. */
enum { OUTPUT_LIST_SIZE = 320 };
void inference_output_list(char out[OUTPUT_LIST_SIZE], uint32_t outputs);

/* Which outputs the batch is to have, when it is known which were asked for. */
void inference_settle_outputs(struct inference *inference, struct batch *batch);

int64_t inference_encode_ns(const struct batch *batch);

struct reply *inference_encode(const struct batch *batch, const struct result *result,
                               bool pretty, struct arena *mem, struct err *err);

#endif
