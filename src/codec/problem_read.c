#include "lossd/codec/problem_read.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "lossd/base/utf8.h"

/* The member's text, cut at a character's end. */
static void text_read(const cJSON *document, const char *name, char *out, size_t size)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, name));

    size_t len = utf8_fit(span_of(text), size - 1);

    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
}

/* A whole number from 1 on, else 0. */
static size_t count_read(const cJSON *document, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(document, name);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1 && item->valuedouble < 1e15))
        return 0;
    return (size_t)item->valuedouble;
}

bool problem_read(struct span text, struct problem_text *out)
{
    cJSON *document = cJSON_ParseWithLength(text.at, text.len);

    *out = (struct problem_text){.line = 0};
    if (cJSON_IsObject(document)) {
        text_read(document, "detail", out->detail, sizeof out->detail);
        if (out->detail[0] == '\0')
            text_read(document, "title", out->detail, sizeof out->detail);
        text_read(document, "code", out->code, sizeof out->code);
        text_read(document, "pointer", out->pointer, sizeof out->pointer);
        text_read(document, "flag", out->flag, sizeof out->flag);
        out->line = count_read(document, "line");
        out->column = count_read(document, "column");
    }
    cJSON_Delete(document);
    return out->detail[0] != '\0';
}
