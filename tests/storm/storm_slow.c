/* Three times as many slow clients as there may be connections: slowhttptest's, and our
 * own, which read next to nothing of a large answer.  Meanwhile probes ask for health on
 * the port that is for that, for a loss where the attackers are, and a thread that does
 * nothing but answer: the machine's part in how long that takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"
#include "prober.h"
#include "program.h"
#include "service.h"
#include "siege.h"
#include "verdict.h"

#define CAP_TEXT "200"
#define ATTACKERS_TEXT "600"
#define SECONDS_TEXT "60"

enum { CAP = 200, ATTACKERS = 600, SECONDS = 60 };

static const double PROBE_P99_MS = 50;
/* The attackers would go on for SECONDS.  Most are closed after 11 s, a look or two after
 * the timeout; readers are as soon as the sockets are full and 10 s have gone by. */
static const double GONE_WITHIN_S = 55;

static const char ask_for_a_loss[] =
    "POST /v1/loss HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 51\r\n\r\n"
    "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}";
static const char ask_for_health[] =
    "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

struct scene {
    struct service service;
    size_t descriptors;
    struct bare bare;
    struct prober health, loss, control;
    pthread_t watcher;
    atomic_bool ending;
    size_t most;              /* descriptors above those at rest */
    double began_ms, held_ms; /* until when there were more than the probes' */
};

static struct scene scene;
static struct verdict verdict;

static size_t above_rest(void)
{
    size_t now = service_descriptors(&scene.service);

    return now > scene.descriptors ? now - scene.descriptors : 0;
}

static void *watch_descriptors(void *arg)
{
    enum { PROBES = 10 }; /* those under way, or refused and about to close */

    (void)arg;
    while (!atomic_load(&scene.ending)) {
        size_t above = above_rest();
        if (above > scene.most)
            scene.most = above;
        if (above > PROBES)
            scene.held_ms = prober_now_ms();
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    return NULL;
}

static bool begin(void)
{
    static const char *const flags[] = {"--max-connections",
                                        CAP_TEXT,
                                        "--admin-listen",
                                        "127.0.0.1:0",
                                        "--keepalive-timeout",
                                        "10s",
                                        "--log-rate",
                                        "10",
                                        NULL};

    if (!service_start(&scene.service, flags))
        return false;
    scene.descriptors = service_descriptors(&scene.service);
    scene.most = 0;
    scene.began_ms = scene.held_ms = prober_now_ms();
    atomic_store(&scene.ending, false);
    bare_start(&scene.bare);
    prober_start(&scene.health, service_admin_port(&scene.service), ask_for_health);
    prober_start(&scene.loss, scene.service.port, ask_for_a_loss);
    prober_start(&scene.control, scene.bare.port, ask_for_health);
    return pthread_create(&scene.watcher, NULL, watch_descriptors, NULL) == 0;
}

static void judge_probes(void)
{
    char what[80];

    prober_stop(&scene.health);
    prober_stop(&scene.loss);
    prober_stop(&scene.control);
    bare_stop(&scene.bare);
    verdict_at_most(&verdict, "p99 of probes for health",
                    prober_share_ms(&scene.health, 0.99), "ms", PROBE_P99_MS);
    verdict_at_most(&verdict, "p99 of probes for a loss",
                    prober_share_ms(&scene.loss, 0.99), "ms", PROBE_P99_MS);
    verdict_note("p99 of probes of a bare thread", prober_share_ms(&scene.control, 0.99),
                 "ms");
    snprintf(what, sizeof what, "medians: %.2f, %.2f and %.2f ms; longest",
             prober_share_ms(&scene.health, 0.5), prober_share_ms(&scene.loss, 0.5),
             prober_share_ms(&scene.control, 0.5));
    verdict_note(what, prober_share_ms(&scene.loss, 1), "ms");
    snprintf(what, sizeof what, "probes without an answer, of %zu and %zu",
             scene.health.count, scene.loss.count);
    verdict_exactly(&verdict, what, (double)(scene.health.silent + scene.loss.silent), 0);
    verdict_exactly(&verdict, "probes for health that were refused",
                    (double)scene.health.refused, 0);
    verdict_note("probes for a loss answered 200", (double)scene.loss.answered, "");
    verdict_note("probes for a loss answered 503", (double)scene.loss.refused, "");
}

static void judge(const char *name)
{
    atomic_store(&scene.ending, true);
    pthread_join(scene.watcher, NULL);
    printf("        --- %s\n", name);
    judge_probes();
    verdict_note("most descriptors above those at rest", (double)scene.most, "");
    verdict_at_most(&verdict, "when the last attackers were closed",
                    (scene.held_ms - scene.began_ms) / 1e3, "s", GONE_WITHIN_S);
    service_descriptors_fall_to(&scene.service, scene.descriptors);
    verdict_exactly(&verdict, "descriptors left", (double)above_rest(), 0);
    verdict_exactly(&verdict, "exit status", service_stop(&scene.service), 0);
}

/* It goes on while it has connections, as far as it knows, or for SECONDS. */
static void run_slowhttptest(const char *mode, const char *path, const char *window)
{
    static struct ending ending;
    char url[100], name[80];
    struct program program = {.path = "/usr/bin/slowhttptest",
                              .words = {mode, "-c", ATTACKERS_TEXT, "-r", "600", "-l",
                                        SECONDS_TEXT, "-u", url, "-i", "2"}};
    const char *const slow_reading[] = {"-w", window, "-y", window, "-k", "10"};

    if (window) /* no room for -i, which it has no need of */
        memcpy(&program.words[9], slow_reading, sizeof slow_reading);
    if (!begin())
        exit(1);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", scene.service.port, path);
    snprintf(name, sizeof name, "slowhttptest %s%s%s", mode, window ? " -w " : "",
             window ? window : "");
    if (!program_run(&program, &ending))
        exit(1);
    judge(name);
}

static void run_readers(void)
{
    static struct siege siege;

    if (!begin() || !siege_begin(&siege, &slow_readers, scene.service.port, ATTACKERS))
        exit(1);
    while (prober_now_ms() - scene.began_ms < SECONDS * 1e3) {
        siege_go_on(&siege);
        nanosleep(&(struct timespec){1, 0}, NULL);
    }
    verdict_exactly(&verdict, "readers ended because they did not read",
                    siege_reaped(&slow_readers, service_admin_port(&scene.service)), CAP);
    judge("readers of a byte a second of a large answer");
    siege_end(&siege);
}

int main(void)
{
    if (access("/usr/bin/slowhttptest", X_OK) == 0) {
        run_slowhttptest("-H", "/v1/losses", NULL);
        run_slowhttptest("-B", "/v1/loss", NULL);
        run_slowhttptest("-X", "/v1/losses", "1");
        run_slowhttptest("-X", "/v1/losses", "512");
    } else {
        puts("skipped: slow headers, bodies and readers: there is no slowhttptest");
    }
    run_readers();
    return verdict_end(&verdict);
}
