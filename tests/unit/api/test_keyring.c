#include "lossd/api/keyring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* after ours: it has a macro by the name of fail() */
#include <cmocka.h>

#include "../one_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_16 "0123456789abcdef"
#define OTHER "another-key-that-is-longer"

static void write_bytes(const char *text, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_keys(const char *text)
{
    write_bytes(text, strlen(text));
}

static struct keyring *ring_of(const char *text)
{
    struct err err = {0};

    write_keys(text);
    struct keyring *keyring = keyring_new(path, &err);
    if (!keyring)
        fail_msg("%s", err.detail);
    return keyring;
}

static bool opens(struct keyring *keyring, const char *authorization)
{
    struct err err = {0};
    bool good = keyring_opens(keyring, span_of(authorization), &err);

    assert_int_equal(err.kind, good ? ERR_NONE : ERR_UNAUTHORIZED);
    return good;
}

/* The file is refused: its name, then `why`. */
static void assert_refused_bytes(const char *text, size_t len, const char *why)
{
    struct err err = {0};

    write_bytes(text, len);
    assert_null(keyring_new(path, &err));
    if (strncmp(err.detail, path, strlen(path)) != 0)
        fail_msg("%s", err.detail);
    assert_string_equal(err.detail + strlen(path), why);
    assert_null(strstr(err.detail, "secret"));
}

static void assert_refused(const char *text, const char *why)
{
    assert_refused_bytes(text, strlen(text), why);
}

static void keyring_new__takes_keys_comments_and_empty_lines(void **state)
{
    (void)state;
    struct keyring *keyring = ring_of("# people\n\n  \t" KEY_16 " # of the shop\r\n"
                                      "\r\n#\n" OTHER);

    assert_int_equal(keyring_count(keyring), 2);
    assert_true(opens(keyring, "Bearer " KEY_16));
    assert_true(opens(keyring, "Bearer " OTHER));
    assert_true(opens(keyring, "Bearer " OTHER " \t"));
    assert_false(opens(keyring, "Bearer # people"));
    assert_false(opens(keyring, "Bearer #"));
    keyring_free(keyring);
}

static void keyring_new__names_the_file_that_it_cannot_read(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(keyring_new("/nowhere/keys", &err));
    assert_string_equal(err.detail, "cannot open /nowhere/keys: No such file or "
                                    "directory");
    err = (struct err){0};
    assert_null(keyring_new("/", &err));
    assert_string_equal(err.detail, "cannot read /: Is a directory");
}

static void keyring_new__refuses_a_file_without_keys(void **state)
{
    (void)state;
    assert_refused("", " has no key; wanted one key a line");
    assert_refused("# nobody\n\n", " has no key; wanted one key a line");
}

static void keyring_new__names_the_line_and_never_the_key(void **state)
{
    (void)state;
    assert_refused(KEY_16 "\n# x\nsecret-15-bytes\n",
                   ":3: the key is too short; wanted at least 16 characters");
    assert_refused("secret # 16 with its comment\n",
                   ":1: the key is too short; wanted at least 16 characters");
    assert_refused("\nsecret secret-secret\n",
                   ":2: there is a blank in the key; wanted one key a line");
    assert_refused("secret-s\xC3\xA9secret-secret\n",
                   ":1: the key has a character that is not printable ASCII");
    assert_refused("secret-\x7Fsecret-secret\n",
                   ":1: the key has a character that is not printable ASCII");
    assert_refused_bytes(
        "secret-secret-secret\n\0secret-secret-secret\n", 43,
        ":2: the line is too long or not text; the longest has 1022 bytes");
}

static void keyring_new__takes_keys_of_16_to_255_characters(void **state)
{
    char text[2000], bearer[300] = "Bearer ";

    (void)state;
    memset(text, 's', sizeof text);
    text[255] = '\0';
    struct keyring *keyring = ring_of(text);
    memcpy(bearer + 7, text, 256);
    assert_true(opens(keyring, bearer));
    keyring_free(keyring);
    text[255] = 's';
    text[256] = '\0';
    assert_refused(text, ":1: the key is too long; wanted at most 255 characters");
    text[256] = 's';
    text[1999] = '\0';
    assert_refused(text,
                   ":1: the line is too long or not text; the longest has 1022 bytes");
}

static void keyring_new__takes_256_keys_and_no_more(void **state)
{
    char text[257 * 24], bearer[64];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < 256; i++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "the-key-of-user-%05d\n", i);
    struct keyring *keyring = ring_of(text);
    assert_int_equal(keyring_count(keyring), 256);
    for (int i = 0; i <= 256; i++) {
        snprintf(bearer, sizeof bearer, "Bearer the-key-of-user-%05d", i);
        assert_int_equal(opens(keyring, bearer), i < 256);
    }
    keyring_free(keyring);
    snprintf(text + len, sizeof text - len, "the-key-of-user-%05d\n", 256);
    assert_refused(text, ":257: there are too many keys; wanted at most 256");
}

