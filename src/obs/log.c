/* A line is made on the stack and handed over in one write(): no lock, no
 * allocation.  The kernel keeps the writes of several threads apart, in a pipe
 * up to PIPE_BUF bytes, so no line is longer.  If whoever reads the log has gone,
 * or a full disk refuses, lines are lost, which is told of when there is room again; a
 * server that fails because of its log is worse.  Who holds the other end of a pipe
 * and does not read it stops us when that is full: lines are not thrown away behind
 * the back of who set it up so.
 *
 * What a client chose (path, agent) is cut to a length at which the longest line
 * still fits, escapes included.  Keys are those of OpenTelemetry where it has one. */
#include "lossd/obs/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lossd/base/buf.h"
#include "lossd/base/clock.h"
#include "lossd/base/json_write.h"

enum {
    MESSAGE_MAX = 1024, /* bytes; all others are of the text with its escapes */
    MESSAGE_MAX_LOGGED = 3072,
    PATH_MAX_LOGGED = 1024,
    AGENT_MAX_LOGGED = 512,
    WORD_MAX_LOGGED = 128,
    WORDS = 6, /* of a line: method, route, client, ids, code */
    KEYS_MAX = 768,
    LINE_MAX_SIZE = PIPE_BUF
};

_Static_assert(KEYS_MAX + PATH_MAX_LOGGED + AGENT_MAX_LOGGED + WORDS * WORD_MAX_LOGGED <=
                   LINE_MAX_SIZE,
               "a request fits a line");
_Static_assert(KEYS_MAX + MESSAGE_MAX_LOGGED <= LINE_MAX_SIZE, "a message fits a line");

static const char *const level_names[] = {"debug", "info", "warning", "error"};

static bool wanted(const struct log *log, enum log_level level)
{
    return log && log->format != LOG_OFF && level >= log->lowest;
}

/* What a byte becomes at most, in either format. */
static size_t escaped_size(unsigned char byte)
{
    enum { QUOTED = 2, HEX = 4, UNICODE = 6 };

    if (byte == '"')
        return QUOTED;
    if (byte == '\\')
        return HEX;
    return byte >= 0x20 && byte < 0x7F ? 1 : UNICODE;
}

/* As much of the text as fits `most` bytes with its escapes. */
static struct span cut(struct span text, size_t most)
{
    size_t len = json_plain_length(text), size = len;

    if (len > most)
        return (struct span){text.at, most};
    while (len < text.len && (size += escaped_size((unsigned char)text.at[len])) <= most)
        len++;
    return (struct span){text.at, len};
}

/* Who shares the descriptor may have it not wait.  False: there is nothing to wait for. */
static bool await_room(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    return errno == EINTR || (errno == EAGAIN && poll(&room, 1, -1) >= 0);
}

/* Returns how much was taken.  A disk that is nearly full takes a part: the rest has another
 * try, for its end. */
static size_t write_all(int fd, struct span text)
{
    size_t done = 0;

    while (done < text.len) {
        ssize_t n = write(fd, text.at + done, text.len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || !await_room(fd))
            break;
    }
    return done;
}

/* True when all of it was taken. */
static bool write_flowing(int fd, struct span text, struct log_flow *flow)
{
    static const struct span line_end = {"\n", 1};

    log_flow_begin(flow, clock_coarse_ns());
    bool is_cut = log_flow_mend(flow) && write_all(fd, line_end) < line_end.len;
    size_t taken = is_cut ? 0 : write_all(fd, text);
    if (taken < text.len)
        log_flow_lose(flow, 1, is_cut || taken > 0);
    log_flow_end(flow, clock_coarse_ns());
    return taken == text.len;
}

static bool write_line(const struct log *log, struct buf *line)
{
    buf_char(line, '\n');
    if (!buf_ok(line))
        return false;
    if (log->flow)
        return write_flowing(log->fd, buf_span(line), log->flow);
    return write_all(log->fd, buf_span(line)) == line->len;
}

/* JSON */

static struct json begin_json(struct buf *line, enum log_level level, struct span message)
{
    struct json json = json_into(line, false);
    char now[CLOCK_TEXT_SIZE];

    clock_text(now);
    json_open(&json, '{');
    json_key(&json, "ts");
    json_text(&json, now);
    json_key(&json, "level");
    json_text(&json, level_names[level]);
    json_key(&json, "msg");
    json_string(&json, message);
    return json;
}

static void word(struct json *json, const char *key, struct span value)
{
    if (value.len == 0)
        return;
    json_key(json, key);
    json_string(json, cut(value, WORD_MAX_LOGGED));
}

static void count(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_uint(json, value);
}

static void write_access_json(struct buf *line, enum log_level level,
                              const struct access *access)
{
    struct json json = begin_json(line, level, span_of("request"));

    word(&json, "http.request.method", access->method);
    json_key(&json, "url.path");
    json_string(&json, cut(access->path, PATH_MAX_LOGGED));
    word(&json, "http.route", span_of(access->route));
    count(&json, "http.response.status_code", access->status);
    count(&json, "http.request.body.size", access->request_bytes);
    count(&json, "http.response.body.size", access->response_bytes);
    word(&json, "client.address", access->client);
    if (access->user_agent.len > 0) {
        json_key(&json, "user_agent.original");
        json_string(&json, cut(access->user_agent, AGENT_MAX_LOGGED));
    }
    word(&json, "request_id", span_of(access->request_id));
    word(&json, "trace_id", span_of(access->trace_id));
    json_key(&json, "duration_ms");
    json_number(&json, round(access->duration_ms * 1000) / 1000);
    if (access->rows > 0)
        count(&json, "rows", access->rows);
    if (access->classes > 0)
        count(&json, "classes", access->classes);
    word(&json, "code", span_of(access->code));
    if (!access->complete) {
        json_key(&json, "complete");
        json_bool(&json, false);
    }
    json_close(&json, '}');
}

