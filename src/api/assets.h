/* The pages for a browser; private to this layer. */
#ifndef LOSSD_API_ASSETS_H
#define LOSSD_API_ASSETS_H

#include "api/page.h"

/* The playground, NULL for a client that does not like HTML better than JSON. */
const struct page *asset_playground(const struct exchange *exchange);

/* The reference. */
const struct page *asset_docs(const struct exchange *exchange);

#endif
