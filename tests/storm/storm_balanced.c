/* Three services behind HAProxy, as deploy/haproxy sets it up, while clients ask without a
 * rest: each restarts in turn, then each is killed in turn.  Nobody is to notice.
 * ROUNDS=3 goes round so many times. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "service.h"
#include "verdict.h"
#include "wire.h"

#define HAPROXY "/usr/sbin/haproxy"
#define QUESTION "{\"logits\":[[2,1,0.1],[0.5,2.5,0.3]],\"labels\":[0,1]}"

enum { REPLICAS = 3, KEEPERS = 6, CHANGERS = 2, CLIENTS = KEEPERS + CHANGERS };
enum { CHECKS_MS = 1500 }; /* two good ones, as the configuration wants, and some more */

struct client {
    pthread_t thread;
    unsigned port;
    bool keeps; /* its connection */
    atomic_bool *ending;
    unsigned long answered, failed;
};

struct stage {
    char folder[32], socket[REPLICAS][64];
    struct service replica[REPLICAS];
    pid_t balancer;
    unsigned port;
    atomic_bool ending;
    struct client client[CLIENTS];
};

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- clients ------------------------------------------------------------------ */

static void *ask_on(void *arg)
{
    struct client *client = arg;
    struct wire wire;
    bool is_open = false;

    while (!atomic_load(client->ending)) {
        struct answer answer = {0};
        is_open = is_open || wire_open(&wire, client->port);
        bool good = is_open && wire_post(&wire, "/v1/loss", QUESTION, false) &&
                    wire_answer(&wire, false, &answer) && answer.status == 200;
        client->answered += good;
        client->failed += !good;
        answer_release(&answer);
        if (is_open && !(good && client->keeps)) {
            wire_close(&wire);
            is_open = false;
        }
    }
    if (is_open)
        wire_close(&wire);
    return NULL;
}

static bool start_clients(struct stage *stage)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        stage->client[i] = (struct client){
            .port = stage->port, .keeps = i < KEEPERS, .ending = &stage->ending};
        if (pthread_create(&stage->client[i].thread, NULL, ask_on, &stage->client[i]))
            return false;
    }
    return true;
}

/* ---- replicas ----------------------------------------------------------------- */

/* On a socket with a name, which the next one in its place has again. */
static bool start_replica(struct stage *stage, size_t i)
{
    const char *const flags[] = {
        "--listen",      "127.0.0.1:0", "--listen", stage->socket[i],
        "--drain-delay", "2s",          NULL};

    return service_start(&stage->replica[i], flags);
}

static bool kill_replica(struct service *replica)
{
    return kill(replica->pid, SIGKILL) == 0 &&
           service_wait(replica) == SERVICE_KILLED + SIGKILL;
}

/* Each of them ends, as by `end`, and begins anew. */
static bool go_round(struct stage *stage, bool (*end)(struct service *replica))
{
    for (size_t i = 0; i < REPLICAS; i++) {
        if (!end(&stage->replica[i]) || !start_replica(stage, i))
            return false;
        pause_ms(CHECKS_MS);
    }
    return true;
}

static bool stop_replica(struct service *replica)
{
    return service_stop(replica) == 0;
}

/* ---- what is in front of them --------------------------------------------------- */

static bool start_balancer(struct stage *stage)
{
    char name[16], value[80];
    struct wire wire;

    if ((stage->balancer = fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        snprintf(value, sizeof value, "127.0.0.1:%u", stage->port);
        setenv("BIND", value, 1);
        for (size_t i = 0; i < REPLICAS; i++) {
            snprintf(name, sizeof name, "REPLICA_%zu", i + 1);
            snprintf(value, sizeof value, "unix@%s",
                     stage->socket[i] + sizeof "unix:" - 1);
            setenv(name, value, 1);
        }
        execl(HAPROXY, HAPROXY, "-q", "-db", "-f", "deploy/haproxy/haproxy.cfg", NULL);
        _exit(127);
    }
    for (int i = 0; stage->balancer > 0 && i < 100; i++) {
        if (wire_open(&wire, stage->port)) {
            wire_close(&wire);
            pause_ms(CHECKS_MS);
            return true;
        }
        pause_ms(50);
    }
    return false;
}

static bool set_up(struct stage *stage)
{
    struct service free_port;

    snprintf(stage->folder, sizeof stage->folder, "/tmp/lossd-balanced-XXXXXX");
    if (!mkdtemp(stage->folder) || !service_start(&free_port, NULL))
        return false;
    stage->port = free_port.port; /* which nobody else was using */
    service_stop(&free_port);
    for (size_t i = 0; i < REPLICAS; i++) {
        snprintf(stage->socket[i], sizeof stage->socket[i], "unix:%s/%zu", stage->folder,
                 i);
        if (!start_replica(stage, i))
            return false;
    }
    return start_balancer(stage) && start_clients(stage);
}

static void take_down(struct stage *stage)
{
    atomic_store(&stage->ending, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(stage->client[i].thread, NULL);
    kill(stage->balancer, SIGTERM);
    waitpid(stage->balancer, NULL, 0);
    for (size_t i = 0; i < REPLICAS; i++)
        service_stop(&stage->replica[i]);
    rmdir(stage->folder);
}

int main(void)
{
    const char *wanted = getenv("ROUNDS");
    unsigned rounds = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 3;
    struct verdict verdict = {0};
    struct stage stage = {0};
    unsigned long answered = 0, failed = 0;

    if (access(HAPROXY, X_OK) != 0) {
        puts("skipped: restarts and kills behind HAProxy: there is none");
        return 0;
    }
    if (!set_up(&stage)) {
        fprintf(stderr, "HAProxy and three services could not be started\n");
        return 1;
    }
    for (unsigned round = 0; round < rounds; round++)
        if (!go_round(&stage, stop_replica) || !go_round(&stage, kill_replica)) {
            fprintf(stderr, "round %u could not be run\n", round);
            return 1;
        }
    take_down(&stage);
    for (size_t i = 0; i < CLIENTS; i++) {
        answered += stage.client[i].answered;
        failed += stage.client[i].failed;
    }
    verdict_note("restarts and kills behind HAProxy", rounds * 2 * REPLICAS, "");
    verdict_note("answers", (double)answered, "");
    verdict_exactly(&verdict, "requests without an answer of 200", (double)failed, 0);
    return verdict_end(&verdict);
}
