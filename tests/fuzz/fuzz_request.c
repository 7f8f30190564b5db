/* Any bytes into a connection of the server.
 *
 * The first byte of the input says who is knocked at, the second how the rest is sent:
 * with 1 in it cut into pieces, each sent when the one before has been read, and with 2
 * without waiting for answers before our side is closed.
 *
 * What comes back must be whole replies, each of them one of the server's log lines; no
 * request may follow one that was refused with the connection; requests that have one
 * meaning only must be seen with it, and be answered; and when all is over the server
 * must hold nothing any more. */
#include <errno.h>

#include "asked.h"
#include "daemon.h"
#include "heard.h"
#include "record.h"
#include "sense.h"

enum {
    BY_PIECES = 1,
    HASTY = 2,
    PIECES_MAX = 12,
    LOOKS_MAX = 4,          /* the reaper takes two */
    REPLIES_MAX = 32 << 20, /* three thousand times /metrics */
    REQUESTS_MAX = 4096,
    SOCKET_HOLDS = 128 << 10 /* bytes at least */
};

/* What the log says of a request. */
struct told {
    size_t status, request_bytes, response_bytes;
    char method[32], path[ASKED_HEAD_MAX], id[REQUEST_ID_SIZE];
    char code[32]; /* of a problem */
};

struct dialogue {
    int fd;
    bool ended; /* by the server */
    char heard[REPLIES_MAX];
    size_t heard_len;
    struct told told[REQUESTS_MAX];
    size_t told_count;
    /* The answer to what the library cannot read has found no room for its head in the
     * buffer, behind the request's: it closes without a word. */
    bool no_room;
};

static struct daemon daemon_here;

static void stop(void)
{
    daemon_stop(&daemon_here);
}

/* --- sending and hearing --- */

/* Takes what has come.  False: nothing. */
static bool hear(struct dialogue *dialogue)
{
    ssize_t n = recv(dialogue->fd, dialogue->heard + dialogue->heard_len,
                     sizeof dialogue->heard - dialogue->heard_len, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return false;
    require(dialogue->heard_len < sizeof dialogue->heard, "no answer is so long");
    dialogue->ended = n <= 0; /* closed, or closed with input unread */
    dialogue->heard_len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Lets the server do what there is to do. */
static void listen_to(struct dialogue *dialogue)
{
    do
        daemon_run(&daemon_here);
    while (hear(dialogue));
}

/* Short as it is, the socket takes it in one go. */
static void send_bytes(struct dialogue *dialogue, struct span bytes)
{
    ssize_t n = send(dialogue->fd, bytes.at, bytes.len, MSG_NOSIGNAL);

    require(n < 0 ? errno == EPIPE || errno == ECONNRESET : (size_t)n == bytes.len,
            "the socket has room for the request");
}

/* Each piece is one to the server, too. */
static void send_pieces(struct dialogue *dialogue, struct span bytes, uint64_t cuts)
{
    for (size_t i = 0; i < PIECES_MAX && bytes.len > 0 && !dialogue->ended; i++) {
        size_t step = next_step(&cuts);
        step = step < bytes.len ? step : bytes.len;
        send_bytes(dialogue, (struct span){bytes.at, step});
        listen_to(dialogue);
        bytes = asked_skip(bytes, step);
    }
    if (bytes.len > 0 && !dialogue->ended)
        send_bytes(dialogue, bytes);
}

static void converse(struct dialogue *dialogue, struct span bytes, unsigned manner,
                     uint64_t cuts)
{
    dialogue->ended = false;
    dialogue->heard_len = 0;
    if (manner & BY_PIECES)
        send_pieces(dialogue, bytes, cuts);
    else
        send_bytes(dialogue, bytes);
    if (!(manner & HASTY))
        listen_to(dialogue);
    shutdown(dialogue->fd, SHUT_WR);
    listen_to(dialogue);
    for (int looks = 0; !dialogue->ended; looks++) {
        require(looks < LOOKS_MAX, "the server ends the connection");
        daemon_reap(&daemon_here);
        listen_to(dialogue);
    }
}

/* How many requests get an answer for sure. */
static size_t count_asked(struct span bytes)
{
    struct asked asked;
    size_t count = 0;

    for (;;) {
        enum asking asking = asked_next(&bytes, &asked);
        if (asking == ASKED_SOUND)
            count++;
        else
            return count + (asking == ASKED_UNSOUND);
    }
}

/* --- the log --- */

static void note(struct told *told, const struct record *record)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
        size_t *number;
    } wanted[] = {
        {"http.request.method", told->method, sizeof told->method, NULL},
        {"url.path", told->path, sizeof told->path, NULL},
        {"code", told->code, sizeof told->code, NULL},
        {"request_id", told->id, sizeof told->id, NULL},
        {"http.response.status_code", NULL, 0, &told->status},
        {"http.request.body.size", NULL, 0, &told->request_bytes},
        {"http.response.body.size", NULL, 0, &told->response_bytes},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strcmp(record->name, wanted[i].name) != 0)
            continue;
        if (wanted[i].text)
            snprintf(wanted[i].text, wanted[i].size, "%s", record->text);
        else
            *wanted[i].number = strtoul(record->text, NULL, 10);
    }
}

