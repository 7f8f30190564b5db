/* What the headers of multipart/form-data say: the boundary between its parts, and what
 * each part is (RFC 7578). */
#ifndef LOSSD_CODEC_MULTIPART_HEADER_H
#define LOSSD_CODEC_MULTIPART_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/err.h"
#include "lossd/base/span.h"

enum { BOUNDARY_MAX = 70 /* bytes, as RFC 2046 has it */ };

/* What a part says that it is. */
enum part_type {
    PART_UNTYPED, /* its bytes tell */
    PART_NPY,
    PART_JSON
};

struct part_header {
    struct span name;
    enum part_type type;
};

/* The boundary, terminated, that a Content-Type names.  False: ERR_BAD_HEADER. */
bool multipart_boundary(struct span content_type, char out[BOUNDARY_MAX + 1],
                        struct err *err);

/* Reads the lines of the `number`th part's headers, each with its CRLF, which are written
 * over: the name lies there.  False: ERR_BAD_HEADER, ERR_UNSUPPORTED_ENCODING. */
bool part_header_read(char *lines, size_t len, size_t number, struct part_header *out,
                      struct err *err);

#endif
