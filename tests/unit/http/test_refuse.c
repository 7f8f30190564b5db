/* http/refuse.c: answers that are written by hand. */
#include "http/refuse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT_SIZE = 8192 };

/* What a client reads until our side is closed. */
static void refused(bool to_head, const struct response *response, char text[TEXT_SIZE])
{
    int pair[2];
    size_t len = 0;
    ssize_t n;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    refuse_by_hand(pair[0], to_head, response);
    while ((n = read(pair[1], text + len, TEXT_SIZE - 1 - len)) > 0)
        len += (size_t)n;
    assert_int_equal(n, 0);
    text[len] = '\0';
    close(pair[0]);
    close(pair[1]);
}

static struct response a_response(const char *value)
{
    return (struct response){.status = 503,
                             .header = {{"Content-Type", "text/plain"}, {"A", value}},
                             .headers = 2,
                             .body = span_of("why")};
}

static void refuse_by_hand__writes_a_whole_answer(void **state)
{
    struct response response = a_response("b");
    char text[TEXT_SIZE];

    (void)state;
    refused(false, &response, text);
    assert_ptr_equal(strstr(text, "HTTP/1.1 503 Service Unavailable\r\n"), text);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Type: text/plain\r\nA: b\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Length: 3\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\nwhy");
}

static void refuse_by_hand__says_the_length_to_head_and_no_more(void **state)
{
    struct response response = a_response("b");
    char text[TEXT_SIZE];

    (void)state;
    refused(true, &response, text);
    assert_non_null(strstr(text, "\r\nContent-Length: 3\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void refuse_by_hand__says_when(void **state)
{
    struct response response = a_response("b");
    struct tm utc = {.tm_isdst = 0};
    char text[TEXT_SIZE];

    (void)state;
    refused(false, &response, text);
    const char *date = strstr(text, "\r\nDate: ");
    assert_non_null(date);
    const char *end = strptime(date + 8, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    assert_non_null(end);
    assert_memory_equal(end, "\r\n", 2);
    int64_t ago = time(NULL) - timegm(&utc);
    assert_in_range(ago, 0, 60);
}

/* The status is told all the same. */
static void refuse_by_hand__leaves_out_headers_that_are_too_long(void **state)
{
    static char value[3000];
    char text[TEXT_SIZE];

    (void)state;
    memset(value, 'b', sizeof value - 1);
    struct response response = a_response(value);
    refused(false, &response, text);
    assert_ptr_equal(strstr(text, "HTTP/1.1 503 Service Unavailable\r\n"), text);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Length: 0\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuse_by_hand__writes_a_whole_answer),
        cmocka_unit_test(refuse_by_hand__says_the_length_to_head_and_no_more),
        cmocka_unit_test(refuse_by_hand__says_when),
        cmocka_unit_test(refuse_by_hand__leaves_out_headers_that_are_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