/* Returns where the next line begins. */
static const char *read_line(struct dialogue *dialogue, const char *log)
{
    static struct record record;
    struct told told = {.status = 0};
    bool is_request = false;

    record_begin(&record, log);
    while (record_next(&record)) {
        if (strcmp(record.name, "msg") == 0) {
            is_request = strcmp(record.text, "request") == 0;
            dialogue->no_room |= strstr(record.text, "create response header") != NULL;
        }
        note(&told, &record);
    }
    if (is_request) {
        require(dialogue->told_count < REQUESTS_MAX,
                "no more requests than fit the input");
        dialogue->told[dialogue->told_count++] = told;
    }
    return record.rest.at + 1;
}

static void read_log(struct dialogue *dialogue, const char *log)
{
    dialogue->told_count = 0;
    dialogue->no_room = false;
    while (*log)
        log = read_line(dialogue, log);
}

/* --- what must be true --- */

static void check_reply(const struct heard *heard, const struct told *told)
{
    bool is_unread = told && !*told->method;

    require(told != NULL, "every reply is logged");
    require(heard_is_ours(heard), "the library has no pages of its own");
    require(!is_unread || heard->is_last, "nothing follows what cannot be read");
    require(told->status == heard->status, "the log has the status");
    require(!strpbrk(told->method, "\"(),/:;<=>?@[\\]{} ") ||
                ((heard->status == 400 || heard->status == 431) && heard->is_last),
            "what is no method is refused, and all that follows");
    require(span_is(heard_header(heard, "X-Request-ID"), told->id),
            "the log has the name");
    if (is_unread && heard->body.len == 0)
        return;
    require(told->response_bytes == heard->body.len, "the log has the size of the body");
    require_sense(heard->status, heard_header(heard, "Content-Type"),
                  heard_header(heard, "X-Request-ID"), heard->body);
}

/* A path is cut where it would take more than 1024 bytes of the log, which has two formats:
 * a backslash takes up to four, what is not printable up to six. */
static bool is_logged_as(struct span path, const char *text)
{
    size_t size = 0;

    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.at[i];
        size += c == '"' ? 2 : c == '\\' ? 4 : c >= 0x20 && c < 0x7F ? 1 : 6;
    }
    if (size <= 1024)
        return span_is(path, text);
    return path.len > strlen(text) && memcmp(path.at, text, strlen(text)) == 0;
}

/* Against the strictest reading.  False: that has nothing to say of what follows. */
static bool check_meaning(struct span *bytes, const struct heard *heard,
                          const struct told *told)
{
    struct asked asked;
    enum asking asking = asked_next(bytes, &asked);

    if (asking == ASKED_UNSOUND) {
        require(heard->status >= 400 && heard->status < 500 && heard->is_last,
                "what is unsound is refused, and all that follows");
    } else if (asking == ASKED_SOUND && told && *told->method) {
        require(asked.method.len >= sizeof told->method ||
                    span_is(asked.method, told->method),
                "the same method");
        require(is_logged_as(asked.path, told->path), "the same path");
        require(heard->is_last ? told->request_bytes <= asked.body
                               : told->request_bytes == asked.body,
                "the same body");
    }
    return asking == ASKED_SOUND;
}

/* May it?  Its client has left, or the library had no room for the head of its answer; or
 * the answers before it, which we read only then, have filled the socket, and what is
 * written past the library does not wait. */
static bool lacks_reply(const struct dialogue *dialogue, const struct told *told)
{
    bool is_unread = told->status >= 400 && !*told->method;

    return told->status == 499 ||
           (is_unread && (dialogue->no_room || dialogue->heard_len > SOCKET_HOLDS));
}

static void check(struct dialogue *dialogue, struct span bytes, size_t answers)
{
    struct span rest = {dialogue->heard, dialogue->heard_len};
    struct heard heard = {.is_last = false};
    bool is_clear = true;
    size_t count = 0;

    for (;;) {
        const struct told *told =
            count < dialogue->told_count ? &dialogue->told[count] : NULL;
        bool to_head = told && strcmp(told->method, "HEAD") == 0,
             was_last = heard.is_last;
        if (!heard_next(&rest, to_head, &heard))
            break;
        require(!was_last, "nothing follows the last reply");
        check_reply(&heard, told);
        is_clear = is_clear && check_meaning(&bytes, &heard, told);
        count++;
    }
    if (dialogue->told_count > count) {
        require(!heard.is_last, "no request is executed after a refused one");
        require(dialogue->told_count == count + 1 &&
                    lacks_reply(dialogue, &dialogue->told[count]),
                "only the last request may have no reply");
        return;
    }
    require(count >= answers || heard.is_last, "what has one meaning is answered");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dialogue dialogue;

    if (size < 2)
        return 0;
    if (!daemon_here.server) {
        daemon_start(&daemon_here);
        daemon_log(&daemon_here);
        atexit(stop);
    }
    struct span bytes = {(const char *)data + 2, size - 2};
    /* the library shows us the method as far as that, and sends a body all the same */
    if (memmem(bytes.at, bytes.len, "HEAD", sizeof "HEAD"))
        return 0;
    unsigned manner = data[1];
    dialogue.fd = daemon_connect(&daemon_here, data[0] % 4 % ENTRANCES);
    converse(&dialogue, bytes, manner, cuts_of(data, 2));
    daemon_require_rest(&daemon_here);
    close(dialogue.fd);
    read_log(&dialogue, daemon_log(&daemon_here));
    check(&dialogue, bytes, manner & HASTY ? 0 : count_asked(bytes));
    return 0;
}
