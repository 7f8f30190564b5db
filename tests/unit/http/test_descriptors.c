/* http/descriptors.c: whatever the limit, nobody takes what another one needs. */
#include "http/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THREADS = 4, WANTED = 1024, MOST = 8192 };

static size_t sum(struct descriptors shares)
{
    return shares.connections + shares.leaving + shares.lingering;
}

static void descriptors_share__gives_all_where_there_are_plenty(void **state)
{
    static const size_t plenty[] = {0, 65536, SIZE_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof plenty / sizeof *plenty; i++) {
        struct descriptors shares = descriptors_share(plenty[i], THREADS, WANTED);
        assert_int_equal(shares.connections, WANTED);
        assert_int_equal(shares.leaving, WANTED);
        assert_int_equal(shares.lingering, 1024);
    }
}

static void descriptors_share__leaves_the_administrator_its_own(void **state)
{
    (void)state;
    for (size_t all = 512; all <= MOST; all++)
        assert_true(
            sum(descriptors_share(all, THREADS, SIZE_MAX)) + 2 * ADMIN_CONNECTIONS < all);
}

static void descriptors_share__never_gives_more_than_there_are(void **state)
{
    (void)state;
    for (size_t all = 16; all <= MOST; all++) {
        struct descriptors shares = descriptors_share(all, THREADS, WANTED);
        assert_in_range(shares.connections, 1, WANTED);
        assert_true(shares.leaving >= 1 && shares.lingering >= 1);
        assert_true(sum(shares) < all);
    }
}

/* Who asks with what it was given is given that. */
static void descriptors_share__is_settled_at_once(void **state)
{
    (void)state;
    for (size_t all = 16; all <= MOST; all++) {
        size_t connections = descriptors_share(all, THREADS, WANTED).connections;
        assert_int_equal(descriptors_share(all, THREADS, connections).connections,
                         connections);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_share__gives_all_where_there_are_plenty),
        cmocka_unit_test(descriptors_share__leaves_the_administrator_its_own),
        cmocka_unit_test(descriptors_share__never_gives_more_than_there_are),
        cmocka_unit_test(descriptors_share__is_settled_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
