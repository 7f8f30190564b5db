/* Settings, as plain values: one field for each row of options.def.
 *
 * No layer sees this: main passes plain values down.  A struct config owns nothing and
 * points nowhere. */
#ifndef LOSSD_CONFIG_H
#define LOSSD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/obs/log.h"

/* Values of log_format: those of enum log_format, and one more. */
enum { CONFIG_LOG_AUTO = LOG_TEXT + 1 };

enum { CONFIG_STRING_SIZE = 256 };

/* STRING, LIST: terminated text.  DURATION: nanoseconds.  CHOICE: its index. */
#define CONFIG_FIELD_STRING(field) char field[CONFIG_STRING_SIZE];
#define CONFIG_FIELD_LIST(field) char field[CONFIG_STRING_SIZE];
#define CONFIG_FIELD_UINT(field) size_t field;
#define CONFIG_FIELD_SIZE(field) size_t field;
#define CONFIG_FIELD_DURATION(field) int64_t field;
#define CONFIG_FIELD_BOOL(field) bool field;
#define CONFIG_FIELD_CHOICE(field) unsigned field;

struct config {
#define OPTION(field, TYPE, ...) CONFIG_FIELD_##TYPE(field)
#include "options.def"
};

enum {
#define OPTION(field, ...) CONFIG_OPTION_##field,
#include "options.def"
    CONFIG_OPTIONS /* how many there are */
};

#endif
