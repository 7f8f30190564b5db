#include "mixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "batch_text.h"
#include "scrape.h"
#include "wire.h"

#define SMALL "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"
#define TO_LOSS "POST /v1/loss HTTP/1.1\r\nHost: x\r\n"

enum { LARGE_ROWS = 4000, PIPELINED = 20, SLOW = 10, ON_ONE_CONNECTION = 50 };

/* The first complaint is kept. */
static bool complain(const struct ingredient *self, const char *what)
{
    struct mixture *mixture = self->mixture;

    if (atomic_fetch_add(&mixture->wrong, 1) == 0)
        snprintf(mixture->complaint, sizeof mixture->complaint,
                 "%s: %u instead of %u, %s", what, self->status, self->wanted,
                 strerror(self->error));
    return false;
}

static bool is_answered(struct ingredient *self, struct wire *wire, unsigned status)
{
    struct answer answer;

    errno = 0;
    self->wanted = status;
    self->status = wire_answer(wire, false, &answer) ? answer.status : 0;
    self->error = errno;
    answer_release(&answer);
    return self->status == status;
}

static bool asks_and_is_answered(struct ingredient *self, struct wire *wire,
                                 const char *body, unsigned status)
{
    return wire_post(wire, "/v1/loss", body, false) && is_answered(self, wire, status);
}

/* ---- the kinds ----------------------------------------------------------------- */

static bool keeps_a_connection(struct ingredient *self)
{
    struct wire wire;
    bool good = wire_open(&wire, self->mixture->port);

    for (int i = 0; i < ON_ONE_CONNECTION && good; i++)
        good = asks_and_is_answered(self, &wire, SMALL, 200);
    wire_close(&wire);
    return good || complain(self, "a small question on a kept connection");
}

static bool takes_a_new_one(struct ingredient *self)
{
    struct wire wire;
    bool good = wire_open(&wire, self->mixture->port) &&
                wire_post(&wire, "/v1/loss", SMALL, true) &&
                is_answered(self, &wire, 200) && wire_ends(&wire);

    wire_close(&wire);
    return good || complain(self, "a small question on a new connection");
}

static bool sends_much(struct ingredient *self)
{
    struct wire wire;
    bool good = wire_open(&wire, self->mixture->port) &&
                wire_post(&wire, "/v1/softmax", self->mixture->large, false) &&
                is_answered(self, &wire, 200) &&
                asks_and_is_answered(self, &wire, SMALL, 200);

    wire_close(&wire);
    return good || complain(self, "a large question");
}

static bool send_chunks(struct wire *wire, const char *text)
{
    char line[32];
    bool good = wire_text(wire, "POST /v1/softmax HTTP/1.1\r\nHost: x\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n");

    for (size_t size = 1, left = strlen(text); left > 0 && good; size += 97) {
        size_t n = size < left ? size : left;
        snprintf(line, sizeof line, "%zx\r\n", n);
        good =
            wire_text(wire, line) && wire_send(wire, text, n) && wire_text(wire, "\r\n");
        text += n;
        left -= n;
    }
    return good && wire_text(wire, "0\r\n\r\n");
}

static bool sends_chunks(struct ingredient *self)
{
    struct wire wire;
    bool good = wire_open(&wire, self->mixture->port) &&
                send_chunks(&wire, self->mixture->large) && is_answered(self, &wire, 200);

    wire_close(&wire);
    return good || complain(self, "a question in chunks");
}

static bool asks_before_it_hears(struct ingredient *self)
{
    struct wire wire;
    bool good = wire_open(&wire, self->mixture->port);

    for (int i = 0; i < PIPELINED && good; i++)
        good = wire_post(&wire, "/v1/loss", SMALL, false);
    for (int i = 0; i < PIPELINED && good; i++)
        good = is_answered(self, &wire, 200);
    wire_close(&wire);
    return good || complain(self, "pipelined questions");
}

