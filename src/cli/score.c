/* lossctl score: files to the service, its answers to stdout. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/complain.h"
#include "cli/destination.h"
#include "cli/key_file.h"
#include "lossd/codec/problem_read.h"

enum { NAME_SIZE = 128, PATIENCE_S = 300, PATIENCE_MOST_S = 86400 };

static const char help[] =
    "Usage: lossctl score FILE... [--url URL] [--type TYPE] [--key-file FILE]\n"
    "                     [--timeout S] [-o OPTION=VALUE]...\n\n"
    "Sends each file (- is stdin) to the service and prints its answer.  Names that\n"
    "end with .ndjson or .jsonl are of datasets, a record on each line, with .npy of\n"
    "arrays as numpy saves them; all else is JSON.  Exits with 1 when one was\n"
    "refused or has no answer and with 2 when one, the command itself or what the\n"
    "environment has for it cannot be read; stderr then says why.\n\n"
    "  --url URL        http://HOST:PORT, or with a path such as /v1/softmax;\n"
    "                   default: the server of this machine at LOSSD_LISTEN, or at\n"
    "                   LOSSD_HOST and LOSSD_PORT (or PORT), or as the file\n"
    "                   LOSSD_CONFIG has it, else at 127.0.0.1:8080; path /v1/loss\n"
    "  --type TYPE      what the files are, whatever their names: json, ndjson or npy\n"
    "  --key-file FILE  has the key that the service wants, on its first line that is\n"
    "                   no comment; default: what LOSSCTL_KEY_FILE names, if anything\n"
    "  --timeout S      give up when nothing is taken or sent for S seconds;\n"
    "                   0: never; default: 300.  Connecting may take 10 in any case\n"
    "  -o OPTION=VALUE  an option of the request, such as reduction=sum or pretty\n"
    "  --help           print this\n\n"
    "Example:\n"
    "  echo '{\"logits\":[1,2,3],\"labels\":2}' | lossctl score - -o return=loss\n";

/* One run of the command. */
struct score {
    struct client *client;
    struct client_answer *answer;
    struct destination there;
    long patience_s;
    const char *media_type; /* NULL: names tell */
    const char *key_file;   /* NULL: the service wants no key */
    char key[KEY_FILE_SIZE];
};

static void problem_tell(const char *name, const struct client_answer *answer)
{
    struct problem_text problem;
    char place[sizeof problem.pointer + 80] = "", flag[sizeof problem.flag + 16] = "";

    if (!problem_read((struct span){answer->kept, answer->kept_len}, &problem)) {
        complain("%s: status %ld without a reason that lossctl can read; is this lossd?",
                 name, answer->status);
        return;
    }
    if (problem.pointer[0])
        snprintf(place, sizeof place, " at %s", problem.pointer);
    else if (problem.line)
        snprintf(place, sizeof place, " at line %zu, column %zu", problem.line,
                 problem.column);
    if (problem.flag[0] && !strstr(problem.detail, problem.flag))
        snprintf(flag, sizeof flag, "; %s raises that", problem.flag);
    if (problem.code[0])
        complain("%s: %s (%s%s%s)", name, problem.detail, problem.code, place, flag);
    else
        complain("%s: %s (status %ld%s%s)", name, problem.detail, answer->status, place,
                 flag);
}

static bool answer_tell(const struct score *score, const char *name, bool came)
{
    const struct client_answer *answer = score->answer;
    char where[NAME_SIZE];

    bool is_good = came && answer->status / 100 == 2;
    if (is_good && !answer->is_silent)
        return true;
    if (is_good)
        complain("%s: status %ld without an answer; is this lossd?", name,
                 answer->status);
    else if (came)
        problem_tell(name, answer);
    else if (answer->is_stalled)
        complain("%s: %s has neither taken nor sent anything for %ld s (--timeout gives "
                 "it longer)",
                 name, destination_name(&score->there, where, sizeof where),
                 score->patience_s);
    else if (answer->is_refused)
        complain(
            "no answer from %s: %s; is lossd running there?  Start it with `lossd`, or "
            "name the right place with --url",
            destination_name(&score->there, where, sizeof where), answer->why);
    else
        complain("%s: %s", name, answer->why);
    return false;
}

/* NULL: unknown. */
static const char *media_type_of(const char *type)
{
    static const struct {
        const char *type, *media_type;
    } known[] = {{"json", "application/json"},
                 {"ndjson", "application/x-ndjson"},
                 {"jsonl", "application/x-ndjson"},
                 {"npy", "application/x-npy"}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(type, known[i].type) == 0)
            return known[i].media_type;
    return NULL;
}

/* What the name says of the content. */
static const char *media_type_of_file(const char *name)
{
    const char *ending = strrchr(name, '.');
    const char *media_type = ending ? media_type_of(ending + 1) : NULL;

    return media_type ? media_type : "application/json";
}

