/* api/accept.c: which format is liked best. */
#include "api/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const offers[] = {"application/json", "text/html"};

enum { JSON, HTML, NEITHER };

static void assert_best(const char *accept, size_t wanted)
{
    size_t found = accept_best(span_of(accept), offers, 2);

    if (found != wanted)
        fail_msg("%s is answered with %zu, not %zu", accept, found, wanted);
}

static void accept_best__gives_a_browser_a_page(void **state)
{
    (void)state;
    assert_best("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML);
    assert_best("TEXT/HTML", HTML);
    assert_best("text/*", HTML);
    assert_best("application/json;q=0.5, text/html", HTML);
}

static void accept_best__takes_the_first_of_equals(void **state)
{
    (void)state;
    assert_best("", JSON);
    assert_best("*/*", JSON);
    assert_best("text/html, application/json", JSON);
    assert_best("text/html, */*", JSON);
    assert_best("application/json, text/plain, */*", JSON);
}

static void accept_best__asks_the_most_specific_range(void **state)
{
    (void)state;
    assert_best("*/*, application/json;q=0", HTML);
    assert_best("application/*;q=0.1, text/html;q=0.2, application/json;q=0.3", JSON);
    assert_best("text/*, text/html;q=0.1, */*;q=0.5", JSON);
}

static void accept_best__finds_nothing_where_nothing_is_wanted(void **state)
{
    (void)state;
    assert_best("image/png", NEITHER);
    assert_best("text/html;q=0, application/json;q=0.000", NEITHER);
    assert_best(",;,", NEITHER);
    assert_best("text/htm, text/htmll, xtext/html, text/", NEITHER);
}

static void accept_best__reads_qualities_among_other_parameters(void **state)
{
    (void)state;
    assert_best("text/html;level=1;Q=0.4, application/json ; q=0.3 ; a=b", HTML);
    assert_best("text/html;q=, application/json;q=x", JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_best__gives_a_browser_a_page),
        cmocka_unit_test(accept_best__takes_the_first_of_equals),
        cmocka_unit_test(accept_best__asks_the_most_specific_range),
        cmocka_unit_test(accept_best__finds_nothing_where_nothing_is_wanted),
        cmocka_unit_test(accept_best__reads_qualities_among_other_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
