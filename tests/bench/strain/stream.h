/* A stream of requests at a rate of its own, whether or not answers come: an open loop.
 *
 * A closed loop waits for answers before it asks again, so a server that falls behind
 * is asked less.  Here each request has its time, at random gaps as from many clients
 * that know nothing of each other, and its latency counts from then on: also what it
 * waited for a connection, when none was idle. */
#ifndef LOSSD_BENCH_STREAM_H
#define LOSSD_BENCH_STREAM_H

#include <math.h>
#include <poll.h>

#include "../noise.h"
#include "../service/load.h"

enum { STREAM_LINKS = 384, STREAM_ANSWERS = 1 << 18 };

/* Answers of one kind. */
struct answers {
    size_t count;
    double latency_us[STREAM_ANSWERS]; /* of the first so many */
};

struct stream {
    struct span request;
    unsigned port;
    size_t links, idle;
    struct link link[STREAM_LINKS];
    struct link *resting[STREAM_LINKS]; /* the first `idle` of them */
    int epoll;
    struct noise noise;
    double gap_ns; /* on average */
    double due_ns; /* of the next request */

    /* of one run */
    size_t offered, cut, others; /* asked; without an answer; neither 200 nor 503 */
    int64_t last_ns;             /* when the last answer that was 200 came */
    struct answers accepted, refused;
};

static inline void stream_dial(struct stream *stream, struct link *link)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = link};

    link->fd = dial(stream->port);
    if (link->fd < 0 || epoll_ctl(stream->epoll, EPOLL_CTL_ADD, link->fd, &event) < 0)
        load_fail("connect");
}

/* Heap memory, for stream_free(). */
static inline struct stream *stream_new(unsigned port, struct span request, size_t links)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        load_fail("client");
    stream->request = request;
    stream->port = port;
    stream->links = links;
    stream->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (stream->epoll < 0)
        load_fail("client");
    for (size_t i = 0; i < links; i++) {
        stream_dial(stream, &stream->link[i]);
        stream->resting[stream->idle++] = &stream->link[i];
    }
    return stream;
}

static inline void stream_free(struct stream *stream)
{
    for (size_t i = 0; i < stream->links; i++)
        close(stream->link[i].fd);
    close(stream->epoll);
    free(stream);
}

static inline void stream_rest(struct stream *stream, struct link *link)
{
    link->busy = false;
    stream->resting[stream->idle++] = link;
}

/* The server has closed a connection: there will be another. */
static inline void stream_redial(struct stream *stream, struct link *link)
{
    stream->cut += link->busy;
    close(link->fd);
    stream_dial(stream, link);
    if (link->busy)
        stream_rest(stream, link);
}

static inline void answers_add(struct answers *answers, int64_t ns)
{
    if (answers->count < STREAM_ANSWERS)
        answers->latency_us[answers->count] = (double)ns / 1e3;
    answers->count++;
}

static inline void stream_done(struct stream *stream, struct link *link)
{
    int64_t now = clock_ns();

    if (link->reader.status == 200) {
        answers_add(&stream->accepted, now - link->began_ns);
        stream->last_ns = now;
    } else if (link->reader.status == 503) {
        answers_add(&stream->refused, now - link->began_ns);
    } else {
        stream->others++;
    }
    stream_rest(stream, link);
    if (link->reader.is_last || link->sent < stream->request.len)
        stream_redial(stream, link);
}

static inline void stream_receive(struct stream *stream, struct link *link)
{
    static char piece[LOAD_PIECE];

    for (;;) {
        ssize_t n = recv(link->fd, piece, sizeof piece, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            stream_redial(stream, link);
            return;
        }
        if (link->busy && reply_read(&link->reader, piece, (size_t)n))
            stream_done(stream, link);
    }
}

/* False: the socket takes no more for now, or there is no more.  A server that refuses may
 * hang up; what it has said is read all the same. */
static inline bool stream_send_piece(struct stream *stream, struct link *link)
{
    size_t left = stream->request.len - link->sent;
    ssize_t n = send(link->fd, stream->request.at + link->sent,
                     left < LOAD_PIECE ? left : LOAD_PIECE, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n > 0)
        link->sent += (size_t)n;
    return n > 0 && link->sent < stream->request.len;
}

/* An answer may come in the middle of the request. */
static inline void stream_go_on(struct stream *stream, struct link *link)
{
    bool more = true;

    while (more) {
        more = link->busy && stream_send_piece(stream, link);
        stream_receive(stream, link);
    }
}

static inline void stream_ask(struct stream *stream, int64_t due_ns)
{
    struct link *link = stream->resting[--stream->idle];

    link->reader = (struct reply_reader){.state = REPLY_STATUS};
    link->sent = 0;
    link->busy = true;
    link->began_ns = due_ns;
    stream->offered++;
    stream_go_on(stream, link);
}

static inline void stream_await(struct stream *stream, int64_t ns)
{
    struct epoll_event events[64];
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    struct pollfd any = {.fd = stream->epoll, .events = POLLIN};

    /* epoll_sets.c has no other way to wait than this */
    int n = ppoll(&any, 1, &time, NULL);
    if (n > 0)
        n = epoll_wait(stream->epoll, events, 64, 0);

    for (int i = 0; i < n; i++)
        stream_go_on(stream, events[i].data.ptr);
}

/* Asks all whose time has come, as far as there are idle connections; returns the
 * nanoseconds until the next. */
static inline int64_t stream_ask_all(struct stream *stream, int64_t now)
{
    while (stream->due_ns <= (double)now && stream->idle > 0) {
        stream_ask(stream, (int64_t)stream->due_ns);
        stream->due_ns -= log(noise_share(&stream->noise)) * stream->gap_ns;
    }
    double left = stream->due_ns - (double)now;
    return left > 0 ? (int64_t)left : 1000000;
}

/* Asks `rate` times a second for so long, and awaits what is on its way then.  Returns
 * the nanoseconds until the last answer that was 200. */
static inline double stream_run(struct stream *stream, double rate, double seconds)
{
    int64_t start = clock_ns(), now = start, end = now + (int64_t)(seconds * 1e9);
    int64_t patience = end + INT64_C(1000000) * LOAD_PATIENCE_MS;

    stream->offered = stream->cut = stream->others = 0;
    stream->accepted.count = stream->refused.count = 0;
    stream->last_ns = start;
    stream->gap_ns = 1e9 / rate;
    stream->due_ns = (double)now;
    for (; now < end; now = clock_ns())
        stream_await(stream, stream_ask_all(stream, now));
    for (; stream->idle < stream->links; now = clock_ns()) {
        if (now > patience)
            load_fail("no answer");
        stream_await(stream, 1000000);
    }
    return (double)(stream->last_ns - start);
}

#endif