/* Text */

/* Printable ASCII from `lowest` on as it is, all else as \xHH: a terminal obeys nobody's
 * bytes. */
static void write_plain(struct buf *line, struct span text, unsigned char lowest)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= lowest && c < 0x7F && c != '\\')
            buf_char(line, (char)c);
        else
            buf_format(line, "\\x%02x", c);
    }
}

/* What a client says is one word of a line, and cannot pass for several. */
static void write_word(struct buf *line, struct span text, size_t most)
{
    write_plain(line, cut(text, most), ' ' + 1);
}

static void begin_text(struct buf *line, enum log_level level)
{
    char now[CLOCK_TEXT_SIZE];

    clock_text(now);
    buf_format(line, "%s %-7s ", now, level_names[level]);
}

static void labelled(struct buf *line, const char *label, struct span text)
{
    if (text.len == 0)
        return;
    buf_format(line, " %s=", label);
    write_word(line, text, WORD_MAX_LOGGED);
}

static void write_access_text(struct buf *line, enum log_level level,
                              const struct access *access)
{
    begin_text(line, level);
    write_word(line, access->client, WORD_MAX_LOGGED);
    buf_char(line, ' ');
    write_word(line, access->method, WORD_MAX_LOGGED);
    buf_char(line, ' ');
    write_word(line, access->path, PATH_MAX_LOGGED);
    buf_format(line, " %u %.3fms in=%llu out=%llu", access->status, access->duration_ms,
               (unsigned long long)access->request_bytes,
               (unsigned long long)access->response_bytes);
    labelled(line, "code", span_of(access->code));
    if (access->rows > 0)
        buf_format(line, " rows=%zu classes=%zu", access->rows, access->classes);
    labelled(line, "id", span_of(access->request_id));
    if (!access->complete)
        buf_text(line, " incomplete");
}

static bool write_note(const struct log *log, enum log_level level, const char *message)
{
    struct span shown = cut(span_of(message), MESSAGE_MAX_LOGGED);
    char text[LINE_MAX_SIZE];
    struct buf line;

    buf_over(&line, text, sizeof text);
    if (log->format == LOG_JSON) {
        struct json json = begin_json(&line, level, shown);
        json_close(&json, '}');
    } else {
        begin_text(&line, level);
        write_plain(&line, shown, ' ');
    }
    return write_line(log, &line);
}

/* Behind the first line that there was room for. */
static void tell_of_lost(const struct log *log)
{
    bool is_asked = log->flow && wanted(log, LOG_WARNING);
    uint64_t lines = is_asked ? log_flow_tell(log->flow) : 0;
    char message[MESSAGE_MAX];

    if (lines == 0)
        return;
    snprintf(message, sizeof message,
             "log lines lost: %" PRIu64 "; there was no room for them", lines);
    if (!write_note(log, LOG_WARNING, message))
        log_flow_lose(log->flow, lines, false);
}

static void tell_of_left_out(const struct log *log, uint64_t lines)
{
    char message[MESSAGE_MAX];

    if (lines == 0 || !wanted(log, LOG_WARNING))
        return;
    snprintf(message, sizeof message,
             "log lines left out: %" PRIu64 "; more than %" PRIu64
             " came in a second (--log-rate raises that)",
             lines, log->gate->per_second);
    write_note(log, LOG_WARNING, message);
}

static bool may_pass(const struct log *log, enum log_kind kind)
{
    if (!log->gate || log->gate->per_second == 0)
        return true;
    int64_t now = clock_coarse_ns();
    bool passes = log_gate_pass(log->gate, kind, now);
    tell_of_left_out(log, log_gate_tell(log->gate, now));
    return passes;
}

void log_note(const struct log *log, enum log_level level, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;

    if (!wanted(log, level) || !may_pass(log, LOG_KIND_NOTE))
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (write_note(log, level, message))
        tell_of_lost(log);
}

/* A version of HTTP that is not spoken here (505) is the client's. */
static bool is_our_trouble(unsigned status)
{
    return status >= 500 && status != 505;
}

void log_access(const struct log *log, const struct access *access)
{
    enum log_level level = is_our_trouble(access->status) ? LOG_WARNING : LOG_INFO;
    char text[LINE_MAX_SIZE];
    struct buf line;

    if (!wanted(log, level) || !may_pass(log, LOG_KIND_ACCESS))
        return;
    buf_over(&line, text, sizeof text);
    if (log->format == LOG_JSON)
        write_access_json(&line, level, access);
    else
        write_access_text(&line, level, access);
    if (write_line(log, &line))
        tell_of_lost(log);
}

void log_end(const struct log *log)
{
    if (log && log->gate)
        tell_of_left_out(log, log_gate_rest(log->gate));
}
