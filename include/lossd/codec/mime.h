/* The values of headers such as Content-Type: a type and its parameters (RFC 2045,
 * section 5.1).
 *
 *     form-data; name="logits"; filename="a\"b.npy" */
#ifndef LOSSD_CODEC_MIME_H
#define LOSSD_CODEC_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/span.h"

/* The value without its parameters and the blanks around it. */
struct span mime_type(struct span value);

/* What stands behind the type, for mime_next(). */
struct span mime_parameters(struct span value);

struct mime_parameter {
    struct span name;
    struct span value; /* as it stands there; without its quotes, if it has any */
    bool is_quoted;
};

/* Cuts the next parameter off `rest`.  False: there is none, and `rest` is empty, or what
 * is there is none. */
bool mime_next(struct span *rest, struct mime_parameter *out);

/* The parameter's value, without the backslashes of a quoted one; `out` has room for
 * value.len bytes and may be where the value is. */
struct span mime_unquote(const struct mime_parameter *parameter, char *out);

#endif
