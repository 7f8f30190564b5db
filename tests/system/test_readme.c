/* The examples of README.md, to the bit, and of the contract where it lies beside the
 * repository, within what it allows: every line `$ ...` with curl in a fenced block is given
 * to a shell, with the port of a running service in the place of 8080, and answers as
 * printed there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agree.h"
#include "conformance.h"
#include "markdown.h"
#include "service.h"
#include "without.h"

enum { EXAMPLES_MAX = 64, COMMAND_MAX = 8192 };

struct example {
    char *command;  /* without "$ " */
    char *expected; /* what is printed below it, its lines ended */
};

static struct service service;

/* How far what is printed on a page may be from what comes, by dtype. */
struct tolerance {
    struct allowance float64, float32;
};

static struct tolerance tolerance;

static bool is_command(const char *line)
{
    return strncmp(line, "$ ", 2) == 0;
}

static bool ends_in_backslash(const char *line)
{
    return line[0] && line[strlen(line) - 1] == '\\';
}

static char *add_text(char *text, const char *more)
{
    char *longer = NULL;

    assert_true(asprintf(&longer, "%s%s", text ? text : "", more) >= 0);
    free(text);
    return longer;
}

static char *add_line(char *text, const char *line)
{
    return add_text(add_text(text, line), "\n");
}

/* Adds the curl examples of a block: a command goes on while its lines end in a
 * backslash, and what it prints goes to an empty line or the next command. */
static size_t read_examples(char *text, struct example *examples, size_t room)
{
    size_t count = 0;

    for (char *line; (line = strsep(&text, "\n"));) {
        if (!is_command(line) || !strstr(line, "curl "))
            continue;
        assert_in_range(count, 0, room - 1);
        struct example *example = &examples[count++];
        *example = (struct example){strdup(line + 2), NULL};
        while (ends_in_backslash(line) && text) {
            example->command = add_line(example->command, "");
            example->command = add_text(example->command, line = strsep(&text, "\n"));
        }
        while (text && text[0] && text[0] != '\n' && !is_command(text))
            example->expected = add_line(example->expected, strsep(&text, "\n"));
    }
    return count;
}

/* The command with the service's address wherever the page has its own, and without
 * the progress meter that a terminal does not show either. */
static void prepare(const char *command, char out[COMMAND_MAX])
{
    static const char told[] = "localhost:8080", loud[] = "curl ";
    size_t length = 0;

    while (*command && length < COMMAND_MAX - 32) {
        if (strncmp(command, told, strlen(told)) == 0) {
            length += (size_t)snprintf(out + length, 32, "127.0.0.1:%u", service.port);
            command += strlen(told);
        } else if (strncmp(command, loud, strlen(loud)) == 0) {
            length += (size_t)snprintf(out + length, 32, "%s-sS ", loud);
            command += strlen(loud);
        } else {
            out[length++] = *command++;
        }
    }
    out[length] = '\0';
}

static void example_answers_as_printed(void **state)
{
    const struct example *example = *state;
    struct allowance allowance =
        strstr(example->command, "float32") ? tolerance.float32 : tolerance.float64;
    char command[COMMAND_MAX], why[400], *printed = NULL;
    size_t size = 0;

    assert_non_null(example->expected);
    prepare(example->command, command);
    assert_non_null(strstr(command, "127.0.0.1:"));
    FILE *shell = popen(command, "r");
    assert_non_null(shell);
    ssize_t length = getdelim(&printed, &size, '\0', shell);
    int status = pclose(shell);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || length < 0)
        fail_msg("%s: ended with status %d", example->command, status);
    if (!agree(example->expected, printed, allowance, why))
        fail_msg("%s: %s", example->command, why);
    free(printed);
}

static int start(void **state)
{
    (void)state;
    setenv("no_proxy", "*", 1);
    return service_start(&service, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

static int run_page(const char *path, struct tolerance allowed)
{
    struct markdown page;
    struct example examples[EXAMPLES_MAX];
    struct CMUnitTest tests[EXAMPLES_MAX];
    size_t count = 0;
    char why[200];

    tolerance = allowed;
    if (!markdown_read(&page, path, why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (size_t i = 0; i < page.count; i++)
        count +=
            read_examples(page.blocks[i].text, examples + count, EXAMPLES_MAX - count);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){examples[i].command, example_answers_as_printed,
                                       NULL, NULL, &examples[i]};
    if (count == 0)
        fprintf(stderr, "%s has no examples\n", path);
    int failed =
        count == 0 || _cmocka_run_group_tests(path, tests, count, start, stop) != 0;
    for (size_t i = 0; i < count; i++) {
        free(examples[i].command);
        free(examples[i].expected);
    }
    markdown_release(&page);
    return failed;
}

int main(int argc, char **argv)
{
    const struct tolerance to_the_bit = {{0, 0}, {0, 0}};
    const struct tolerance as_promised = {allowance_float64, allowance_float32};
    char contract[1024];
    static char no_curl[] = "the examples, because there is no curl to run them";
    static char no_contract[] = "the contract's examples, because it is not beside the "
                                "conformance vectors";
    int failed = 0;

    snprintf(contract, sizeof contract, "%s/../design/API.md", conformance_folder());
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    if (system("command -v curl >/dev/null") != 0)
        return run_without("examples", no_curl);
    failed += run_page("README.md", to_the_bit);
    failed += access(contract, R_OK) == 0 ? run_page(contract, as_promised)
                                          : run_without("contract", no_contract);
    return failed != 0;
}
