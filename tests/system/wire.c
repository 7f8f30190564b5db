#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 30, PIECE = 65536 };

bool wire_open(struct wire *wire, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int on = 1;

    *wire = (struct wire){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(wire->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    wire_close(wire);
    return false;
}

bool wire_send(struct wire *wire, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = send(wire->fd, bytes, count, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        count -= (size_t)n;
    }
    return true;
}

bool wire_text(struct wire *wire, const char *text)
{
    return wire_send(wire, text, strlen(text));
}

bool wire_post(struct wire *wire, const char *target, const char *body, bool last)
{
    char head[512];

    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n", target,
             strlen(body), last ? "Connection: close\r\n" : "");
    return wire_text(wire, head) && wire_text(wire, body);
}

/* False at the end of the stream. */
static bool receive(struct wire *wire)
{
    char *longer = realloc(wire->unread, wire->len + PIECE + 1);

    if (!longer)
        return false;
    wire->unread = longer;
    errno = 0;
    ssize_t n = recv(wire->fd, wire->unread + wire->len, PIECE, 0);
    if (n <= 0)
        return false;
    wire->len += (size_t)n;
    wire->unread[wire->len] = '\0';
    return true;
}

static bool receive_up_to(struct wire *wire, size_t count)
{
    while (wire->len < count)
        if (!receive(wire))
            return false;
    return true;
}

static void drop(struct wire *wire, size_t count)
{
    wire->len -= count;
    memmove(wire->unread, wire->unread + count, wire->len);
    if (wire->unread)
        wire->unread[wire->len] = '\0';
}

/* The length of the next line with its end, 0 when the stream ends before. */
static size_t next_line(struct wire *wire)
{
    size_t looked_at = 0;

    for (;;) {
        char *end = wire->len > looked_at
                        ? memchr(wire->unread + looked_at, '\n', wire->len - looked_at)
                        : NULL;
        if (end)
            return (size_t)(end - wire->unread) + 1;
        looked_at = wire->len;
        if (!receive(wire))
            return 0;
    }
}

static bool take_into_body(struct wire *wire, size_t count, struct answer *answer)
{
    if (!receive_up_to(wire, count) ||
        !answer_add_body(answer, count ? wire->unread : "", count))
        return false;
    drop(wire, count);
    return true;
}

static bool take_chunks(struct wire *wire, struct answer *answer)
{
    for (;;) {
        size_t line = next_line(wire);
        if (line < 3)
            return false;
        size_t size = strtoul(wire->unread, NULL, 16);
        drop(wire, line);
        if (!take_into_body(wire, size, answer) || next_line(wire) != 2)
            return false;
        drop(wire, 2);
        if (size == 0)
            return true;
    }
}

static bool take_body(struct wire *wire, struct answer *answer)
{
    char value[300];

    if (answer_header(answer, "Transfer-Encoding", value))
        return strcmp(value, "chunked") == 0 && take_chunks(wire, answer);
    if (answer_header(answer, "Content-Length", value))
        return take_into_body(wire, strtoul(value, NULL, 10), answer);
    while (receive(wire)) /* until the connection closes */
        ;
    return take_into_body(wire, wire->len, answer);
}

bool wire_answer(struct wire *wire, bool to_head, struct answer *answer)
{
    *answer = (struct answer){0};
    size_t line = next_line(wire);
    if (line == 0 || sscanf(wire->unread, "HTTP/1.1 %u ", &answer->status) != 1)
        return false;
    do {
        if (!answer_add_head(answer, wire->unread, line))
            return false;
        drop(wire, line);
        line = next_line(wire);
    } while (line > 2);
    if (line == 0 || !answer_add_body(answer, "", 0))
        return false;
    drop(wire, line);
    return to_head || answer->status == 100 || take_body(wire, answer);
}

const char *wire_rest(struct wire *wire)
{
    while (receive(wire))
        ;
    return wire->unread ? wire->unread : "";
}

bool wire_ends(struct wire *wire)
{
    /* patience that has run out is not an end */
    return wire->len == 0 && !receive(wire) && errno != EAGAIN;
}

void wire_half_close(struct wire *wire)
{
    shutdown(wire->fd, SHUT_WR);
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    free(wire->unread);
    *wire = (struct wire){.fd = -1};
}

void wire_reset(struct wire *wire)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(wire->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    wire_close(wire);
}

unsigned wire_announce(struct wire *wire, const char *target, size_t length)
{
    struct answer answer;
    char head[512];

    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
             "Content-Length: %zu\r\n\r\n",
             target, length);
    bool answered = wire_text(wire, head) && wire_answer(wire, false, &answer);
    if (!answered)
        return 0;
    unsigned status = answer.status;
    answer_release(&answer);
    return status;
}
