/* An error as a document (RFC 9457); private to this layer. */
#ifndef LOSSD_API_PROBLEM_H
#define LOSSD_API_PROBLEM_H

#include "lossd/api/api.h"
#include "lossd/base/buf.h"

/* Writes the document of exchange->err. */
void problem_write(const struct exchange *exchange, struct buf *out);

/* The codes in the order of problem_index(), ending with NULL. */
const char *const *problem_codes(void);

/* The document for when there is no memory to write one. */
struct span problem_without_memory(void);

#endif
