/* The clocks: one that never goes back, and one that can be read. */
#include "lossd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void clock_ns__never_goes_back_and_goes_on(void **state)
{
    (void)state;
    const struct timespec moment = {0, 2000000};
    int64_t first = clock_ns(), last = first;

    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_ns();
        assert_true(now >= last);
        last = now;
    }
    nanosleep(&moment, NULL);
    assert_true(clock_ns() - first >= 2000000); /* nanoseconds, not anything coarser */
}

static void clock_coarse_ns__is_the_same_clock_and_never_ahead(void **state)
{
    (void)state;
    const int64_t second = 1000000000;

    for (int i = 0; i < 1000; i++) {
        int64_t before = clock_ns(), coarse = clock_coarse_ns();
        assert_true(coarse <= clock_ns());
        assert_true(coarse > before - second); /* a tick, and much more */
    }
}

/* The seconds since 1970 that a text says. */
static int64_t seconds_of(const char *text, int *milliseconds)
{
    struct tm utc = {.tm_isdst = 0};
    char z = 0;

    assert_int_equal(strlen(text), 24);
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d%c", &utc.tm_year,
                            &utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min,
                            &utc.tm_sec, milliseconds, &z),
                     8);
    assert_int_equal(z, 'Z');
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return (int64_t)timegm(&utc);
}

static int64_t assert_present(void)
{
    char text[CLOCK_TEXT_SIZE];
    int milliseconds = -1;
    struct timespec before, after;

    clock_gettime(CLOCK_REALTIME, &before);
    clock_text(text);
    clock_gettime(CLOCK_REALTIME, &after);
    int64_t seconds = seconds_of(text, &milliseconds);
    int64_t found = seconds * 1000 + milliseconds;
    assert_true(found >= before.tv_sec * 1000 + before.tv_nsec / 1000000);
    assert_true(found <= after.tv_sec * 1000 + after.tv_nsec / 1000000);
    return seconds;
}

static void clock_text__is_the_present_moment_in_utc(void **state)
{
    (void)state;
    setenv("TZ", "Asia/Kathmandu", 1); /* no whole hours away */
    tzset();
    int64_t second = assert_present();
    while (assert_present() == second) /* the next one, too */
        ;
}

static void clock_date__is_the_present_as_http_writes_it(void **state)
{
    char text[CLOCK_TEXT_SIZE], again[CLOCK_TEXT_SIZE];
    struct tm utc = {.tm_isdst = 0};
    time_t before = time(NULL);

    (void)state;
    clock_date(text);
    assert_int_equal(strlen(text), 29);
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    assert_non_null(end);
    assert_string_equal(end, "");
    time_t told = timegm(&utc);
    assert_true(told >= before && told <= time(NULL));
    /* strptime() looks neither at the weekday nor at blanks */
    strftime(again, sizeof again, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    assert_string_equal(text, again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_ns__never_goes_back_and_goes_on),
        cmocka_unit_test(clock_coarse_ns__is_the_same_clock_and_never_ahead),
        cmocka_unit_test(clock_text__is_the_present_moment_in_utc),
        cmocka_unit_test(clock_date__is_the_present_as_http_writes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