static bool asks_what_is_refused(struct ingredient *self)
{
    static const struct {
        const char *text;
        unsigned status;
    } cases[] = {
        {TO_LOSS "Content-Length: 3\r\n\r\n{,}", 400},
        {TO_LOSS "Content-Length: 3000000\r\n\r\n", 413},
        {TO_LOSS "Content-Length: 31\r\n\r\n{\"logits\":[[1,2]],\"labels\":[5]}", 422},
        {TO_LOSS "Transfer-Encoding: chunked\r\n\r\n5\r\n{,,,,\r\n", 400},
        {TO_LOSS "Content-Length: 1\r\nContent-Length: 1\r\n\r\n1", 400},
        {"GET /v1/lost HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"DELETE /v1/loss HTTP/1.1\r\nHost: x\r\n\r\n", 405},
    };
    size_t which = self->acts % (sizeof cases / sizeof *cases);
    struct wire wire;
    bool good = wire_open(&wire, self->mixture->port) &&
                wire_text(&wire, cases[which].text) &&
                is_answered(self, &wire, cases[which].status);

    wire_close(&wire);
    return good || complain(self, cases[which].text);
}

/* In the head, in the body, after the question, in the answer. */
static bool leaves(struct ingredient *self)
{
    const char *large = self->mixture->large;
    struct wire wire;
    char piece[1000];
    bool good = wire_open(&wire, self->mixture->port);

    switch (self->acts / 2 % 4) {
    case 0:
        good = good && wire_text(&wire, TO_LOSS "Conte");
        break;
    case 1:
        good = good && wire_text(&wire, TO_LOSS "Content-Length: 500000\r\n\r\n") &&
               wire_send(&wire, large, strlen(large) / 2);
        break;
    case 2:
        good = good && wire_post(&wire, "/v1/softmax", large, false);
        break;
    default:
        good = good && wire_post(&wire, "/v1/softmax", large, false) &&
               recv(wire.fd, piece, sizeof piece, 0) > 0;
        break;
    }
    if (self->acts % 2)
        wire_reset(&wire);
    else
        wire_close(&wire);
    return good || complain(self, "one who leaves");
}

/* Some connections whose headers never end; they are ended. */
static bool holds_on(struct ingredient *self)
{
    struct wire wires[SLOW];
    bool good = true;

    for (int i = 0; i < SLOW; i++)
        good = wire_open(&wires[i], self->mixture->port) &&
               wire_text(&wires[i], "GET /livez HTTP/1.1\r\nA: ") && good;
    for (int i = 0; i < SLOW; i++) {
        good = wires[i].fd >= 0 && wire_ends(&wires[i]) && good;
        wire_close(&wires[i]);
    }
    return good || complain(self, "one whose headers never end");
}

static bool looks_on(struct ingredient *self)
{
    struct scrape scrape;
    char why[WHY_SIZE];
    bool good = scrape_service(&scrape, self->mixture->port, self->acts % 2, why);

    scrape_release(&scrape);
    return good || complain(self, "GET /metrics");
}

/* ---- all together ---------------------------------------------------------------- */

static const struct {
    bool (*act)(struct ingredient *);
    bool waits; /* each act takes as long as a timeout */
} kinds[MIXTURE_KINDS] = {
    {keeps_a_connection, false},
    {takes_a_new_one, false},
    {sends_much, false},
    {sends_chunks, false},
    {asks_before_it_hears, false},
    {asks_what_is_refused, false},
    {leaves, false},
    {looks_on, false},
    {holds_on, true},
};

static void *run(void *arg)
{
    struct ingredient *self = arg;
    struct mixture *mixture = self->mixture;
    struct timespec pause = {mixture->pause_ms / 1000,
                             mixture->pause_ms % 1000 * 1000000L};

    while (!atomic_load(&mixture->ending) &&
           (self->turns == 0 || self->acts < self->turns)) {
        self->act(self);
        self->acts++;
        nanosleep(&pause, NULL);
    }
    return NULL;
}

bool mixture_start(struct mixture *mixture, unsigned port, unsigned pause_ms,
                   unsigned long turns)
{
    bool good = true;

    *mixture = (struct mixture){
        .port = port, .pause_ms = pause_ms, .large = batch_text(LARGE_ROWS)};
    for (size_t i = 0; i < MIXTURE_KINDS; i++) {
        struct ingredient *kind = &mixture->kinds[i];
        *kind = (struct ingredient){
            .mixture = mixture, .act = kinds[i].act, .turns = kinds[i].waits ? 0 : turns};
        kind->runs = pthread_create(&kind->thread, NULL, run, kind) == 0;
        good = good && kind->runs;
    }
    return good;
}

static void join(struct mixture *mixture, bool with_turns)
{
    for (size_t i = 0; i < MIXTURE_KINDS; i++) {
        struct ingredient *kind = &mixture->kinds[i];
        if (!kind->runs || (kind->turns > 0) != with_turns)
            continue;
        pthread_join(kind->thread, NULL);
        kind->runs = false;
    }
}

unsigned long mixture_stop(struct mixture *mixture)
{
    unsigned long acts = 0;

    join(mixture, true);
    atomic_store(&mixture->ending, true);
    join(mixture, false);
    for (size_t i = 0; i < MIXTURE_KINDS; i++)
        acts += mixture->kinds[i].acts;
    free(mixture->large);
    return acts;
}
