/* The settings as text: for a reader (--help), and as a file (--print-config). */
#include "config_print.h"

#include <string.h>

#include "config_settle.h"
#include "config_source.h"
#include "lossd/base/json_write.h"

/* The table with its headings. */
struct row {
    const char *title;           /* of a group, else NULL */
    const struct option *option; /* else */
};

#define GROUP(title_) {.title = title_},
#define OPTION(field, ...) {.option = &options[CONFIG_OPTION_##field]},
static const struct row rows[] = {
#include "options.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

enum { WIDTH = 79, INDENT = 30, VERSION_SIZE = 1024 };

/* Writes words from column INDENT on, broken so that no line is longer than WIDTH;
 * [what is in brackets] stays together.  `used` columns of the first line are taken. */
static void words_print(FILE *out, size_t used, const char *words)
{
    size_t column = used;

    if (column >= INDENT) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", (int)(INDENT - column), "");
    column = INDENT;
    while (*words) {
        size_t len = *words == '[' ? strcspn(words, "]") : 0;
        len += strcspn(words + len, " ");
        if (column > INDENT && column + 1 + len > WIDTH) {
            fprintf(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)len, words);
        column += len;
        words += len;
        words += strspn(words, " ");
    }
    fputc('\n', out);
}

static void option_help(const struct option *option, FILE *out)
{
    struct config standard;
    char key[OPTION_NAME_SIZE];
    char variable[OPTION_NAME_SIZE];
    char value[OPTION_TEXT_SIZE];
    char words[2 * OPTION_TEXT_SIZE];
    int used;

    options_reset(&standard);
    option_text(option, &standard, value);
    option_key(option, key);
    option_variable(option, variable);
    snprintf(words, sizeof words, "%s [default: %s] [env: %s]", option->help,
             *value ? value : "none", variable);
    used = fprintf(out, "  --%s %s", key, option_placeholder(option));
    words_print(out, used > 0 ? (size_t)used : INDENT, words);
}

static void choices_help(FILE *out)
{
    char wanted[OPTION_TEXT_SIZE];
    char key[OPTION_NAME_SIZE];

    for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
        if (options[i].type == OPTION_CHOICE) {
            option_wanted(&options[i], wanted);
            option_key(&options[i], key);
            fprintf(out, "  --%s takes %s.\n", key, wanted);
        }
    }
}

static void flag_help(FILE *out, const char *flag, const char *words)
{
    int used = fprintf(out, "  %s", flag);

    words_print(out, used > 0 ? (size_t)used : INDENT, words);
}

void config_help(FILE *out)
{
    fputs(
        "lossd - logits and labels in, probabilities and averaged loss out, over HTTP\n\n"
        "Usage: lossd [--FLAG VALUE | --FLAG=VALUE]...\n\n"
        "A flag wins over its environment variable, that over the configuration\n"
        "file, and that over the default.\n",
        out);
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].title)
            fprintf(out, "\n%s:\n", rows[i].title);
        else
            option_help(rows[i].option, out);
    fputs("\nThis program:\n", out);
    flag_help(out, "--config FILE",
              "read `key = value` lines; a key is a flag without its dashes, # begins a "
              "comment [env: LOSSD_CONFIG]");
    flag_help(out, "--check-config", "say whether the settings are sound, and exit");
    flag_help(out, "--print-config",
              "print the settings as a configuration file, and exit");
    flag_help(out, "--version", "print version and build, with --json as JSON, and exit");
    flag_help(out, "--help", "print this, and exit");
    fputs("\nValues:\n"
          "  N and SIZE take k (or K), M, G, T (thousands) and Ki, Mi, Gi, Ti (1024s), "
          "SIZE\n"
          "  also a B: 64Mi, 64MiB.  TIME takes h, m, s, ms, us, ns: 500ms.\n",
          out);
    choices_help(out);
    fputs("\nExamples:\n"
          "  lossd\n"
          "  lossd --host 0.0.0.0 --port 9000 --max-body 64MiB\n"
          "  LOSSD_THREADS=4 lossd --config /etc/lossd.conf\n"
          "  lossd --print-config > lossd.conf\n"
          "  curl localhost:8080/v1/loss -d '{\"logits\":[1,2,3],\"labels\":2}'\n",
          out);
}

static void version_json(const struct config_build *build, FILE *out)
{
    char text[VERSION_SIZE];
    struct buf buf;

    buf_over(&buf, text, sizeof text);
    struct json json = json_into(&buf, false);
    json_open(&json, '{');
    json_text_member(&json, "name", "lossd");
    json_text_member(&json, "version", build->version);
    json_text_member(&json, "commit", build->commit);
    json_text_member(&json, "compiler", build->compiler);
    json_text_member(&json, "http_library", build->http_library);
    json_close(&json, '}');
    fprintf(out, "%.*s\n", (int)buf.len, text);
}

void config_version(const struct config_build *build, bool as_json, FILE *out)
{
    if (as_json)
        version_json(build, out);
    else
        fprintf(out, "lossd %s (%s, %s, %s)\n", build->version, build->commit,
                build->compiler, build->http_library);
}

/* Where a value comes from, and what becomes of one that follows the machine. */
static void remark_print(const struct sources *sources, const struct option *option,
                         const struct config *settled, FILE *out)
{
    static const char *const origins[] = {[ORIGIN_FILE] = "from the file",
                                          [ORIGIN_PLATFORM] = "from PORT",
                                          [ORIGIN_VARIABLE] = "from the environment",
                                          [ORIGIN_FLAG] = "from a flag"};
    const char *origin = origins[sources->origin[option - options]];
    char here[OPTION_TEXT_SIZE];
    char set[OPTION_TEXT_SIZE];

    option_text(option, sources->config, set);
    option_text(option, settled, here);
    bool differs = strcmp(set, here) != 0;
    if (origin || differs)
        fputs("  #", out);
    if (origin)
        fprintf(out, " %s", origin);
    if (differs)
        fprintf(out, "%s %s here", origin ? "," : "", here);
}

void config_print(const struct sources *sources, FILE *out)
{
    struct config settled = *sources->config;
    char key[OPTION_NAME_SIZE];
    char value[OPTION_TEXT_SIZE];

    config_settle(&settled, fileno(out));
    fputs("# The settings of lossd; read this back with --config FILE.\n", out);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].title) {
            fprintf(out, "\n# %s\n", rows[i].title);
            continue;
        }
        option_key(rows[i].option, key);
        option_text(rows[i].option, sources->config, value);
        fprintf(out, "%s = %s", key, value);
        remark_print(sources, rows[i].option, &settled, out);
        fputc('\n', out);
    }
}
