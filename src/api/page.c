#include "api/page.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/response.h"

/* FNV-1a: nobody gains by making two of our own texts collide. */
void etag_of(struct span text, char out[ETAG_SIZE])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
    snprintf(out, ETAG_SIZE, "\"%016" PRIx64 "\"", hash);
}

/* Weak or not: a proxy that compresses makes them weak. */
static bool is_etag(struct span text, const char *etag)
{
    if (text.len > 2 && memcmp(text.at, "W/", 2) == 0)
        text = (struct span){text.at + 2, text.len - 2};
    return span_is(text, etag);
}

bool page_is_known(const struct page *page, struct span if_none_match)
{
    struct span rest = if_none_match;

    if (span_is(rest, "*"))
        return true;
    while (rest.len > 0)
        if (is_etag(span_trim(span_cut(&rest, ','), " \t"), page->etag))
            return true;
    return false;
}

void page_add_headers(const struct page *page, struct response *response)
{
    response_add(response, "ETag", page->etag);
    response_add(response, "Cache-Control", "no-cache");
    response_add(response, "X-Content-Type-Options", "nosniff");
    response_add(response, "Content-Security-Policy", page->policy);
}
