/* A page or folder of tests that cannot be run here: counted as one test, skipped, with
 * the reason. */
#ifndef LOSSD_TESTS_WITHOUT_H
#define LOSSD_TESTS_WITHOUT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is_absent(void **state)
{
    print_message("skipped: %s\n", (const char *)*state);
    skip();
}

/* How many failed: none. */
static inline int run_without(const char *name, char *reason)
{
    const struct CMUnitTest tests[] = {{name, is_absent, NULL, NULL, reason}};

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

#endif
