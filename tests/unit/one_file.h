/* A file of a test program's own: its group's set-up makes it, its tear-down removes it. */
#ifndef LOSSD_TESTS_ONE_FILE_H
#define LOSSD_TESTS_ONE_FILE_H

#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/lossd-test-XXXXXX";

static inline int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);

    return fd < 0 ? -1 : close(fd);
}

static inline int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

#endif
