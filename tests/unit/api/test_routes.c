/* api/routes.c and api/problem.c: the two tables that callers see. */
#include "api/problem.h"
#include "api/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void route_find__sends_head_where_get_goes(void **state)
{
    struct err err = {0};

    (void)state;
    assert_ptr_equal(route_find(span_of("HEAD"), span_of("/livez"), &err),
                     route_find(span_of("GET"), span_of("/livez"), &err));
    assert_int_equal(err.kind, ERR_NONE);
}

static void route_find__compares_whole_paths(void **state)
{
    static const char *const unknown[] = {"",         "/v1/loss/", "/v1/los",
                                          "/V1/loss", "//v1/loss", "/v1/loss%20"};

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct err err = {0};
        assert_null(route_find(span_of("POST"), span_of(unknown[i]), &err));
        assert_int_equal(err.kind, ERR_UNKNOWN_ROUTE);
    }
}

static void route_find__suggests_the_nearest_path(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(route_find(span_of("POST"), span_of("/v1/lost"), &err));
    assert_string_equal(err.detail, "there is no /v1/lost here; did you mean /v1/loss?");
}

static void route_methods__lists_what_a_path_answers(void **state)
{
    char allowed[32];

    (void)state;
    route_methods(span_of("/v1/loss"), allowed);
    assert_string_equal(allowed, "POST");
    route_methods(span_of("/livez"), allowed);
    assert_string_equal(allowed, "GET, HEAD");
    route_methods(span_of("/nowhere"), allowed);
    assert_string_equal(allowed, "");
}

static void route_names__are_in_the_order_of_route_index(void **state)
{
    const char *const *names = route_names();

    (void)state;
    for (size_t i = 0; i < route_count; i++)
        assert_string_equal(names[route_index(&routes[i])], routes[i].path);
    assert_string_equal(names[route_index(NULL)], "(none)");
    assert_null(names[route_count + 1]);
}

/* Or their metrics would be written twice. */
static void routes__have_a_path_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(routes[i].path, routes[j].path);
}

static void problem_codes__are_in_the_order_of_problem_index(void **state)
{
    const char *const *codes = problem_codes();

    (void)state;
    for (enum err_kind kind = ERR_INTERNAL; kind < ERR_KINDS; kind++)
        assert_string_equal(codes[problem_index(kind)], problem_code(kind));
    assert_null(codes[ERR_KINDS - 1]);
}

static void problem__gives_every_kind_a_code_of_its_own(void **state)
{
    (void)state;
    for (enum err_kind a = ERR_INTERNAL; a < ERR_KINDS; a++) {
        assert_in_range(problem_status(a), 400, 599);
        for (enum err_kind b = ERR_INTERNAL; b < a; b++)
            assert_string_not_equal(problem_code(a), problem_code(b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(route_find__sends_head_where_get_goes),
        cmocka_unit_test(route_find__compares_whole_paths),
        cmocka_unit_test(route_find__suggests_the_nearest_path),
        cmocka_unit_test(route_methods__lists_what_a_path_answers),
        cmocka_unit_test(route_names__are_in_the_order_of_route_index),
        cmocka_unit_test(routes__have_a_path_of_their_own),
        cmocka_unit_test(problem_codes__are_in_the_order_of_problem_index),
        cmocka_unit_test(problem__gives_every_kind_a_code_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
