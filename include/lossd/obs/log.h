/* Log lines: one JSON object (or one line of text) each, on one descriptor.
 *
 * Every value is escaped, so nothing a client sends can forge a line.  A line is
 * one write() of at most PIPE_BUF bytes, so lines of several threads do not mix,
 * in a pipe either; only while a disk fills up two may come to stand in one.  That
 * write waits where the descriptor does: for a reader of a pipe who does not read, for
 * ever.  Thread-safe. */
#ifndef LOSSD_OBS_LOG_H
#define LOSSD_OBS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lossd/base/span.h"
#include "lossd/obs/log_flow.h"
#include "lossd/obs/log_gate.h"

enum log_format { LOG_OFF, LOG_JSON, LOG_TEXT };
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log {
    int fd;
    enum log_format format;
    enum log_level lowest;
    struct log_gate *gate; /* holds back what is too much; NULL: nothing is */
    struct log_flow *flow; /* knows whether it is taken; NULL: nobody asks */
};

/* A line with a message: log_note(log, LOG_INFO, "listening on %s", url).  A NULL
 * log takes nothing. */
void log_note(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the end of a request has to say. */
struct access {
    struct span method, path;
    const char *route;
    unsigned status;
    uint64_t request_bytes, response_bytes;
    double duration_ms;
    const char *request_id;
    const char *trace_id; /* "" for none */
    struct span client;   /* address */
    struct span user_agent;
    const char *code;     /* of the problem, "" for none */
    size_t rows, classes; /* 0: none */
    bool complete;        /* the client took the whole answer */
};

void log_access(const struct log *log, const struct access *access);

/* Says how many lines have been left out since that was last said.  For the end: a
 * line that is left out, or the next one that is not, says so by itself, once a
 * second at most. */
void log_end(const struct log *log);

#endif
