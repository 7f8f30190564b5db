/* The files of src/web, made one page each by its embed.sh while building. */
#include "api/assets.h"

#include "api/accept.h"
#include "docs.inc"
#include "playground.inc"

#define PAGE(name)                                                                     \
    {                                                                                  \
        .media_type = "text/html; charset=utf-8",                                      \
        .text = {(const char *)name##_text, sizeof(name##_text)}, .etag = name##_etag, \
        .policy = name##_policy                                                        \
    }
static const struct page playground = PAGE(playground), docs = PAGE(docs);
#undef PAGE

const struct page *asset_playground(const struct exchange *exchange)
{
    static const char *const offers[] = {"application/json", "text/html"};

    return accept_best(exchange->head.accept, offers, 2) == 1 ? &playground : NULL;
}

const struct page *asset_docs(const struct exchange *exchange)
{
    (void)exchange;
    return &docs;
}
