/* The files of src/web, made one page each by its embed.sh while building. */
#include "api/assets.h"

#include "docs.inc"
#include "lossd/base/accept.h"
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
    struct acceptance page = accept_find(exchange->head.accept, "text/html");
    struct acceptance banner = accept_find(exchange->head.accept, "application/json");

    return accept_prefers(page, banner) ? &playground : NULL;
}

const struct page *asset_docs(const struct exchange *exchange)
{
    (void)exchange;
    return &docs;
}
