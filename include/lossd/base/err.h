/* What went wrong, as a value that travels: a kind, a place and one sentence.
 *
 * Functions that can fail return bool and take a `struct err *` last.  They
 * report and leave in one act:
 *
 *     return fail(err, ERR_WRONG_TYPE, "/logits", "logits is a string; ...");
 *
 * An answer has one error.  The kinds stand in the order in which they win:
 * fail() keeps the error that is already there unless the new one belongs to
 * an earlier phase, so a reader may go on after a wrong member to find out
 * whether the text is JSON at all.
 *
 * The struct has a fixed size, so that "out of memory" needs no memory. */
#ifndef LOSSD_BASE_ERR_H
#define LOSSD_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum err_kind {
    ERR_NONE,
#define ERROR(kind, code, phase, status, title) ERR_##kind,
#include "lossd/base/errors.def"
#undef ERROR
    ERR_KINDS
};

/* The phases of a request, in the order in which their errors win. */
enum err_phase {
    PHASE_TRANSPORT,
    PHASE_TEXT,
    PHASE_DUPLICATE,
    PHASE_UNKNOWN,
    PHASE_MISSING,
    PHASE_CONFLICT,
    PHASE_SHAPE,
    PHASE_VALUE
};

/* A pointer ends with a NUL.  One of its characters may be another, which is then
 * written as the bytes C0 80, as no text has them: utf8_show_nuls() (utf8.h). */
enum { POINTER_SIZE = 1024 };

struct err {
    enum err_kind kind;
    bool has_position; /* offset, line and column say where the text is wrong */
    size_t offset;     /* bytes from the start of the body, or of the part at `pointer` */
    size_t line;       /* from 1 */
    size_t column;     /* bytes, from 1 */
    uint64_t limit;    /* the ceiling that was hit, or 0 */
    const char *flag;  /* the setting that raises it, or NULL */
    char pointer[POINTER_SIZE]; /* RFC 6901, "" when no element is at fault */
    char detail[384];           /* one sentence: the thing, the value, what was wanted */
};

enum err_phase err_phase(enum err_kind kind);

/* The kind in the words of an answer: "label_out_of_range". */
const char *err_code(enum err_kind kind);

/* True when `err` holds an error of `phase` or of an earlier one. */
bool err_by(const struct err *err, enum err_phase phase);

/* Records the error unless one of the same or an earlier phase is there.
 * `pointer` may be NULL; one that does not fit is left out, for a part of it would
 * point elsewhere.  A sentence that does not fit is cut at a character, the cut
 * marked with "...".  Always returns false. */
bool fail(struct err *err, enum err_kind kind, const char *pointer, const char *format,
          ...) __attribute__((format(printf, 4, 5)));

/* The same for a ceiling, with the flag that raises it. */
bool fail_limit(struct err *err, enum err_kind kind, const char *pointer, uint64_t limit,
                const char *flag, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
