/* The words in which the parts of the JSON reader talk to each other. */
#ifndef LOSSD_CODEC_JSON_TOKEN_H
#define LOSSD_CODEC_JSON_TOKEN_H

/* What may come next, or what the reader is in the middle of. */
enum json_state {
    JSON_VALUE,
    JSON_VALUE_OR_CLOSE, /* after '[' */
    JSON_AFTER_VALUE,    /* ',' or the container's end */
    JSON_NAME,
    JSON_NAME_OR_CLOSE, /* after '{' */
    JSON_COLON,
    JSON_END, /* after the whole text */
    JSON_IN_NAME,
    JSON_IN_STRING,
    JSON_IN_NUMBER,
    JSON_IN_LITERAL,
    JSON_REFUSED /* an error that ends the reading */
};

enum json_scalar {
    JSON_NUMBER,
    JSON_STRING,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    /* not of RFC 8259: what Python and others write for logits */
    JSON_NAN,
    JSON_INFINITY,
    JSON_MINUS_INFINITY
};

#endif
