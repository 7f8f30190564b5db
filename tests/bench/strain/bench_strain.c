/* What the service does when too much is asked of it.
 *
 *     bench_strain [SERVER [WHAT]]  SERVER: $LOSSD, or build/lossd; WHAT: company, or
 *                                   the name of a case of overload
 *     bench_strain --echo PORT      is the machine's own yardstick
 *
 * Overload: a closed loop finds the peak, then an open loop offers twice as much.  What
 * is accepted should be as much as at the peak and hardly slower, and what is refused
 * be told so at once.
 *
 * Company: small requests at a steady rate, alone and beside two clients that send
 * large ones in a loop.
 *
 * Clients elsewhere would not take the server's cores.  So requests are written
 * beforehand, and answers only counted.  Twice as many take twice as much of the client's
 * time; so that it is not the server's, overload has a server of its own on all cores but
 * the last, which is the client's.  (The kernel still receives on the time of whoever
 * sends over loopback.)  Company wants all cores for the server: there the client whose
 * latencies are measured goes before everything else (SCHED_FIFO), while the two large
 * ones take what is left (SCHED_IDLE).  How much of a latency is the machine's own shows
 * a server that does nothing, alone and beside processes that take all cores. */
#include "../service/process.h"
#include "../service/question.h"
#include "../timing.h"
#include "bystander.h"
#include "stream.h"

enum { ROUNDS = 7 };

/* Figures of several rounds, of which medians are printed. */
struct figure {
    double of[ROUNDS];
};

static double middle(struct figure figure)
{
    return quantile(figure.of, ROUNDS, 0.5);
}

/* Of the round that was least disturbed. */
static double least(struct figure figure)
{
    return quantile(figure.of, ROUNDS, 0);
}

static double tail(struct answers *answers, double share)
{
    size_t kept = answers->count < STREAM_ANSWERS ? answers->count : STREAM_ANSWERS;

    return quantile(answers->latency_us, kept, share);
}

/* ---- overload ------------------------------------------------------------------ */

static const struct overload_case {
    const char *name;
    struct question question;
    size_t connections; /* of the closed loop */
    double seconds;     /* of each half of a round */
} overload_cases[] = {
    {"64x100", {"/v1/loss", 64, 100}, 16, 0.7},
    {"64x1000", {"/v1/loss", 64, 1000}, 16, 1},
    {"256x1000, loss only", {"/v1/loss?return=loss", 256, 1000}, 16, 1.5},
};

struct overload {
    struct figure peak, peak_p99, peak_client, peak_cpu; /* of the server, for each 200 */
    struct figure offered, good, good_p99, client, cpu;
    struct figure refused, refused_p50, refused_p99; /* share, microseconds */
    struct figure goodput_ratio, p99_ratio;
    size_t cut, others;
};

static void find_peak(struct overload *o, size_t round, struct load *load,
                      const struct process *server, double seconds)
{
    double own = own_cpu(), cpu = process_cpu_ns(server);

    load->done = load->refused = 0;
    double ns = load_run(load, seconds);
    double done = (double)(load->done - load->refused);
    size_t kept = load->done < LATENCIES ? load->done : LATENCIES;
    o->peak.of[round] = done / ns * 1e9;
    o->peak_p99.of[round] = quantile(load->latency_us, kept, 0.99);
    o->peak_client.of[round] = (own_cpu() - own) / ns * 1e9;
    o->peak_cpu.of[round] = (process_cpu_ns(server) - cpu) / done / 1e6;
}

static void offer_twice(struct overload *o, size_t round, struct stream *stream,
                        const struct process *server, double seconds)
{
    double own = own_cpu(), cpu = process_cpu_ns(server);
    double ns = stream_run(stream, 2 * o->peak.of[round], seconds);
    double good = (double)stream->accepted.count;

    o->client.of[round] = (own_cpu() - own) / ns * 1e9;
    o->cpu.of[round] = (process_cpu_ns(server) - cpu) / good / 1e6;
    o->offered.of[round] = (double)stream->offered / seconds;
    o->good.of[round] = good / ns * 1e9;
    o->good_p99.of[round] = tail(&stream->accepted, 0.99);
    o->refused.of[round] = (double)stream->refused.count / (double)stream->offered;
    o->refused_p50.of[round] = tail(&stream->refused, 0.5);
    o->refused_p99.of[round] = tail(&stream->refused, 0.99);
    o->goodput_ratio.of[round] = o->good.of[round] / o->peak.of[round];
    o->p99_ratio.of[round] = o->good_p99.of[round] / o->peak_p99.of[round];
    o->cut += stream->cut;
    o->others += stream->others;
}

