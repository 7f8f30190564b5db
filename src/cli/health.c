/* lossctl health: is the server ready?  For health checks of containers, where the
 * exit status is all that counts and nothing but this program is there to ask. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/destination.h"
#include "lossd/codec/problem_read.h"

enum { NAME_SIZE = 128 };

static const char help[] =
    "Usage: lossctl health [-q] [[--url] URL]\n\n"
    "Asks whether the server is ready.  Exits with 0 when it is, with 1 when it is\n"
    "not or does not answer within two seconds, and with 2 when asked in wrong words.\n\n"
    "  URL          http://HOST:PORT, or with a path of its own such as /livez;\n"
    "               default: the server of this machine at LOSSD_ADMIN_LISTEN, where\n"
    "               health is told whatever the load, or at LOSSD_LISTEN, or at\n"
    "               LOSSD_HOST and LOSSD_PORT (or PORT), or as the file LOSSD_CONFIG\n"
    "               has it, else at 127.0.0.1:8080; path /readyz\n"
    "  -q, --quiet  say nothing\n"
    "      --help   print this\n";

static bool judge(const char *where, bool came, const struct client_answer *answer,
                  bool quiet)
{
    struct problem_text problem;
    bool good = came && answer->status / 100 == 2;

    if (quiet)
        return good;
    if (good)
        printf("ready: %s\n", where);
    else if (!came)
        complain("no answer from %s: %s", where, answer->why);
    else if (problem_read((struct span){answer->kept, answer->kept_len}, &problem))
        complain("%s is not ready: %s (status %ld)", where, problem.detail,
                 answer->status);
    else
        complain("%s is not ready: status %ld", where, answer->status);
    return good;
}

static int ask(const char *given, bool quiet)
{
    struct destination there = {
        .command = "health", .given = given, .path = "/readyz", .is_for_health = true};
    char name[NAME_SIZE];
    struct client *client = client_open();
    struct client_answer *answer = malloc(sizeof *answer);
    int status = destination_find(&there);

    if (status == EXIT_GOOD && client && answer) {
        struct client_request request = {.url = there.url,
                                         .socket = there.socket,
                                         .is_local = !given,
                                         .timeout_ms = 2000};
        bool came = client_send(client, &request, answer);
        if (!judge(destination_name(&there, name, sizeof name), came, answer, quiet))
            status = EXIT_BAD;
    }
    destination_free(&there);
    free(answer);
    client_close(client);
    return client && answer ? status : EXIT_BAD;
}

int command_health(int argc, char *argv[])
{
    static const struct option options[] = {{"url", required_argument, NULL, 'u'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *url = NULL;
    bool quiet = false;
    int c;

    while ((c = getopt_long(argc, argv, ":qh", options, NULL)) != -1) {
        switch (c) {
        case 'u':
            url = optarg;
            break;
        case 'q':
            quiet = true;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_GOOD;
        case ':':
            return complain_of_usage("health", "%s needs a value", argv[optind - 1]);
        default:
            return complain_of_option("health", argv);
        }
    }
    int given = argc - optind + (url != NULL);
    if (given > 1)
        return complain_of_usage("health", "one URL is wanted, not %d", given);
    return ask(url ? url : argv[optind], quiet);
}