static bool stream_score(const struct score *score, const char *name, FILE *body)
{
    struct client_request request = {
        .url = score->there.url,
        .socket = score->there.socket,
        .is_local = !score->there.given,
        .key = score->key_file ? score->key : NULL,
        .body = body,
        .media_type = score->media_type ? score->media_type : media_type_of_file(name),
        .out = stdout,
        .patience_s = score->patience_s};
    bool came = client_send(score->client, &request, score->answer);

    return answer_tell(score, name, came);
}

/* Looked at before anything is sent: what cannot be read is not empty. */
static bool is_readable(FILE *body)
{
    int first = getc(body);

    return first == EOF ? !ferror(body) : ungetc(first, body) == first;
}

/* What to exit with. */
static int file_score(const struct score *score, const char *name)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *body = is_stdin ? stdin : fopen(name, "re");
    int status = EXIT_USAGE;

    if (is_stdin)
        name = "stdin";
    if (!body)
        complain("cannot open %s: %s", name, strerrordesc_np(errno));
    else if (!is_readable(body))
        complain("cannot read %s: %s", name,
                 errno == EBADF ? "it is closed" : strerrordesc_np(errno));
    else
        status = stream_score(score, name, body) ? EXIT_GOOD : EXIT_BAD;
    if (body && !is_stdin)
        fclose(body);
    return status;
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

static int files_score(struct score *score, char *const names[])
{
    score->client = client_open();
    score->answer = malloc(sizeof *score->answer);
    int worst = destination_find(&score->there);
    bool good = worst == EXIT_GOOD && score->client && score->answer;

    if (!good)
        worst = worse(worst, EXIT_BAD);
    if (good && score->key_file && !key_file_read(score->key_file, score->key)) {
        good = false;
        worst = EXIT_USAGE;
    }

    for (; good && *names; names++)
        worst = worse(worst, file_score(score, *names));
    if (!ferror(stdout) && fflush(stdout) != 0) { /* an earlier error has been told */
        complain("cannot write the answer: %s", strerrordesc_np(errno));
        worst = worse(worst, EXIT_BAD);
    }
    destination_free(&score->there);
    explicit_bzero(score->key, sizeof score->key);
    free(score->answer);
    client_close(score->client);
    return worst;
}

static bool patience_read(const char *text, long *out)
{
    size_t digits = strspn(text, "0123456789");

    *out = strtol(text, NULL, 10);
    return digits > 0 && text[digits] == '\0' && *out <= PATIENCE_MOST_S;
}

/* Reads the options before the files; returns -1 when there is more to do. */
static int options_read(int argc, char *argv[], struct score *score, char *given[])
{
    static const struct option options[] = {{"url", required_argument, NULL, 'u'},
                                            {"type", required_argument, NULL, 'y'},
                                            {"key-file", required_argument, NULL, 'k'},
                                            {"timeout", required_argument, NULL, 't'},
                                            {"option", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, ":o:h", options, NULL)) != -1) {
        switch (c) {
        case 'u':
            score->there.given = optarg;
            break;
        case 'y':
            if (!(score->media_type = media_type_of(optarg)))
                return complain_of_usage(
                    "score", "--type is \"%s\"; wanted json, ndjson or npy", optarg);
            break;
        case 'k':
            score->key_file = optarg;
            break;
        case 't':
            if (!patience_read(optarg, &score->patience_s))
                return complain_of_usage("score",
                                         "--timeout is \"%s\"; wanted whole seconds up "
                                         "to %d, 0 for no end",
                                         optarg, PATIENCE_MOST_S);
            break;
        case 'o':
            if (*optarg == '=' || *optarg == '\0')
                return complain_of_usage("score", "-o wants OPTION=VALUE, not \"%s\"",
                                         optarg);
            given[score->there.option_count++] = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return EXIT_GOOD;
        case ':':
            return complain_of_usage("score", "%s needs a value", argv[optind - 1]);
        default:
            return complain_of_option("score", argv);
        }
    }
    if (optind == argc)
        return complain_of_usage("score", "a FILE is wanted, or - for stdin");
    return -1;
}

int command_score(int argc, char *argv[])
{
    char **given = calloc((size_t)argc, sizeof *given);
    const char *key_file = getenv("LOSSCTL_KEY_FILE");
    struct score score = {
        .there = {.command = "score", .path = "/v1/loss", .options = given},
        .patience_s = PATIENCE_S,
        .key_file = key_file && *key_file ? key_file : NULL};
    int status = EXIT_BAD;

    if (given) {
        status = options_read(argc, argv, &score, given);
        if (status == -1)
            status = files_score(&score, argv + optind);
    }
    free(given);
    return status;
}