/* The rate, its latency, and who paid for it. */
static void print_rate(const char *name, struct figure rate, struct figure p99,
                       struct figure cpu, struct figure client)
{
    printf(
        "  %-5s %9.1f req/s   p99 %8.2f ms (%.2f)   CPU %.3f ms for each   client %.2f "
        "cores\n",
        name, middle(rate), middle(p99) / 1e3, least(p99) / 1e3, middle(cpu),
        middle(client));
}

static void print_overload(const struct overload_case *c, const struct overload *o,
                           size_t bytes)
{
    printf("\n%s: %zu bytes in, peak of %zu connections\n", c->name, bytes,
           c->connections);
    print_rate("peak", o->peak, o->peak_p99, o->peak_cpu, o->peak_client);
    print_rate("twice", o->good, o->good_p99, o->cpu, o->client);
    printf("  of %.1f req/s refused %.0f %%: p50 %.2f ms (%.2f), p99 %.2f ms (%.2f); cut "
           "off %zu, other answers %zu\n",
           middle(o->offered), 100 * middle(o->refused), middle(o->refused_p50) / 1e3,
           least(o->refused_p50) / 1e3, middle(o->refused_p99) / 1e3,
           least(o->refused_p99) / 1e3, o->cut, o->others);
    printf("  goodput %.2f of the peak's (wanted: 0.90)   p99 %.2f times the peak's "
           "(2.00)   refusal p99 %.2f ms (5.00)\n",
           middle(o->goodput_ratio), middle(o->p99_ratio), middle(o->refused_p99) / 1e3);
    fflush(stdout);
}

static void overload(const struct overload_case *c, const struct process *server)
{
    struct overload o = {0};
    struct span request = write_request(&c->question);
    struct load load;
    struct stream *stream = stream_new(server->port, request, STREAM_LINKS);

    load_init(&load, server->port, request, c->connections);
    load_run(&load, c->seconds / 4);
    for (size_t round = 0; round < ROUNDS; round++) {
        find_peak(&o, round, &load, server, c->seconds);
        offer_twice(&o, round, stream, server, c->seconds);
    }
    print_overload(c, &o, request.len);
    load_release(&load);
    stream_free(stream);
    free((void *)(uintptr_t)request.at);
}

static void overload_all(const char *server, const char *what)
{
    struct cores cores = cores_here();

    if (cores.count > 1)
        stay_on(&cores.others);
    struct process lossd = process_start(server, "--port");
    if (cores.count > 1)
        stay_on(&cores.last);
    for (size_t i = 0; i < sizeof overload_cases / sizeof *overload_cases; i++)
        if (!what || strcmp(what, overload_cases[i].name) == 0)
            overload(&overload_cases[i], &lossd);
    process_end(&lossd);
}

/* ---- company -------------------------------------------------------------------- */

static const struct question small = {"/v1/loss", 1, 10},
                             large = {"/v1/loss", 1024, 1000};

enum { SMALL_LINKS = 8, SMALL_RATE = 2000, LARGE_CLIENTS = 2 };

/* The hundredth part is forty requests of a round: ten, of half a second, changed from one
 * run to the next by a factor of two with what else the machine does. */
static const double company_seconds = 2;

struct company {
    const char *alone, *beside;
    struct figure alone_p50, alone_p99, beside_p50, beside_p99, ratio;
};

