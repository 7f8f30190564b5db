/* lossctl: the service's client for a command line. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "build.inc"
#include "cli/command.h"
#include "cli/complain.h"
#include "lossd/base/standard_streams.h"

static const struct {
    const char *name;
    int (*run)(int argc, char *argv[]);
    const char *help;
} commands[] = {
    {"score", command_score, "send files, print the answers"},
    {"health", command_health, "is the server ready?  exit status 0 or 1"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void help_print(void)
{
    puts("lossctl - the client of lossd\n\n"
         "Usage: lossctl COMMAND ...\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    puts("\n"
         "  --version  print version and build\n"
         "  --help     print this; lossctl COMMAND --help says more\n\n"
         "Examples:\n"
         "  lossctl score batch.json -o reduction=sum\n"
         "  lossctl score - --url http://10.0.0.7:8080/v1/softmax < logits.json\n"
         "  lossctl health && echo ready");
}

static int command_run(int argc, char *argv[])
{
    const char *name = argc > 1 ? argv[1] : "";
    int status = EXIT_BAD;

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help_print();
        return EXIT_GOOD;
    }
    if (strcmp(name, "--version") == 0 && argc > 2) {
        complain("--version goes alone, without \"%s\"; see lossctl --help", argv[2]);
        return EXIT_USAGE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("lossctl %s (%s, libcurl %s)\n", LOSSD_VERSION, LOSSD_COMMIT,
               curl_version_info(CURLVERSION_NOW)->version);
        return EXIT_GOOD;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
            complain("libcurl does not start");
            return EXIT_BAD;
        }
        status = commands[i].run(argc - 1, argv + 1);
        curl_global_cleanup();
        return status;
    }
    if (*name == '\0')
        complain("a command is wanted; see lossctl --help");
    else
        complain("\"%s\" is not a command; see lossctl --help", name);
    return EXIT_USAGE;
}

int main(int argc, char *argv[])
{
    standard_streams_hold();
    int status = command_run(argc, argv);
    if (status == EXIT_GOOD && (fflush(stdout) != 0 || ferror(stdout))) {
        complain("standard output: %s", strerrordesc_np(errno));
        status = EXIT_BAD;
    }
    return status;
}
