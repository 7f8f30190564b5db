/* UTF-8 by RFC 3629, exhaustively: every character, and every sequence that is none. */
#include "lossd/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t encode(uint32_t c, unsigned char out[4])
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (unsigned char)(0x80 | (c & 0x3F));
    out[0] = (unsigned char)(0xF00 >> len | c); /* as many ones as there are bytes */
    return len;
}

static size_t length_of(const unsigned char *bytes, size_t len)
{
    return utf8_length((struct span){(const char *)bytes, len});
}

static void utf8_length__is_that_of_every_character(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        unsigned char bytes[5] = "#####";
        size_t len = encode(c, bytes);
        size_t wanted = c >= 0xD800 && c <= 0xDFFF ? 0 : len;
        if (length_of(bytes, len) != wanted || length_of(bytes, 5) != wanted)
            fail_msg("U+%04X has length %zu", c, length_of(bytes, len));
        for (size_t cut = 1; cut < len; cut++)
            assert_int_equal(length_of(bytes, cut), 0);
    }
    assert_int_equal(utf8_length((struct span){NULL, 0}), 0);
}

/* The value of a well-formed sequence, by the definition. */
static size_t decoded_length(const unsigned char *b)
{
    size_t len = b[0] < 0x80             ? 1
                 : (b[0] & 0xE0) == 0xC0 ? 2
                 : (b[0] & 0xF0) == 0xE0 ? 3
                 : (b[0] & 0xF8) == 0xF0 ? 4
                                         : 0;
    uint32_t c = len == 1 ? b[0] : b[0] & (0x7Fu >> len);
    unsigned char again[4];

    for (size_t i = 1; i < len; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (b[i] & 0x3F);
    }
    if (len == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    return encode(c, again) == len ? len : 0; /* else a shorter form exists */
}

/* All first and second bytes, and third and fourth at every edge. */
static void utf8_length__refuses_every_sequence_that_is_no_character(void **state)
{
    (void)state;
    static const unsigned char edges[] = {0x00, 0x22, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                          0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xF4, 0xFF};
    size_t refused = 0;

    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            for (size_t i = 0; i < sizeof edges; i++)
                for (size_t j = 0; j < sizeof edges; j++) {
                    unsigned char bytes[] = {(unsigned char)first, (unsigned char)second,
                                             edges[i], edges[j]};
                    size_t wanted = decoded_length(bytes), found = length_of(bytes, 4);
                    if (found != wanted)
                        fail_msg("%02x %02x %02x %02x has length %zu, not %zu", bytes[0],
                                 bytes[1], bytes[2], bytes[3], found, wanted);
                    refused += found == 0;
                }
    assert_true(refused > 0);
}

static void utf8_length__refuses_what_is_often_let_through(void **state)
{
    (void)state;
    static const char *const texts[] = {"\x80",             /* a continuation */
                                        "\xC0\xAF",         /* an overlong slash */
                                        "\xC1\xBF",         /* two bytes for U+007F */
                                        "\xE0\x80\xAF",     /* three for a slash */
                                        "\xE0\x9F\xBF",     /* three for U+07FF */
                                        "\xED\xA0\x80",     /* a surrogate */
                                        "\xED\xBF\xBF",     /* the last surrogate */
                                        "\xF0\x8F\xBF\xBF", /* four for U+FFFF */
                                        "\xF4\x90\x80\x80", /* U+110000 */
                                        "\xF8\x88\x80\x80\x80",
                                        "\xFE",
                                        "\xFF"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(utf8_length(span_of(texts[i])), 0);
}

/* A character cut off by the end of the text is not looked for behind it. */
static void utf8_length__never_looks_beyond_the_end(void **state)
{
    (void)state;
    static const unsigned char whole[] = {0xF0, 0x9F, 0x99, 0x82};

    for (size_t len = 1; len < sizeof whole; len++) {
        unsigned char *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, whole, len);
        assert_int_equal(length_of(exact, len), 0);
        free(exact);
    }
}

static void utf8_fit__leaves_characters_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t most, fits;
    } rows[] = {
        {"", 0, 0},
        {"abc", 3, 3},
        {"abc", 9, 3},
        {"abc", 2, 2},
        {"a\xC3\xA9", 2, 1},
        {"a\xC3\xA9", 3, 3},
        {"\xF0\x9F\x98\x80", 3, 0},
        {"\xF0\x9F\x98\x80", 4, 4},
        {"a\xE2\x82\xAC\xE2\x82\xAC", 6, 4},
        {"\x80\x80\x80\x80\x80\x80\x80\x80", 6, 3}, /* no text: not all of it is lost */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(utf8_fit(span_of(rows[i].text), rows[i].most), rows[i].fits);
}

static void utf8_show_nuls__turns_what_stood_for_one_into_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct span wanted;
    } rows[] = {
        {"", {"", 0}},
        {"abc", {"abc", 3}},
        {"\xC0\x80", {"\0", 1}},
        {"a\xC0\x80\xC0\x80z", {"a\0\0z", 4}},
        {"\xC3\x80\xC0", {"\xC3\x80\xC0", 3}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16];
        strcpy(text, rows[i].text);
        assert_true(span_equal(utf8_show_nuls(text), rows[i].wanted));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_length__is_that_of_every_character),
        cmocka_unit_test(utf8_length__refuses_every_sequence_that_is_no_character),
        cmocka_unit_test(utf8_length__refuses_what_is_often_let_through),
        cmocka_unit_test(utf8_length__never_looks_beyond_the_end),
        cmocka_unit_test(utf8_fit__leaves_characters_whole),
        cmocka_unit_test(utf8_show_nuls__turns_what_stood_for_one_into_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
