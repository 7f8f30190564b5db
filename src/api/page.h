/* A document that is the same for everybody and has been written already, so that a
 * client which has it need not be sent it again; private to this layer. */
#ifndef LOSSD_API_PAGE_H
#define LOSSD_API_PAGE_H

#include "lossd/api/api.h"
#include "lossd/base/span.h"

struct page {
    const char *media_type;
    struct span text;
    const char *etag;   /* quotes and all: differs when the text does */
    const char *policy; /* Content-Security-Policy of a page for a browser, else NULL */
};

enum { ETAG_SIZE = 19 };

/* The ETag of a text. */
void etag_of(struct span text, char out[ETAG_SIZE]);

/* Is it among those that If-None-Match names?  An empty header names none. */
bool page_is_known(const struct page *page, struct span if_none_match);

/* Adds the headers that say which page it is and what may be done with it. */
void page_add_headers(const struct page *page, struct response *response);

#endif
