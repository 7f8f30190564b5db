/* api/page.c: which page a client has already. */
#include "api/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct page page = {.etag = "\"0123456789abcdef\""};

static void page__is_known_to_those_who_name_it(void **state)
{
    static const char *const known[] = {
        "\"0123456789abcdef\"",
        "W/\"0123456789abcdef\"",
        "\"a\", \"0123456789abcdef\"",
        "\"a\" ,\tW/\"0123456789abcdef\",\"b\"",
        "*",
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!page_is_known(&page, span_of(known[i])))
            fail_msg("%s names it", known[i]);
}

static void page__is_not_known_to_others(void **state)
{
    static const char *const others[] = {
        "",
        "\"0123456789abcde\"",
        "0123456789abcdef",
        "\"0123456789ABCDEF\"",
        "w/\"0123456789abcdef\"",
        "\"a\", *",
        ",,",
        "W/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (page_is_known(&page, span_of(others[i])))
            fail_msg("%s does not name it", others[i]);
}

/* The numbers are those of the definition's own test vectors. */
static void etag_of__is_fnv_1a(void **state)
{
    char etag[ETAG_SIZE];

    (void)state;
    etag_of(span_of(""), etag);
    assert_string_equal(etag, "\"cbf29ce484222325\"");
    etag_of(span_of("foobar"), etag);
    assert_string_equal(etag, "\"85944171f73967e8\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__is_known_to_those_who_name_it),
        cmocka_unit_test(page__is_not_known_to_others),
        cmocka_unit_test(etag_of__is_fnv_1a),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
