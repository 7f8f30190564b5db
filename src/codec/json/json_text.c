#include "codec/json/json_text.h"

const char *json_scalar_words(enum json_scalar scalar)
{
    static const char *const words[] = {
        [JSON_NUMBER] = "a number",   [JSON_STRING] = "a string",
        [JSON_TRUE] = "true",         [JSON_FALSE] = "false",
        [JSON_NULL] = "null",         [JSON_NAN] = "NaN",
        [JSON_INFINITY] = "Infinity", [JSON_MINUS_INFINITY] = "-Infinity"};

    return words[scalar];
}
