/* A request's body on its way to the batch: decompressed where need be, and decoded;
 * private to this layer. */
#ifndef LOSSD_API_BODY_H
#define LOSSD_API_BODY_H

#include "lossd/api/api.h"

/* Is it a dataset, which is read in constant memory and may be of any length? */
bool body_is_stream(const struct exchange *exchange);

/* Are so many bytes, as they come, within the limit?  False with the error filled. */
bool body_fits(struct exchange *exchange, uint64_t bytes);

/* Makes the decoder and, for a body with a coding, the inflater.  False: no memory. */
bool body_begin(struct exchange *exchange);

/* The next piece, as it came; counts it.  False: more of it is not wanted. */
bool body_read(struct exchange *exchange, struct span piece);

/* The body is in.  False when it ended too early; otherwise there may be an error that
 * was noted on the way. */
bool body_end(struct exchange *exchange);

/* The bytes of text that a body with so many bytes has, about; no fewer than there have
 * been already. */
uint64_t body_text(const struct exchange *exchange, uint64_t bytes);

#endif
