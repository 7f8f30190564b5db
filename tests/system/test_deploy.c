/* What deploy/ and README.md say of the program is so: settings that they name are there,
 * and the version is this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build.inc"
#include "program.h"
#include "service.h"

enum { FILE_MAX = 64 << 10, NAME_MAX_LENGTH = 64 };

static struct ending ending;

static char *file_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, FILE_MAX);

    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, FILE_MAX - 1, file) < FILE_MAX - 1);
    fclose(file);
    return text;
}

/* How many variables the file names; each is one of those that the help has. */
static size_t assert_settings(const char *path, const char *help)
{
    static const char prefix[] = "LOSSD_";
    char name[NAME_MAX_LENGTH], wanted[NAME_MAX_LENGTH + 8];
    char *text = file_read(path);
    size_t count = 0;

    for (const char *at = strstr(text, prefix); at; at = strstr(at, prefix)) {
        size_t len = 0;
        while ((isupper((unsigned char)at[len]) || at[len] == '_') &&
               len + 1 < sizeof name) {
            name[len] = at[len];
            len++;
        }
        name[len] = '\0';
        at += len;
        if (strcmp(name, prefix) == 0) /* all of them */
            continue;
        snprintf(wanted, sizeof wanted, "[env: %s]", name);
        if (!strstr(help, wanted))
            fail_msg("%s names %s, which is no setting", path, name);
        count++;
    }
    free(text);
    return count;
}

static void deploy__names_settings_that_there_are(void **state)
{
    static const char *const patterns[] = {"README.md", "Dockerfile", "deploy/*.*",
                                           "deploy/*/*.*"};
    struct program program = {.path = service_program(), .words = {"--help"}};
    size_t count = 0;

    (void)state;
    assert_true(program_run(&program, &ending));
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        glob_t paths;
        assert_int_equal(glob(patterns[i], 0, NULL, &paths), 0);
        for (size_t j = 0; j < paths.gl_pathc; j++)
            count += assert_settings(paths.gl_pathv[j], ending.out);
        globfree(&paths);
    }
    assert_true(count > 10);
}

static void deploy__has_this_version(void **state)
{
    char *text = file_read("deploy/kubernetes/kustomization.yaml");

    (void)state;
    assert_non_null(strstr(text, "newTag: " LOSSD_VERSION "\n"));
    free(text);
}

static void deploy__has_a_configuration_that_haproxy_takes(void **state)
{
    struct program program = {.path = "/usr/sbin/haproxy",
                              .words = {"-c", "-q", "-f", "deploy/haproxy/haproxy.cfg"}};

    (void)state;
    if (access(program.path, X_OK) != 0) {
        print_message("skipped: there is no haproxy\n");
        skip();
    }
    assert_true(program_run(&program, &ending));
    assert_string_equal(ending.err, "");
    assert_int_equal(ending.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deploy__names_settings_that_there_are),
        cmocka_unit_test(deploy__has_this_version),
        cmocka_unit_test(deploy__has_a_configuration_that_haproxy_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
