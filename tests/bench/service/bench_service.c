/* The service: requests a second, latency, and CPU time for each request, over
 * loopback, beside a bare handler of the same HTTP library.
 *
 *     bench_service [SERVER]        SERVER: $LOSSD, or build/lossd
 *     bench_service --bare PORT     is the bare handler
 *
 * The two servers run at the same time and are loaded in turns.  CPU time for each
 * request is the figure to trust: requests a second also depend on the client, which
 * shares the cores. */
#include "../timing.h"
#include "bare.h"
#include "process.h"
#include "question.h"

static const struct service_case {
    const char *name;
    struct question question;
    size_t connections;
    unsigned rounds;
    double seconds; /* of each round */
} service_cases[] = {
    {"GET /livez", {"/livez", 0, 0}, 16, 5, 0.4},
    {"1x10", {"/v1/loss", 1, 10}, 16, 5, 0.4},
    {"1x10, loss only", {"/v1/loss?return=loss", 1, 10}, 16, 5, 0.4},
    {"64x10", {"/v1/loss", 64, 10}, 16, 5, 0.4},
    {"64x10, loss only", {"/v1/loss?return=loss", 64, 10}, 16, 5, 0.4},
    {"1024x1000", {"/v1/loss", 1024, 1000}, 2, 3, 1},
    {"1024x1000 float32", {"/v1/loss?dtype=float32", 1024, 1000}, 2, 3, 1},
    {"1024x1000, loss only", {"/v1/loss?return=loss", 1024, 1000}, 2, 3, 1},
};

/* ---- one case ----------------------------------------------------------------- */

/* A server and what was measured of it. */
struct side {
    const char *name;
    struct process process;
    struct load load;
    double rate[ROUNDS_MAX]; /* requests a second */
    double cpu_us[ROUNDS_MAX];
};

enum { LOSSD, BARE, SIDES };

static void load_side(struct side *side, double seconds, unsigned round)
{
    size_t before = side->load.done;
    double cpu = process_cpu_ns(&side->process);
    double ns = load_run(&side->load, seconds);
    double requests = (double)(side->load.done - before);

    side->cpu_us[round] = (process_cpu_ns(&side->process) - cpu) / requests / 1e3;
    side->rate[round] = requests / ns * 1e9;
    if (side->load.refused > 0) {
        fprintf(stderr, "bench_service: %s: %zu of %zu answers are not 200\n", side->name,
                side->load.refused, side->load.done);
        exit(1);
    }
}

/* Some load that is not counted: memory is touched, connections are spread. */
static void warm_side(struct side *side, double seconds)
{
    load_side(side, seconds / 2, 0);
    side->load.done = side->load.received = 0;
    process_forget_peak(&side->process);
}

static void print_side(struct side *side, unsigned rounds, size_t request)
{
    struct load *load = &side->load;
    size_t kept = load->done < LATENCIES ? load->done : LATENCIES;
    double rate = quantile(side->rate, rounds, 0.5);

    printf("  %-6s %10.1f req/s   p50 %9.1f us   p99 %9.1f us   CPU %9.1f us", side->name,
           rate, quantile(load->latency_us, kept, 0.5),
           quantile(load->latency_us, kept, 0.99), quantile(side->cpu_us, rounds, 0.5));
    if (request > 1 << 20)
        printf("   %.0f MB/s in, %.0f out", rate * (double)request / 1e6,
               rate * (double)load->received / (double)load->done / 1e6);
    putchar('\n');
}

static void print_ratios(struct side *sides, unsigned rounds, double idle)
{
    double rate = quantile(sides[LOSSD].rate, rounds, 0.5) /
                  quantile(sides[BARE].rate, rounds, 0.5);
    double own = quantile(sides[LOSSD].cpu_us, rounds, 0.5);
    double bare = quantile(sides[BARE].cpu_us, rounds, 0.5);

    printf("  ratio  %9.3fx req/s   CPU %.2fx, %.1f us of our own   peak memory %.0f MB "
           "above idle\n",
           rate, own / bare, own - bare,
           process_memory(&sides[LOSSD].process, "VmHWM:") - idle);
}

static void bench(const struct service_case *c, struct side *sides, double idle)
{
    struct span request = write_request(&c->question);

    for (size_t i = 0; i < SIDES; i++) {
        load_init(&sides[i].load, sides[i].process.port, request, c->connections);
        warm_side(&sides[i], c->seconds);
    }
    for (unsigned round = 0; round < c->rounds; round++)
        for (size_t i = 0; i < SIDES; i++)
            load_side(&sides[(i + round) % SIDES], c->seconds, round);
    printf("\n%s: %zu bytes in, %zu out, %zu connections, %u rounds of %.1f s\n", c->name,
           request.len, sides[LOSSD].load.received / sides[LOSSD].load.done,
           c->connections, c->rounds, c->seconds);
    for (size_t i = 0; i < SIDES; i++)
        print_side(&sides[i], c->rounds, request.len);
    print_ratios(sides, c->rounds, idle);
    fflush(stdout);
    for (size_t i = 0; i < SIDES; i++)
        load_release(&sides[i].load);
    free((void *)(uintptr_t)request.at);
}

int main(int argc, char **argv)
{
    const char *named = getenv("LOSSD");
    const char *server = argc > 1 ? argv[1] : named ? named : "build/lossd";

    if (argc == 3 && strcmp(argv[1], "--bare") == 0)
        return bare_serve((unsigned)strtoul(argv[2], NULL, 10));
    if (argc > 2) {
        fputs("usage: bench_service [SERVER]\n", stderr);
        return 2;
    }
    struct side sides[SIDES] = {
        [LOSSD] = {.name = "lossd", .process = process_start(server, "--port")},
        [BARE] = {.name = "bare", .process = process_start("/proc/self/exe", "--bare")},
    };
    double idle = process_memory(&sides[LOSSD].process, "VmRSS:");
    puts("medians of the rounds; bare: a handler of the same library that drops the body "
         "and\nanswers 78 bytes; CPU: the server's for each request");
    for (size_t i = 0; i < sizeof service_cases / sizeof service_cases[0]; i++)
        bench(&service_cases[i], sides, idle);
    for (size_t i = 0; i < SIDES; i++)
        process_end(&sides[i].process);
    return 0;
}
