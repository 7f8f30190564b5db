/* A conformance vector: inputs and options of an operation, and the outputs that a
 * correct implementation must have.  Somebody else's numbers; see the README that
 * comes with them. */
#ifndef LOSSD_TESTS_VECTOR_H
#define LOSSD_TESTS_VECTOR_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "client.h"

struct vector {
    cJSON *json;
    const char *name;
    const char *op;
    double rtol, atol;
};

/* Reads a file.  False when it is no vector. */
bool vector_read(struct vector *vector, const char *path);
void vector_release(struct vector *vector);

bool vector_has_tag(const struct vector *vector, const char *tag);

/* An input or output tensor, NULL when the vector does not have it. */
const cJSON *vector_input(const struct vector *vector, const char *name);
const cJSON *vector_output(const struct vector *vector, const char *name);

/* The numbers of a tensor: how many, and one of them; "NaN" and "-Infinity" are
 * what they say. */
size_t tensor_count(const cJSON *tensor);
double tensor_number(const cJSON *tensor, size_t index);

/* Does our answer's member hold the numbers of the tensor, in its shape?  `null`
 * stands for a number that is not finite. */
bool tensor_holds(const struct vector *vector, const cJSON *tensor, const cJSON *member,
                  char why[400]);

/* Number `index` of the nested arrays of an answer, in row-major order; NAN for
 * null and beyond the end. */
double nested_number(const cJSON *member, size_t index);

/* Why the API cannot be asked for this vector (yet), NULL when it can. */
const char *vector_out_of_reach(const struct vector *vector);

/* The request that asks for the vector's outputs: target and body, the latter to
 * be freed. */
struct question vector_question(const struct vector *vector);

/* The member of our answer for an output: "y" of a Softmax is "probabilities". */
const char *vector_member(const struct vector *vector, const char *output);

#endif