static void probe(struct stream *stream, struct figure *p50, struct figure *p99,
                  size_t round)
{
    stream_run(stream, SMALL_RATE, company_seconds / 10);
    stream_run(stream, SMALL_RATE, company_seconds);
    if (stream->accepted.count != stream->offered)
        fprintf(stderr, "bench_strain: %zu of %zu small requests are not answered 200\n",
                stream->offered - stream->accepted.count, stream->offered);
    p50->of[round] = tail(&stream->accepted, 0.5);
    p99->of[round] = tail(&stream->accepted, 0.99);
}

static void print_company(const struct company *c)
{
    printf("  %-30s p50 %8.1f us   p99 %8.1f us (%.1f)\n", c->alone, middle(c->alone_p50),
           middle(c->alone_p99), least(c->alone_p99));
    printf("  %-30s p50 %8.1f us   p99 %8.1f us (%.1f)   %.2f times, %.2f (wanted: "
           "2.00)\n",
           c->beside, middle(c->beside_p50), middle(c->beside_p99), least(c->beside_p99),
           middle(c->ratio), least(c->beside_p99) / least(c->alone_p99));
}

/* A client with one request at a time, for ever. */
struct looper {
    unsigned port;
    struct span request;
};

static void loop(void *ctx)
{
    const struct looper *looper = ctx;
    struct load load;

    go_last();
    load_init(&load, looper->port, looper->request, 1);
    load_run(&load, 3600);
}

static void kill_all(const struct process *children, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kill(children[i].pid, SIGKILL);
        waitpid(children[i].pid, NULL, 0);
    }
}

static void keep_company(struct company *c, size_t round, struct stream *stream,
                         void (*work)(void *ctx), void *ctx)
{
    struct process children[LARGE_CLIENTS];

    probe(stream, &c->alone_p50, &c->alone_p99, round);
    for (size_t i = 0; i < LARGE_CLIENTS; i++)
        children[i] = child_start(work, ctx);
    probe(stream, &c->beside_p50, &c->beside_p99, round);
    kill_all(children, LARGE_CLIENTS);
    c->ratio.of[round] = c->beside_p99.of[round] / c->alone_p99.of[round];
}

static void company(const struct process *lossd, const struct process *bystander)
{
    struct company ours = {.alone = "1x10 alone",
                           .beside = "beside two clients, 1024x1000"};
    struct company echo = {.alone = "echo alone", .beside = "beside two busy processes"};
    struct span request = write_request(&small);
    struct looper looper = {lossd->port, write_request(&large)};
    struct stream *to_us = stream_new(lossd->port, request, SMALL_LINKS);
    struct stream *to_echo = stream_new(bystander->port, request, SMALL_LINKS);

    for (size_t round = 0; round < ROUNDS; round++) {
        keep_company(&ours, round, to_us, loop, &looper);
        keep_company(&echo, round, to_echo, burn, NULL);
    }
    printf("\nsmall requests, %d a second on %d connections\n", SMALL_RATE, SMALL_LINKS);
    print_company(&ours);
    print_company(&echo);
    stream_free(to_us);
    stream_free(to_echo);
    free((void *)(uintptr_t)request.at);
    free((void *)(uintptr_t)looper.request.at);
}

static void keep_company_all(const char *server)
{
    struct process lossd = process_start(server, "--port");
    struct process echo = process_start("/proc/self/exe", "--echo");

    company(&lossd, &echo);
    process_end(&lossd);
    process_end(&echo);
}

int main(int argc, char **argv)
{
    const char *named = getenv("LOSSD");
    const char *server = argc > 1 ? argv[1] : named ? named : "build/lossd";
    const char *what = argc > 2 ? argv[2] : NULL;

    if (argc == 3 && strcmp(argv[1], "--echo") == 0)
        return echo_serve((unsigned)strtoul(argv[2], NULL, 10));
    if (argc > 3) {
        fputs("usage: bench_strain [SERVER [WHAT]]\n", stderr);
        return 2;
    }
    printf(
        "medians of %d rounds, and in brackets the least disturbed; the measuring client "
        "goes %s\n",
        ROUNDS,
        go_first() ? "first (SCHED_FIFO)"
                   : "with everybody else: SCHED_FIFO is not allowed");
    if (!what || strcmp(what, "company") == 0)
        keep_company_all(server);
    overload_all(server, what);
    return 0;
}
