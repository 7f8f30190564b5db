/* The command line: flags that set something, and flags that ask for something else. */
#include "config_flags.h"

#include <string.h>

/* The answer to a flag that is not a setting and has no value; NULL for others. */
static bool *asked_for(struct asked *asked, struct span name)
{
    return span_is(name, "help")           ? &asked->help
           : span_is(name, "version")      ? &asked->version
           : span_is(name, "json")         ? &asked->json
           : span_is(name, "print-config") ? &asked->print
           : span_is(name, "check-config") ? &asked->check
                                           : NULL;
}

/* A flag as it was given: --name, --name=value, or --name with a value to come. */
struct flag {
    struct span text; /* "--max-body" */
    struct span name; /* "max-body" */
    const char *value;
};

static bool flag_split(const char *text, struct flag *flag)
{
    if (strcmp(text, "-h") == 0)
        text = "--help";
    size_t len = strcspn(text, "=");
    if (strncmp(text, "--", 2) != 0 || len <= 2)
        return false;
    flag->text = (struct span){text, len};
    flag->name = (struct span){text + 2, len - 2};
    flag->value = text[len] == '=' ? text + len + 1 : NULL;
    return true;
}

/* Sets the setting that the flag names, or the file. */
static bool flag_set(struct sources *sources, const struct flag *flag,
                     struct asked *asked)
{
    const struct option *option = option_find(flag->name);
    bool is_file = span_is(flag->name, "config");
    char text[OPTION_TEXT_SIZE];
    int len = (int)flag->text.len;

    if (!is_file && !option) {
        option_suggest(flag->name, "--", text);
        return sources_fail(sources, "unknown flag %.*s%s", len, flag->text.at,
                            *text ? text : "; see lossd --help");
    }
    if (!flag->value) {
        snprintf(text, sizeof text, "a file's name");
        if (option)
            option_wanted(option, text);
        return sources_fail(sources, "%.*s needs a value; wanted %s", len, flag->text.at,
                            text);
    }
    if (is_file) {
        asked->file = flag->value;
        return true;
    }
    snprintf(text, sizeof text, "%.*s", len, flag->text.at);
    return sources_set(sources, ORIGIN_FLAG, option, span_of(flag->value), text);
}

/* Reads the flag at argv[*i] and moves *i over a value that follows it. */
static bool flag_read(struct sources *sources, char *const argv[], int *i,
                      struct asked *asked)
{
    struct flag flag;

    if (!flag_split(argv[*i], &flag))
        return sources_fail(sources, "\"%s\" is not a flag; see lossd --help", argv[*i]);
    bool *action = asked_for(asked, flag.name);
    if (action && flag.value)
        return sources_fail(sources, "%.*s takes no value", (int)flag.text.len,
                            flag.text.at);
    if (action) {
        *action = true;
        return true;
    }
    if (!flag.value && argv[*i + 1])
        flag.value = argv[++*i];
    return flag_set(sources, &flag, asked);
}

bool config_flags_read(struct sources *sources, int argc, char *const argv[],
                       struct asked *asked)
{
    for (int i = 1; i < argc; i++) {
        if (!flag_read(sources, argv, &i, asked))
            return false;
        if (asked->help)
            return true;
    }
    if (asked->version && argc > 2 + asked->json)
        return sources_fail(sources, "--version goes with --json alone");
    if (asked->print && asked->check)
        return sources_fail(sources,
                            "--check-config and --print-config go one at a time");
    return !asked->json || asked->version ||
           sources_fail(sources, "--json goes with --version alone");
}