static void keyring_opens__wants_the_whole_key_and_nothing_else(void **state)
{
    (void)state;
    struct keyring *keyring = ring_of(KEY_16 "\n" OTHER "\n");
    static const char *const wrong[] = {"Bearer 0123456789abcde",
                                        "Bearer " KEY_16 "0",
                                        "Bearer 1123456789abcdef",
                                        "Bearer 0123456789abcdeF",
                                        "Bearer " KEY_16 ",",
                                        "Bearer " KEY_16 OTHER,
                                        "Bearer " KEY_16 " " OTHER,
                                        "Basic " KEY_16,
                                        "Bearer:" KEY_16,
                                        "Bearer\t" KEY_16,
                                        "Bearer" KEY_16,
                                        KEY_16,
                                        "Bearer",
                                        "Bearer ",
                                        "Bearer   ",
                                        "B",
                                        ""};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (opens(keyring, wrong[i]))
            fail_msg("'%s' opens", wrong[i]);
    /* keys are padded with zeros to be compared */
    static const char padded[] = "Bearer " KEY_16 "\0";
    struct err err = {0};
    assert_false(keyring_opens(keyring, (struct span){padded, sizeof padded - 1}, &err));
    assert_true(opens(keyring, "BEARER  " KEY_16));
    keyring_free(keyring);
}

/* What is longer than any key may be agrees with one as far as it is looked at. */
static void keyring_opens__is_not_fooled_by_a_long_one(void **state)
{
    char text[256], *bearer = calloc(1, 100000);

    (void)state;
    memset(text, 's', 255);
    text[255] = '\0';
    struct keyring *keyring = ring_of(text);
    memcpy(bearer, "Bearer ", 7);
    memset(bearer + 7, 's', 256);
    assert_false(opens(keyring, bearer));
    memset(bearer + 7, 's', 90000);
    assert_false(opens(keyring, bearer));
    free(bearer);
    keyring_free(keyring);
}

static void keyring_opens__says_what_was_wrong_and_never_the_key(void **state)
{
    (void)state;
    struct keyring *keyring = ring_of(KEY_16 "\n");
    struct err err = {0};

    keyring_opens(keyring, span_of(""), &err);
    assert_string_equal(err.detail, "there is no Authorization header; wanted "
                                    "Authorization: Bearer and one of this server's "
                                    "keys");
    err = (struct err){0};
    keyring_opens(keyring, span_of("Basic c2VjcmV0"), &err);
    assert_string_equal(err.detail, "Authorization is not of the form Bearer and a key");
    err = (struct err){0};
    keyring_opens(keyring, span_of("Bearer secret-secret-secret"), &err);
    assert_string_equal(err.detail,
                        "the key in Authorization is not one of this server's");
    keyring_free(keyring);
}

static void keyring_reload__takes_the_new_file_or_keeps_the_old(void **state)
{
    (void)state;
    struct keyring *keyring = ring_of(KEY_16 "\n");
    struct err err = {0};

    write_keys(OTHER "\n");
    assert_true(opens(keyring, "Bearer " KEY_16)); /* not before it is told */
    assert_true(keyring_reload(keyring, &err));
    assert_false(opens(keyring, "Bearer " KEY_16));
    assert_true(opens(keyring, "Bearer " OTHER));
    write_keys(KEY_16 "\nsecret\n");
    assert_false(keyring_reload(keyring, &err));
    assert_non_null(strstr(err.detail, ":2: the key is too short"));
    assert_false(opens(keyring, "Bearer " KEY_16));
    assert_true(opens(keyring, "Bearer " OTHER));
    keyring_free(keyring);
}

struct crowd {
    struct keyring *keyring;
    _Atomic bool stop;
};

static void *knock(void *arg)
{
    struct crowd *crowd = arg;
    uintptr_t refused = 0;

    while (!crowd->stop) {
        struct err err = {0};
        refused += !keyring_opens(crowd->keyring, span_of("Bearer " KEY_16), &err);
    }
    return (void *)refused;
}

static void keyring_reload__shuts_nobody_out_meanwhile(void **state)
{
    (void)state;
    struct crowd crowd = {.keyring = ring_of(KEY_16 "\n" OTHER "\n")};
    struct err err = {0};
    pthread_t threads[2];
    void *refused;

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, knock, &crowd), 0);
    for (int i = 0; i < 200; i++)
        assert_true(keyring_reload(crowd.keyring, &err));
    crowd.stop = true;
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], &refused);
        assert_null(refused);
    }
    keyring_free(crowd.keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyring_new__takes_keys_comments_and_empty_lines),
        cmocka_unit_test(keyring_new__names_the_file_that_it_cannot_read),
        cmocka_unit_test(keyring_new__refuses_a_file_without_keys),
        cmocka_unit_test(keyring_new__names_the_line_and_never_the_key),
        cmocka_unit_test(keyring_new__takes_keys_of_16_to_255_characters),
        cmocka_unit_test(keyring_new__takes_256_keys_and_no_more),
        cmocka_unit_test(keyring_opens__wants_the_whole_key_and_nothing_else),
        cmocka_unit_test(keyring_opens__is_not_fooled_by_a_long_one),
        cmocka_unit_test(keyring_opens__says_what_was_wrong_and_never_the_key),
        cmocka_unit_test(keyring_reload__takes_the_new_file_or_keeps_the_old),
        cmocka_unit_test(keyring_reload__shuts_nobody_out_meanwhile),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
