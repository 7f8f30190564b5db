/* UTF-8, as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */
#ifndef LOSSD_BASE_UTF8_H
#define LOSSD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "lossd/base/span.h"

/* Bytes of the character that `text` starts with, 0 when it starts with none. */
size_t utf8_length(struct span text);

/* Is all of the text UTF-8? */
bool utf8_is_text(struct span text);

/* The terminated text, every C0 80 in it, which stood for a NUL, turned into one. */
struct span utf8_show_nuls(char *text);

/* Bytes of the text, `most` or up to three less, that do not end within a character. */
size_t utf8_fit(struct span text, size_t most);

#endif
