/* http/server.c: what it says when it cannot start. */
#include "lossd/http/server.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* after ours: it has a macro by the name of fail() */
#include <cmocka.h>

enum {
    THREADS = 4 /* the refuser's, one for the network, the reaper's, the acceptor's */
};

static int left; /* threads that can be made before one cannot */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*start)(void *), void *arg)
{
    static __typeof__(&pthread_create) next;

    if (!next) {
        void *found = dlsym(RTLD_NEXT, "pthread_create");
        memcpy(&next, &found, sizeof next);
    }
    return left-- > 0 ? next(thread, attributes, start, arg) : EAGAIN;
}

static struct server *a_server(struct err *err)
{
    static char address[64];
    static const struct log log = {.format = LOG_OFF};
    struct server_settings settings = {.addresses = address,
                                       .admin_addresses = "",
                                       .net_threads = 1,
                                       .max_connections = 1,
                                       .connection_memory = 8 << 10};

    snprintf(address, sizeof address, "unix:@lossd-start-%d", (int)getpid());
    *err = (struct err){.kind = ERR_NONE};
    errno = 0;
    return server_new(&settings, NULL, NULL, NULL, &log, NULL, err);
}

static void server_new__says_why_there_is_no_thread(void **state)
{
    struct err err;

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        left = i;
        assert_null(a_server(&err));
        if (!strstr(err.detail, strerror(EAGAIN)))
            fail_msg("thread %d: %s", i, err.detail);
    }
    left = THREADS;
    struct server *server = a_server(&err);
    assert_non_null(server);
    server_free(server);
}

static void server_library__is_the_same_text_for_all(void **state)
{
    const char *name = server_library();

    (void)state;
    assert_ptr_equal(strstr(name, "libmicrohttpd "), name);
    assert_ptr_equal(server_library(), name);
}

/* --check-config promises that the start does not fail for them. */
static void server_check_addresses__counts_them(void **state)
{
    static const struct {
        const char *addresses;
        bool good;
    } cases[] = {
        {"", false},
        {"8080", true},
        {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", true},
        {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,", true},
        {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {.kind = ERR_NONE};
        assert_int_equal(server_check_addresses(cases[i].addresses, &err), cases[i].good);
        assert_int_equal(err.kind, cases[i].good ? ERR_NONE : ERR_INVALID_OPTION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_new__says_why_there_is_no_thread),
        cmocka_unit_test(server_check_addresses__counts_them),
        cmocka_unit_test(server_library__is_the_same_text_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
