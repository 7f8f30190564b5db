/* What the body of every answer must be, wherever it was taken from. */
#ifndef LOSSD_TESTS_SENSE_H
#define LOSSD_TESTS_SENSE_H

#include <cjson/cJSON.h>

#include "lossd/base/span.h"
#include "lossd/base/utf8.h"
#include "target.h"

static inline bool sense_has_text(const cJSON *document, const char *name)
{
    return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(document, name));
}

static inline void require_problem(const cJSON *document, unsigned status,
                                   struct span request_id)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(document, "status");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(document, "request_id");

    require(cJSON_IsNumber(number) && number->valuedouble == status, "the same status");
    require(sense_has_text(document, "title") && sense_has_text(document, "code") &&
                sense_has_text(document, "detail"),
            "a problem says what it is");
    /* the one for which there was no memory has none */
    require(!id || (cJSON_IsString(id) && span_is(request_id, id->valuestring)),
            "the problem is of this request");
}

static inline void require_npy(unsigned status, struct span body)
{
    require(status == 200, "only an answer is an array");
    require(body.len == 0 ||
                (body.len > 64 && memcmp(body.at, "\x93NUMPY\x01\0", 8) == 0),
            "an NPY file of version 1.0");
}

/* An object and a line's end, and behind them what it says of its tensors. */
static inline void require_tensors(unsigned status, struct span body)
{
    const char *end = NULL;
    const cJSON *output = NULL;
    double bytes = 0;

    require(status == 200, "only an answer has tensors");
    if (body.len == 0)
        return;
    cJSON *document = cJSON_ParseWithLengthOpts(body.at, body.len, &end, false);
    require(cJSON_IsObject(document), "there is an object before the tensors");
    cJSON_ArrayForEach(output, cJSON_GetObjectItem(document, "outputs"))
    {
        const cJSON *parameters = cJSON_GetObjectItem(output, "parameters");
        const cJSON *size = cJSON_GetObjectItem(parameters, "binary_data_size");
        bytes += cJSON_IsNumber(size) ? size->valuedouble : 0;
    }
    require(*end == '\n', "the text is a line");
    require(bytes == (double)(body.at + body.len - end - 1),
            "tensors are as long as they say");
    cJSON_Delete(document);
}

/* One object and a line's end, of the right type; or an NPY file, tensors, a text that is
 * no JSON, or nothing where the answer is to HEAD. */
static inline void require_sense(unsigned status, struct span type,
                                 struct span request_id, struct span body)
{
    bool is_problem = span_is(type, "application/problem+json");
    struct span text = body;
    const char *end = NULL;

    require(is_problem == (status >= 400), "problems are what is not well");
    if (span_is(type, "application/x-npy")) {
        require_npy(status, body);
        return;
    }
    if (span_is(type, "application/octet-stream")) {
        require_tensors(status, body);
        return;
    }
    for (size_t len; text.len > 0; text = (struct span){text.at + len, text.len - len}) {
        len = utf8_length(text);
        require(len > 0, "the body is UTF-8");
    }
    if (body.len == 0 || (!is_problem && !span_is(type, "application/json")))
        return;
    cJSON *document = cJSON_ParseWithLengthOpts(body.at, body.len, &end, false);
    require(cJSON_IsObject(document) || (cJSON_IsArray(document) && !is_problem),
            "the body is an object, or a list of some");
    require(end + 1 == body.at + body.len && *end == '\n', "nothing but the object");
    if (is_problem)
        require_problem(document, status, request_id);
    cJSON_Delete(document);
}

#endif
