/* How much of a body is text, where the bytes of tensors follow it; private to this
 * layer. */
#ifndef LOSSD_API_TEXT_LENGTH_H
#define LOSSD_API_TEXT_LENGTH_H

#include "lossd/api/api.h"

/* Tells the decoder what the header Inference-Header-Content-Length says, or the media type
 * does, for proxies that let no such header through.  False with ERR_BAD_HEADER; nothing
 * is told where neither says anything. */
bool text_length_tell(struct exchange *exchange);

/* Adds the header to an answer in which bytes follow so many of text. */
void text_length_add(struct exchange *exchange, size_t bytes, struct response *response);

#endif
