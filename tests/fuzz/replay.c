/* A fuzz target as a test, with any compiler: what once was found stays found.
 *
 * Linked with fuzz_NAME.c this is test_fuzz_NAME, and runs the target over each file
 * of corpus/NAME; with file names as arguments, over those instead, which is how to
 * look into a crash. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#include <cmocka.h> /* last: it has a macro called fail */

enum { FEWEST = 20, LARGEST = 4096 };

static size_t replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return (size_t)size;
}

/* "json" of test_fuzz_json. */
static const char *target_name(void)
{
    const char *name = strstr(program_invocation_short_name, "fuzz_");

    return name ? name + strlen("fuzz_") : "";
}

static void target__finds_nothing_in_its_corpus(void **state)
{
    char folder[256], path[1024];
    struct dirent *entry;
    size_t count = 0;

    (void)state;
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", target_name());
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        print_message("%s\n", path); /* the last one is what it did not survive */
        if (replay_file(path) > LARGEST)
            fail_msg("%s has more than %d bytes", path, LARGEST);
        count++;
    }
    closedir(dir);
    assert_true(count >= FEWEST);
}

int main(int argc, char **argv)
{
    char name[128];

    snprintf(name, sizeof name, "fuzz_%s__finds_nothing_in_its_corpus", target_name());
    const struct CMUnitTest tests[] = {
        {name, target__finds_nothing_in_its_corpus, NULL, NULL, NULL},
    };
    for (int i = 1; i < argc; i++)
        replay_file(argv[i]);
    return argc > 1 ? 0 : cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
