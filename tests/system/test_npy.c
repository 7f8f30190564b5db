/* NPY files over HTTP, as numpy writes and reads them: every type, byte order, layout
 * and version gets what JSON gets, to the bit (npy_peer.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "service.h"

enum { NO_NUMPY = 77 };

static struct service service;

static int start(void **state)
{
    (void)state;
    return service_start(&service, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return service_stop(&service);
}

/* Debian's own comes first: that is the one numpy is installed for. */
static void npy__says_to_numpy_what_json_says(void **state)
{
    char command[256];

    (void)state;
    snprintf(command, sizeof command,
             "PATH=/usr/bin:$PATH timeout 120 python3 tests/system/npy_peer.py "
             "http://127.0.0.1:%u",
             service.port);
    int status = system(command);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NUMPY || WEXITSTATUS(status) == 127) {
        print_message(
            "skipped: files of numpy, because there is no python3 with numpy\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy__says_to_numpy_what_json_says),
    };

    return cmocka_run_group_tests_name("npy", tests, start, stop);
}
