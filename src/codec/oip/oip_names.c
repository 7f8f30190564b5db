#include "codec/oip/oip_names.h"

#include <stdio.h>

#include "lossd/base/excerpt.h"
#include "lossd/base/nearest_name.h"
#include "lossd/engine/place.h"

static const char *const names[OIP_NAMES] = {
    "inputs", "parameters", "outputs", "id",         "name",
    "shape",  "datatype",   "data",    "model_name", "model_version"};

#define BIT(name) (1u << (name))

static const unsigned members[OIP_SCOPES] = {
    [OIP_TOP] = BIT(OIP_INPUTS) | BIT(OIP_PARAMETERS) | BIT(OIP_OUTPUTS) | BIT(OIP_ID) |
                BIT(OIP_MODEL_NAME) | BIT(OIP_MODEL_VERSION),
    [OIP_INPUT] = BIT(OIP_NAME) | BIT(OIP_SHAPE) | BIT(OIP_DATATYPE) |
                  BIT(OIP_PARAMETERS) | BIT(OIP_DATA),
    [OIP_OUTPUT] = BIT(OIP_NAME) | BIT(OIP_PARAMETERS),
};

static const char *const kinds[OIP_SCOPES] = {
    [OIP_INPUT] = "inputs", [OIP_OUTPUT] = "outputs"};

void oip_words(char out[OIP_PLACE_SIZE], enum oip_scope scope, size_t index)
{
    if (scope == OIP_TOP)
        snprintf(out, OIP_PLACE_SIZE, "the body");
    else
        snprintf(out, OIP_PLACE_SIZE, "%s[%zu]", kinds[scope], index);
}

void oip_pointer(char out[OIP_PLACE_SIZE], enum oip_scope scope, size_t index)
{
    if (scope == OIP_TOP)
        snprintf(out, OIP_PLACE_SIZE, "%s", "");
    else
        snprintf(out, OIP_PLACE_SIZE, "/%s/%zu", kinds[scope], index);
}

static bool fail_unknown(enum oip_scope scope, size_t index, struct span name,
                         struct err *err)
{
    const char *known[OIP_NAMES + 1];
    char words[OIP_PLACE_SIZE], object[OIP_PLACE_SIZE], pointer[POINTER_SIZE];
    size_t count = 0;

    for (enum oip_name n = 0; n < OIP_NAMES; n++)
        if (members[scope] & BIT(n))
            known[count++] = names[n];
    known[count] = NULL;
    const char *near = nearest_name(name, known);
    oip_words(words, scope, index);
    oip_pointer(object, scope, index);
    place_member(pointer, object, name);
    return fail(err, ERR_UNKNOWN_MEMBER, pointer,
                "%s has the unknown member \"%s\"%s%s%s", words, excerpt_of(name).text,
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static bool fail_twice(enum oip_scope scope, size_t index, const char *name,
                       struct err *err)
{
    char words[OIP_PLACE_SIZE], object[OIP_PLACE_SIZE], pointer[2 * OIP_PLACE_SIZE];

    oip_words(words, scope, index);
    oip_pointer(object, scope, index);
    snprintf(pointer, sizeof pointer, "%s/%s", object, name);
    return fail(err, ERR_DUPLICATE_MEMBER, pointer, "%s has %s twice", words, name);
}

bool oip_name_take(enum oip_scope scope, size_t index, struct span name, unsigned *seen,
                   enum oip_name *found, struct err *err)
{
    enum oip_name n = 0;

    while (n < OIP_NAMES && !(members[scope] & BIT(n) && span_is(name, names[n])))
        n++;
    if (n == OIP_NAMES)
        return fail_unknown(scope, index, name, err);
    *found = n;
    if (*seen & BIT(n))
        return fail_twice(scope, index, names[n], err);
    *seen |= BIT(n);
    return true;
}

void oip_name_missing(enum oip_scope scope, size_t index, const char *name,
                      struct err *err)
{
    char words[OIP_PLACE_SIZE], pointer[OIP_PLACE_SIZE];

    oip_words(words, scope, index);
    oip_pointer(pointer, scope, index);
    fail(err, ERR_MISSING_MEMBER, pointer, "%s has no %s", words, name);
}

/* Who is answered elsewhere than where he looks would take what is there for the answer. */
bool oip_fail_shared(enum oip_scope scope, size_t index, struct err *err)
{
    char words[OIP_PLACE_SIZE], pointer[OIP_PLACE_SIZE];

    oip_words(words, scope, index);
    oip_pointer(pointer, scope, index);
    return fail(err, ERR_BAD_TENSOR, pointer,
                "%s has a shared_memory_region, of which this server has none; data or "
                "bytes behind the JSON are wanted",
                words);
}
