/* A fuzz target as a test, with any compiler: what once was found stays found.
 *
 * Runs the target over each file of a corpus; with file names as arguments, over
 * those instead, which is how to look into a crash. */
#ifndef LOSSD_TESTS_REPLAY_H
#define LOSSD_TESTS_REPLAY_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int (*fuzz_target)(const uint8_t *data, size_t size);

static inline void replay_file(const char *path, fuzz_target target)
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
    target(data, (size_t)size);
    free(data);
}

/* How many files there were. */
static inline size_t replay_folder(const char *folder, fuzz_target target)
{
    char path[1024];
    struct dirent *entry;
    size_t count = 0;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay_file(path, target);
        count++;
    }
    closedir(dir);
    return count;
}

#endif
