/* A mixture of clients, again and again: they take no more memory than they did at
 * first, and nothing of them stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gauges.h"
#include "mixture.h"
#include "service.h"

/* The sanitizers keep for a while what has been freed, and are slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ROUNDS = 2, TURNS = 15, SPARE_KB = 300 << 10 };
#else
/* what a request leaves behind, 200 bytes of it, adds up to that. */
enum { ROUNDS = 3, TURNS = 120, SPARE_KB = 3 << 10 };
#endif

static struct service service;

static size_t resident_kb_after_the_mixture(void)
{
    static struct mixture mixture;
    char why[WHY_SIZE];

    assert_true(mixture_start(&mixture, service.port, 0, TURNS));
    mixture_stop(&mixture);
    if (atomic_load(&mixture.wrong) > 0)
        fail_msg("%lu times: %s", atomic_load(&mixture.wrong), mixture.complaint);
    if (!gauges_fall_to_rest(service.port, why))
        fail_msg("%s", why);
    return service_resident_kb(&service);
}

static void a_mixture__of_clients_leaves_nothing_behind(void **state)
{
    static const char *const flags[] = {"--max-body", "1MiB", "--header-timeout", "2s",
                                        NULL};

    (void)state;
    assert_true(service_start(&service, flags));
    size_t descriptors = service_descriptors(&service);
    size_t first = resident_kb_after_the_mixture(), last = first;
    for (int round = 1; round < ROUNDS; round++)
        last = resident_kb_after_the_mixture();
    print_message("%zu KB after the first round, %zu KB after the last\n", first, last);
    assert_in_range(last, 1, first + SPARE_KB);
    assert_true(service_descriptors_fall_to(&service, descriptors));
    assert_int_equal(service_stop(&service), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mixture__of_clients_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
