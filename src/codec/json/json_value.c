/* Strings and lists of strings are read by cJSON, from text that the strict reader
 * has found valid.  Three things about it need care:
 *
 * - It ends strings at an escaped NUL.  Before it reads, \u0000 becomes the two
 *   bytes C0 80, which no valid text contains, and afterwards these become the NUL.
 * - It reads numbers with strtod(), by the locale.  Numbers are not left to it.
 * - It calls malloc().  While a text is read its hooks take from the arena of the
 *   request, and nothing needs to be freed.  The hooks are the process's; outside of
 *   json_value() they are malloc() and free(). */
#include "codec/json/json_value.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lossd/base/number.h"
#include "lossd/base/utf8.h"

static _Thread_local struct arena *tree_mem; /* of the text being read, or NULL */
static _Thread_local struct err *tree_err;
static _Thread_local bool tree_refused;

static void *tree_alloc(size_t bytes)
{
    if (!tree_mem)
        return malloc(bytes);
    void *piece = arena_alloc(tree_mem, bytes, 1, tree_err);
    if (!piece)
        tree_refused = true;
    return piece;
}

static void tree_free(void *piece)
{
    if (!tree_mem)
        free(piece);
}

static void set_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = tree_alloc, .free_fn = tree_free};

    cJSON_InitHooks(&hooks);
}

/* *tree is NULL when cJSON declines (it has a limit for nesting of its own). */
static bool read_tree(struct span text, struct arena *mem, cJSON **tree, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *end = NULL;

    pthread_once(&once, set_hooks);
    tree_mem = mem;
    tree_err = err;
    tree_refused = false;
    *tree = cJSON_ParseWithLengthOpts(text.at, text.len + 1, &end, true);
    tree_mem = NULL;
    tree_err = NULL;
    return !tree_refused;
}

/* \u0000 becomes C0 80.  Backslashes are found in strings only. */
static void hide_nuls(char *text)
{
    char *to = text;

    while (*text != '\0') {
        if (text[0] == '\\' && strncmp(text + 1, "u0000", 5) == 0) {
            *to++ = (char)0xC0;
            *to++ = (char)0x80;
            text += 6;
        } else {
            if (*text == '\\')
                *to++ = *text++;
            *to++ = *text++;
        }
    }
    *to = '\0';
}

static void set_number(struct span text, struct value *value)
{
    value->type = VALUE_NUMBER;
    value->number = number_read_double(text);
    value->is_integer = number_read_integer(text, &value->integer);
}

static void set_string(cJSON *tree, struct value *value)
{
    value->type = VALUE_TEXT;
    value->text = utf8_show_nuls(tree->valuestring);
}

static const char *kind_of_item(const cJSON *item)
{
    if (cJSON_IsNumber(item))
        return "a number";
    if (cJSON_IsArray(item))
        return "an array";
    if (cJSON_IsObject(item))
        return "an object";
    return cJSON_IsNull(item) ? "null" : cJSON_IsTrue(item) ? "true" : "false";
}

static bool set_names(cJSON *tree, struct arena *mem, struct value *value,
                      struct err *err)
{
    cJSON *item = NULL;
    size_t count = 0;

    struct span *names =
        arena_alloc(mem, (size_t)cJSON_GetArraySize(tree) + 1, sizeof *names, err);
    if (!names)
        return false;
    cJSON_ArrayForEach(item, tree)
    {
        if (!cJSON_IsString(item)) {
            value->no_name = kind_of_item(item);
            break;
        }
        names[count++] = utf8_show_nuls(item->valuestring);
    }
    value->type = VALUE_NAMES;
    value->names = names;
    value->count = count;
    return true;
}

/* A string or an array, whose text `value` has. */
static bool set_from_tree(struct arena *mem, struct value *value, struct err *err)
{
    struct span text = value->text;
    cJSON *tree = NULL;

    if (strstr(text.at, "\\u0000")) {
        char *copy = arena_text(mem, text, err);
        if (!copy)
            return false;
        hide_nuls(copy);
        text = span_of(copy);
    }
    if (!read_tree(text, mem, &tree, err))
        return false;
    if (cJSON_IsString(tree))
        set_string(tree, value);
    else if (cJSON_IsArray(tree))
        return set_names(tree, mem, value, err);
    return true;
}

static const char *kind_of(char first)
{
    switch (first) {
    case '"':
        return "a string";
    case '[':
        return "an array";
    case '{':
        return "an object";
    case 't':
        return "true";
    case 'f':
        return "false";
    case 'n':
        return "null";
    default:
        return "a number";
    }
}

/* NaN, Infinity or -Infinity, without quotes. */
static bool is_bare_token(const char *text)
{
    return *text == 'N' || *text == 'I' || (*text == '-' && text[1] == 'I');
}

bool json_value(struct span text, struct arena *mem, struct value *value, struct err *err)
{
    char *copy = arena_text(mem, text, err);

    if (!copy)
        return false;
    *value = (struct value){.type = VALUE_NOTHING, .kind = kind_of(*copy)};
    value->text = (struct span){copy, text.len};
    if (is_bare_token(copy))
        value->type = VALUE_TEXT;
    else if (*copy == '-' || (*copy >= '0' && *copy <= '9'))
        set_number(value->text, value);
    else if (*copy == '"' || *copy == '[')
        return set_from_tree(mem, value, err);
    return true;
}
