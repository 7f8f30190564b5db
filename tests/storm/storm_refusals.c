/* Refusals reach clients that send their whole body before they look for an answer:
 * Python's and Node's, 40 of 40. */
#include <stdio.h>
#include <stdlib.h>

#include "program.h"
#include "service.h"
#include "verdict.h"
#include "wire.h"

#define TRIES_TEXT "40"

enum { TRIES = 40 };

struct refusal {
    const char *what, *target, *bytes, *status;
    bool while_full; /* another body under way has most of the memory reserved */
};

static const struct refusal refusals[] = {
    {"413, 20 MiB where 16 may be", "/v1/loss", "20971520", "413", false},
    {"400, bad JSON at the start of 5 MiB", "/v1/loss", "5242880", "400", false},
    {"400, bad JSON at the start of 0.9 MB", "/v1/loss", "900000", "400", false},
    {"404, no such route, 5 MiB", "/v1/lost", "5242880", "404", false},
    {"503, no memory for 5 MiB", "/v1/softmax", "5242880", "503", true},
};

static const struct {
    const char *language, *interpreter, *script;
} clients[] = {
    {"Python", "python3", "tests/storm/refused.py"},
    {"Node", "node", "tests/storm/refused.js"},
};

static bool is_there(const char *interpreter)
{
    static struct ending ending;
    struct program program = {.path = "/usr/bin/env",
                              .words = {interpreter, "--version"}};

    return program_run(&program, &ending) && ending.status == 0;
}

/* How many of the refusals the client got to read. */
static double deliver(size_t client, const struct refusal *refusal, unsigned port)
{
    static struct ending ending;
    char port_text[12];
    struct program program = {
        .path = "/usr/bin/env",
        .words = {clients[client].interpreter, clients[client].script, port_text,
                  refusal->target, refusal->bytes, refusal->status, TRIES_TEXT}};

    snprintf(port_text, sizeof port_text, "%u", port);
    bool ran = program_run(&program, &ending) && ending.status == 0;
    if (*ending.err)
        printf("        %.200s", ending.err);
    return ran ? strtod(ending.out, NULL) : -1;
}

static void try(struct verdict *verdict, size_t client, const struct refusal *refusal,
                unsigned port)
{
    struct wire holder = {.fd = -1};
    char what[120];

    if (refusal->while_full && (!wire_open(&holder, port) ||
                                wire_announce(&holder, "/v1/softmax", 9437184) != 100))
        exit(1);
    snprintf(what, sizeof what, "%s: %s", clients[client].language, refusal->what);
    verdict_exactly(verdict, what, deliver(client, refusal, port), TRIES);
    wire_close(&holder);
}

int main(void)
{
    static const char *const flags[] = {
        "--max-body",     "16MiB",        "--memory-budget",
        "8MiB",           "--small-body", "0",
        "--body-timeout", "1h",           NULL};
    struct verdict verdict = {0};
    struct service service;

    if (!service_start(&service, flags))
        return 1;
    size_t descriptors = service_descriptors(&service);
    for (size_t c = 0; c < sizeof clients / sizeof *clients; c++) {
        if (!is_there(clients[c].interpreter)) {
            printf("skipped: %s: there is no %s\n", clients[c].language,
                   clients[c].interpreter);
            continue;
        }
        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
            try(&verdict, c, &refusals[i], service.port);
    }
    service_descriptors_fall_to(&service, descriptors);
    verdict_exactly(&verdict, "descriptors left",
                    (double)service_descriptors(&service) - (double)descriptors, 0);
    verdict_exactly(&verdict, "exit status", service_stop(&service), 0);
    return verdict_end(&verdict);
}
