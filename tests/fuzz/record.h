/* Lines of the log: each an object of strings, numbers and literals, and nothing else.
 * There are many to an execution, so they are read without taking memory. */
#ifndef LOSSD_TESTS_RECORD_H
#define LOSSD_TESTS_RECORD_H

#include <string.h>

#include "lossd/base/number.h"
#include "lossd/base/span.h"
#include "lossd/base/utf8.h"
#include "target.h"

enum { RECORD_TEXT = 4096 };

/* Of a line: what is left of it, and the member that has just been read. */
struct record {
    struct span rest;
    char name[64], text[RECORD_TEXT]; /* the text of a string, or of anything else */
};

static inline void record_skip(struct record *record, size_t bytes)
{
    record->rest = (struct span){record->rest.at + bytes, record->rest.len - bytes};
}

static inline bool record_take(struct record *record, char c)
{
    bool there = record->rest.len > 0 && *record->rest.at == c;

    record_skip(record, there);
    return there;
}

/* The character behind a backslash. */
static inline char record_escape(struct record *record)
{
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    char digits[5] = "", *end;

    for (const char *at = letters; *at; at += 2)
        if (record_take(record, *at))
            return at[1];
    require(record_take(record, 'u') && record->rest.len > 4, "the escape is one");
    memcpy(digits, record->rest.at, 4);
    unsigned long code = strtoul(digits, &end, 16);
    require(end == digits + 4 && code < 0x80, "what needs an escape is ASCII");
    record_skip(record, 4);
    return (char)code;
}

static inline void record_string(struct record *record, char *out, size_t size)
{
    size_t len = 0;

    require(record_take(record, '"'), "a string begins");
    while (!record_take(record, '"')) {
        size_t bytes = utf8_length(record->rest);
        require(bytes > 0, "the log is UTF-8");
        require((unsigned char)*record->rest.at >= ' ', "controls are escaped");
        require(len + bytes < size, "no text of the log is so long");
        if (record_take(record, '\\')) {
            out[len++] = record_escape(record);
            continue;
        }
        memcpy(out + len, record->rest.at, bytes);
        record_skip(record, bytes);
        len += bytes;
    }
    out[len] = '\0';
}

static inline void record_other(struct record *record)
{
    size_t len = number_length(record->rest);

    if (len == 0 && record->rest.len >= 4)
        len = memcmp(record->rest.at, "true", 4) == 0 ? 4 : 5;
    require(len < 32 && len < record->rest.len, "a value ends");
    memcpy(record->text, record->rest.at, len);
    record->text[len] = '\0';
    require(number_length(record->rest) > 0 || strcmp(record->text, "true") == 0 ||
                strcmp(record->text, "false") == 0,
            "a value is a string, a number, or true or false");
    record_skip(record, len);
}

/* Begins the line that `log` starts with. */
static inline void record_begin(struct record *record, const char *log)
{
    const char *end = strchr(log, '\n');

    require(*log == '{' && end != NULL, "every line of the log is an object");
    record->rest = (struct span){log, (size_t)(end - log)};
}

/* Reads the next member.  False: that was the last, and the end of the line. */
static inline bool record_next(struct record *record)
{
    if (record_take(record, '}')) {
        require(record->rest.len == 0, "nothing follows the object");
        return false;
    }
    require(record_take(record, '{') || record_take(record, ','), "members are apart");
    record_string(record, record->name, sizeof record->name);
    require(record_take(record, ':'), "a member has a value");
    if (record->rest.len > 0 && *record->rest.at == '"')
        record_string(record, record->text, sizeof record->text);
    else
        record_other(record);
    return true;
}

#endif
