/* The reader of JSON: what it takes and refuses, where it points, and that it makes
 * no difference how a text is cut. */
#include "../../../system/conformance.h"
#include "../decoded.h"

#include <cjson/cJSON.h>
#include <dirent.h>

/* A text and the error it is answered with, by every way of cutting it. */
struct refusal {
    const char *text;
    enum err_kind kind;
    size_t offset, line, column; /* of the text's errors; 0, 0, 0 for others */
    const char *pointer;
    const char *detail;
};

static void assert_refused(const struct refusal *r)
{
    struct span text = span_of(r->text);
    struct decoded d = decode(text);

    if (strcmp(d.err.detail, r->detail) != 0)
        print_error("%s\n  says \"%s\"\n  not  \"%s\"\n", r->text, d.err.detail,
                    r->detail);
    assert_string_equal(d.err.detail, r->detail);
    assert_int_equal(d.err.kind, r->kind);
    assert_string_equal(d.err.pointer, r->pointer);
    assert_int_equal(d.err.has_position, r->line > 0);
    assert_int_equal(d.err.offset, r->offset);
    assert_int_equal(d.err.line, r->line);
    assert_int_equal(d.err.column, r->column);
    bool syntax = r->kind == ERR_INVALID_JSON || r->kind == ERR_TRAILING_DATA;
    assert_int_equal(d.finished, !syntax && text.at[strspn(text.at, " \n")] == '{');
    assert_cuts_do_not_matter(text, &d);
    decoded_free(&d);
}

static void assert_all_refused(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(&refusals[i]);
}

#define BAD(text, offset, detail)                                 \
    {                                                             \
        text, ERR_INVALID_JSON, offset, 1, offset + 1, "", detail \
    }

static void json_read__says_what_it_found_and_what_is_wanted(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        BAD("x", 0, "found 'x' at line 1, column 1; a JSON object is wanted"),
        BAD("{\"x\"}", 4, "found '}' at line 1, column 5; ':' is wanted"),
        BAD("{\"x\":}", 5, "found '}' at line 1, column 6; a value is wanted"),
        BAD("{\"x\":1 2}", 7, "found '2' at line 1, column 8; ',' or '}' is wanted"),
        BAD("{\"x\":[1 2]}", 8, "found '2' at line 1, column 9; ',' or ']' is wanted"),
        BAD("{\"x\":[1}", 7, "found '}' at line 1, column 8; ',' or ']' is wanted"),
        BAD("{\"x\":[,]}", 6, "found ',' at line 1, column 7; a value or ']' is wanted"),
        BAD("{\"x\":[1,]}", 8, "found ']' at line 1, column 9; a value is wanted"),
        BAD("{x:1}", 1,
            "found 'x' at line 1, column 2; a name in double quotes or '}' is wanted"),
        BAD("{\"x\":1,}", 7,
            "found '}' at line 1, column 8; a name in double quotes is wanted"),
        BAD("{\"x\":'a'}", 5,
            "found a single quote at line 1, column 6; a value is wanted (strings stand "
            "in double quotes)"),
        BAD("{\"x\":+1}", 5, "found '+' at line 1, column 6; a value is wanted"),
        BAD("{\"x\":\f1}", 5, "found byte 0x0C at line 1, column 6; a value is wanted"),
        BAD("\xEF\xBB\xBF{}", 0,
            "found byte 0xEF at line 1, column 1; a JSON object is wanted (a byte order "
            "mark begins so: UTF-8 is read without one)"),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__points_at_the_byte_after_a_leading_zero(void **state)
{
    (void)state;
    static const char zero[] = "; '.', 'e' or the end of the number after a leading "
                               "zero is wanted";
    char first[128], second[128], third[128], fourth[128];

    snprintf(first, sizeof first, "found '1' at line 1, column 7%s", zero);
    snprintf(second, sizeof second, "found '0' at line 1, column 8%s", zero);
    snprintf(third, sizeof third, "found '7' at line 1, column 14%s", zero);
    snprintf(fourth, sizeof fourth, "found '7' at line 1, column 17%s", zero);
    const struct refusal refusals[] = {
        BAD("{\"labels\":[0,0,07]}", 16, fourth),
        BAD("{\"x\":01}", 6, first),
        BAD("{\"x\":-00}", 7, second),
        BAD("{\"logits\":[[07,1]]}", 13, third),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__points_into_malformed_numbers(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        BAD("{\"x\":-}", 6, "found '}' at line 1, column 7; a digit after '-' is wanted"),
        BAD("{\"x\":-I}", 6,
            "found 'I' at line 1, column 7; a digit after '-' is wanted"),
        BAD("{\"x\":.5}", 5, "found '.' at line 1, column 6; a value is wanted"),
        BAD("{\"x\":1.}", 7,
            "found '}' at line 1, column 8; a digit after '.' is wanted"),
        BAD("{\"x\":1.e1}", 7,
            "found 'e' at line 1, column 8; a digit after '.' is wanted"),
        BAD("{\"x\":1e}", 7,
            "found '}' at line 1, column 8; a digit of the exponent is wanted"),
        BAD("{\"x\":1e+}", 8,
            "found '}' at line 1, column 9; a digit of the exponent is wanted"),
        BAD("{\"x\":1.2.3}", 8, "found '.' at line 1, column 9; ',' or '}' is wanted"),
        BAD("{\"x\":0x10}", 6, "found 'x' at line 1, column 7; ',' or '}' is wanted"),
        BAD("{\"logits\":[1.5.2]}", 14,
            "found '.' at line 1, column 15; ',' or ']' is wanted"),
        BAD("{\"logits\":[1,2,3e]}", 17,
            "found ']' at line 1, column 18; a digit of the exponent is wanted"),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__points_into_malformed_strings(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        BAD("{\"x\":\"a\nb\"}", 7,
            "found a line break at line 1, column 8; a closing '\"' or an escape for "
            "this control character is wanted"),
        BAD("{\"x\":\"\\x\"}", 7,
            "found 'x' at line 1, column 8; one of \"\\/bfnrtu after a backslash is "
            "wanted"),
        BAD("{\"x\":\"\\u12g4\"}", 10,
            "found 'g' at line 1, column 11; four hexadecimal digits after \\u is "
            "wanted"),
        BAD("{\"x\":\"\\ud834\"}", 12,
            "found '\"' at line 1, column 13; the escaped second half of a surrogate "
            "pair "
            "is wanted"),
        BAD("{\"x\":\"\\ud834\\n\"}", 13,
            "found 'n' at line 1, column 14; the escaped second half of a surrogate pair "
            "is wanted"),
        BAD("{\"x\":\"\\ud834\\u0041\"}", 12,
            "found an escape after the first half of a surrogate pair at line 1, column "
            "13; the second half, \\uDC00 to \\uDFFF, is wanted"),
        BAD("{\"x\":\"ab\\udd1e\"}", 8,
            "found an escaped second half of a surrogate pair at line 1, column 9; its "
            "first half before it is wanted"),
        BAD("{\"x\":\"\xC0\x80\"}", 6,
            "found byte 0xC0 at line 1, column 7; valid UTF-8 is wanted"),
        BAD("{\"x\":\"\xE0\x9F\xBF\"}", 7,
            "found byte 0x9F at line 1, column 8; valid UTF-8 is wanted"),
        BAD("{\"x\":\"\xED\xA0\x80\"}", 7,
            "found byte 0xA0 at line 1, column 8; valid UTF-8 is wanted"),
        BAD("{\"x\":\"\xF0\x8F\xBF\xBF\"}", 7,
            "found byte 0x8F at line 1, column 8; valid UTF-8 is wanted"),
        BAD("{\"x\":\"\xF4\x90\x80\x80\"}", 7,
            "found byte 0x90 at line 1, column 8; valid UTF-8 is wanted"),
        BAD("{\"x\":\"\xF5\x80\x80\x80\"}", 6,
            "found byte 0xF5 at line 1, column 7; valid UTF-8 is wanted"),
        BAD("{\"x\":\"\xC3\"}", 7,
            "found '\"' at line 1, column 8; valid UTF-8 is wanted"),
        BAD("{\"\x80\":1}", 2,
            "found byte 0x80 at line 1, column 3; valid UTF-8 is wanted"),
        BAD("{\"x\":\"\xFF\"}", 6,
            "found byte 0xFF at line 1, column 7; valid UTF-8 is wanted"),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__points_into_malformed_literals(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        BAD("{\"x\":trie}", 7,
            "found 'i' at line 1, column 8; the rest of true is wanted"),
        BAD("{\"x\":nul}", 8,
            "found '}' at line 1, column 9; the rest of null is wanted"),
        BAD("{\"x\":False}", 5,
            "found 'F' at line 1, column 6; a value is wanted (true and false have small "
            "letters)"),
        BAD("{\"x\":truer}", 9, "found 'r' at line 1, column 10; ',' or '}' is wanted"),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__counts_lines_and_columns(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"{\n  \"x\": 1,\n  \"y\": tru\n}", ERR_INVALID_JSON, 22, 3, 11, "",
         "found a line break at line 3, column 11; the rest of true is wanted"},
        {"{\"logits\":[[1,\n2],\n[3,\r\n4,]]}", ERR_INVALID_JSON, 26, 4, 3, "",
         "found ']' at line 4, column 3; a value is wanted"},
        {"{}\n\n x", ERR_TRAILING_DATA, 5, 3, 2, "",
         "found 'x' at offset 5, after the end of the JSON object"},
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__refuses_a_text_that_ends_too_early(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        BAD("", 0, "the body is empty; a JSON object is wanted"),
        {" \n ", ERR_INVALID_JSON, 3, 2, 2, "",
         "the body is empty; a JSON object is wanted"},
        BAD("{", 1,
            "the text ends at line 1, column 2; a name in double quotes or '}' is "
            "wanted"),
        BAD("{\"x", 3,
            "the text ends at line 1, column 4; the end of a string is wanted"),
        BAD("{\"x\":12", 7, "the text ends at line 1, column 8; ',' or '}' is wanted"),
        BAD("{\"x\":nu", 7,
            "the text ends at line 1, column 8; the rest of null is wanted"),
        BAD("{\"logits\":[1,2", 14,
            "the text ends at line 1, column 15; ',' or ']' is wanted"),
        BAD("{\"logits\":[1,2]", 15,
            "the text ends at line 1, column 16; ',' or '}' is wanted"),
        BAD("-", 1, "the text ends at line 1, column 2; a digit after '-' is wanted"),
        BAD("[0", 2, "the text ends at line 1, column 3; ',' or ']' is wanted"),
        BAD("{\"logits\":[1,-0", 15,
            "the text ends at line 1, column 16; ',' or ']' is wanted"),
        BAD("{\"x\":0", 6, "the text ends at line 1, column 7; ',' or '}' is wanted"),
        BAD("{\"x\":0e", 7,
            "the text ends at line 1, column 8; a digit of the exponent is wanted"),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__refuses_what_follows_the_object(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"{}{}", ERR_TRAILING_DATA, 2, 1, 3, "",
         "found '{' at offset 2, after the end of the JSON object (a dataset, a record "
         "on each line, is read for a loss as Content-Type: application/x-ndjson)"},
        {"{\"logits\":[1]} ,", ERR_TRAILING_DATA, 15, 1, 16, "",
         "found ',' at offset 15, after the end of the JSON object"},
        {"{}\f", ERR_TRAILING_DATA, 2, 1, 3, "",
         "found byte 0x0C at offset 2, after the end of the JSON object"},
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__wants_an_object(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"[1,{\"logits\":[1]}]", ERR_WRONG_TYPE, 0, 0, 0, "",
         "the body is an array; a JSON object is wanted"},
        {"-12.5e3", ERR_WRONG_TYPE, 0, 0, 0, "",
         "the body is a number; a JSON object is wanted"},
        {"\"{}\"", ERR_WRONG_TYPE, 0, 0, 0, "",
         "the body is a string; a JSON object is wanted"},
        {" null ", ERR_WRONG_TYPE, 0, 0, 0, "",
         "the body is null; a JSON object is wanted"},
        BAD("[1", 2, "the text ends at line 1, column 3; ',' or ']' is wanted"),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__lets_bad_syntax_win_over_everything_before_it(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        BAD("{\"logits\":[[1],[2,3]],\"logits\":7,\"what\":1,\"axis\":\"x\",}", 53,
            "found '}' at line 1, column 54; a name in double quotes is wanted"),
        BAD("[[1,2]", 6, "the text ends at line 1, column 7; ',' or ']' is wanted"),
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__names_unknown_and_repeated_members(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"{\"logit\":[1,NaN]}", ERR_INVALID_JSON, 12, 1, 13, "",
         "found 'N' at line 1, column 13; a value is wanted (None is spelt null, and NaN "
         "is not read here)"},
        {"{\"logit\":[{\"a\":[]}],\"x\":1}", ERR_UNKNOWN_MEMBER, 0, 0, 0, "/logit",
         "unknown member \"logit\"; did you mean \"logits\"?"},
        {"{\"axis\":1,\"axi\\u0073\":{\"a\":[1,2]}}", ERR_DUPLICATE_MEMBER, 0, 0, 0,
         "/axis", "axis is given twice"},
        {"{\"logits\":[1,2],\"logits\":[1,NaN]}", ERR_DUPLICATE_MEMBER, 0, 0, 0,
         "/logits", "logits is given twice"},
        {"{\"axis\":[1,2]}", ERR_WRONG_TYPE, 0, 0, 0, "/axis",
         "axis is an array; an integer of 64 bits is wanted"},
        {"{\"axis\":{\"logits\":[1,\"}\"]}}", ERR_WRONG_TYPE, 0, 0, 0, "/axis",
         "axis is an object; an integer of 64 bits is wanted"},
        {"{\"return\":[\"loss\",1]}", ERR_WRONG_TYPE, 0, 0, 0, "/return/1",
         "return[1] is a number; a name is wanted"},
        {"{\"return\":[[\"loss\"],{}]}", ERR_WRONG_TYPE, 0, 0, 0, "/return/0",
         "return[0] is an array; a name is wanted"},
        {"{\"return\":\"loss\"}", ERR_WRONG_TYPE, 0, 0, 0, "/return",
         "return is \"loss\"; an array of names is wanted"},
    };
    assert_all_refused(refusals, LENGTH(refusals));
}

static void json_read__does_not_end_names_at_an_escaped_nul(void **state)
{
    (void)state;
    struct decoded d = decode(span_of("{\"axis\\u0000\":1,\"axis\":0}"));

    assert_int_equal(d.err.kind, ERR_UNKNOWN_MEMBER);
    assert_int_equal(d.batch.axis, 0);
    decoded_free(&d);
}

static void json_read__sets_every_kind_of_member(void **state)
{
    (void)state;
    static const char text[] =
        " {\"logits\" : [[1, 2.5],\n\t[-3e-1, 4]], \"lab\\u0065ls\":[0,1],"
        "\"reduction\":\"s\\u0075m\",\"ignore_index\":-7.0e0,\"temperature\":0.1,"
        "\"axis\":-1,\"return\":[\"loss\", \"gradi\\u0065nt\"],"
        "\"id\":\"a\\u0000b\\\\u0000\\u00e9\xC3\xA9\\ud83d\\ude00\\\"\"} \r\n";
    static const char id[] = "a\0b\\u0000\xC3\xA9\xC3\xA9\xF0\x9F\x98\x80\"";
    struct decoded d = decode(span_of(text));

    assert_string_equal(d.err.detail, "");
    assert_true(d.finished);
    assert_int_equal(d.batch.logits.shape.rank, 2);
    assert_int_equal(d.batch.reduction, REDUCTION_SUM);
    assert_int_equal(d.batch.ignore_index, -7);
    assert_true(d.batch.temperature == 0.1);
    assert_int_equal(d.batch.outputs, 1u << OUTPUT_LOSS | 1u << OUTPUT_GRADIENT);
    assert_int_equal(d.batch.id.len, sizeof id - 1);
    assert_memory_equal(d.batch.id.at, id, sizeof id - 1);
    assert_int_equal(d.batch.members, 8);
    assert_int_equal(d.batch.order[1], MEMBER_labels);
    assert_cuts_do_not_matter(span_of(text), &d);
    decoded_free(&d);
}

static void json_read__decodes_characters_of_every_length(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *id;
    } cases[] = {
        {"\xC2\x80\xDF\xBF\xE0\xA0\x80\xE1\x80\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
         "\xC2\x80\xDF\xBF\xE0\xA0\x80\xE1\x80\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"},
        {"\xF0\x90\x80\x80\xF1\x80\x80\x80\xF4\x8F\xBF\xBF",
         "\xF0\x90\x80\x80\xF1\x80\x80\x80\xF4\x8F\xBF\xBF"},
        {"\\u0080\\u07ff\\u0800\\uD7FF\\ue000\\uFFFF",
         "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"},
        {"\\ud800\\udc00\\u0041\\uDBFF\\uDFFF\\u007f", "\xF0\x90\x80\x80"
                                                       "A\xF4\x8F\xBF\xBF\x7F"},
        {"\\b\\f\\n\\r\\t\\/\\\"\\\\", "\b\f\n\r\t/\"\\"},
        {"Infinity", "Infinity"},
        {"NaN", "NaN"},
        {"-I", "-I"},
        {"", ""},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[256];
        /* as a value, which cJSON decodes, and as a name, which it does not */
        snprintf(text, sizeof text, "{\"id\":\"%s\"}", cases[i].text);
        struct decoded d = decode(span_of(text));
        assert_string_equal(d.err.detail, "");
        assert_true(span_is(d.batch.id, cases[i].id));
        assert_cuts_do_not_matter(span_of(text), &d);
        decoded_free(&d);
        snprintf(text, sizeof text, "{\"%s\":1}", cases[i].text);
        struct decoded named = decode(span_of(text));
        snprintf(text, sizeof text, "{\"%s\":1}", cases[i].id);
        assert_int_equal(named.err.kind, ERR_UNKNOWN_MEMBER);
        assert_non_null(strstr(named.err.detail, cases[i].id));
        decoded_free(&named);
    }
}

static void json_read__hands_on_numbers_that_no_option_can_be(void **state)
{
    (void)state;
    static const char *const texts[] = {"NaN", "Infinity", "-Infinity", "1e999"};

    for (size_t i = 0; i < LENGTH(texts); i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"temperature\":%s}", texts[i]);
        struct decoded d = decode(span_of(text));
        assert_int_equal(d.err.kind, ERR_NONE);
        assert_int_equal(d.batch.bad_option.kind, ERR_INVALID_OPTION);
        assert_non_null(strstr(d.batch.bad_option.detail, texts[i]));
        assert_cuts_do_not_matter(span_of(text), &d);
        decoded_free(&d);
    }
}

static void json_read__leaves_cjson_to_malloc_afterwards(void **state)
{
    (void)state;
    struct decoded d;

    decode_into(&d, &task_loss, &decoded_limits, SIZE_MAX,
                span_of("{\"id\":\"a\",\"return\":[\"loss\"]}"), 100, NULL, 0);
    size_t used = d.mem.used, left = d.mem.left;
    cJSON *tree = cJSON_Parse("[1,{\"a\":\"b\"}]");

    assert_non_null(tree);
    assert_int_equal(d.mem.used, used);
    assert_int_equal(d.mem.left, left);
    cJSON_Delete(tree);
    decoded_free(&d);
}

static void json_read__reads_integers_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } integers[] = {
        {"{\"ignore_index\":9007199254740993}", INT64_C(9007199254740993)},
        {"{\"ignore_index\":9007199254740993.0}", INT64_C(9007199254740993)},
        {"{\"ignore_index\":-9223372036854775808}", INT64_MIN},
        {"{\"ignore_index\":-92233720368547758.08e2}", INT64_MIN},
        {"{\"ignore_index\":1200e-2}", 12},
        {"{\"ignore_index\":0.0012e4}", 12},
        {"{\"ignore_index\":-0.0e99999999999999999999}", 0},
        {"{\"ignore_index\":0."
         "000000000000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000"
         "5e121}",
         5},
        {"{\"ignore_index\":5000000000000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000"
         "e-120}",
         5},
    };
    for (size_t i = 0; i < LENGTH(integers); i++) {
        struct decoded d = decode(span_of(integers[i].text));
        assert_string_equal(d.err.detail, "");
        assert_int_equal(d.batch.ignore_index, integers[i].value);
        decoded_free(&d);
    }
}

static void json_read__takes_no_fraction_for_an_integer(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "3.5",
        "3.0000000000000000000000001",
        "1e-1",
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "1e99999999999999999999",
        "10e-99999999999999999999",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"ignore_index\":%s}", texts[i]);
        struct decoded d = decode(span_of(text));
        assert_int_equal(d.err.kind, ERR_WRONG_TYPE);
        assert_string_equal(d.err.pointer, "/ignore_index");
        assert_int_equal(d.batch.ignore_index, -100);
        decoded_free(&d);
    }
}

/* One document that has everything. */
static const char everything[] =
    "{\"labels\":[1, 0.0],\n\"logits\":[[1.5,-2e-3,\"-Infinity\"],[NaN ,null,1e999]],"
    "\"id\":\"\\ud83d\\ude00\",\"dtype\":\"float32\",\"x\":{\"y\":[true,{}]}}\n";

static void json_read__gives_the_same_for_any_two_cuts(void **state)
{
    (void)state;
    struct span text = span_of(everything);
    struct decoded whole = decode(text);

    assert_int_equal(whole.err.kind, ERR_UNKNOWN_MEMBER);
    assert_int_equal(whole.batch.logits.count, 6);
    for (size_t first = 0; first <= text.len; first++) {
        for (size_t second = first; second <= text.len; second++) {
            struct decoded cut = decode_cut(text, first, second);
            assert_same(&whole, &cut);
            decoded_free(&cut);
        }
    }
    decoded_free(&whole);
}

static void json_read__gives_the_same_for_any_two_cuts_of_any_beginning(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof everything - 2; len++) {
        struct span text = {everything, len};
        struct decoded whole = decode(text);
        assert_int_equal(whole.err.kind, ERR_INVALID_JSON);
        assert_int_equal(whole.err.offset, len);
        assert_cuts_do_not_matter(text, &whole);
        decoded_free(&whole);
    }
}

/* --- ceilings --- */

static struct decoded decode_limited(const char *text, struct limits limits, size_t step)
{
    struct decoded d;

    decode_into(&d, &task_loss, &limits, SIZE_MAX, span_of(text), step, NULL, 0);
    return d;
}

static void assert_limited(const char *text, struct limits limits, const char *flag,
                           uint64_t limit, const char *detail)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        struct decoded d = decode_limited(text, limits, step);
        assert_string_equal(d.err.detail, detail);
        assert_int_equal(d.err.kind, ERR_TOO_LARGE);
        assert_string_equal(d.err.flag, flag);
        assert_int_equal(d.err.limit, limit);
        assert_false(d.fed);
        decoded_free(&d);
    }
}

static void assert_not_limited(const char *text, struct limits limits)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        struct decoded d = decode_limited(text, limits, step);
        assert_int_not_equal(d.err.kind, ERR_TOO_LARGE);
        assert_true(d.finished);
        decoded_free(&d);
    }
}

static void json_read__has_a_ceiling_for_depth(void **state)
{
    (void)state;
    struct limits limits = decoded_limits;

    limits.max_depth = 3;
    assert_not_limited("{\"x\":[{\"a\":1}],\"y\":[[]]}", limits);
    assert_limited("{\"x\":[[[]]]}", limits, "--max-depth", 3,
                   "the JSON is nested deeper than 3 levels at offset 7");
    assert_limited("{\"x\":[{\"a\":{]", limits, "--max-depth", 3,
                   "the JSON is nested deeper than 3 levels at offset 11");
    struct decoded d = decode_limited("{\"x\":\n [[\n\n[]]]}", limits, 1);
    assert_true(d.err.has_position);
    assert_int_equal(d.err.offset, 11);
    assert_int_equal(d.err.line, 4);
    assert_int_equal(d.err.column, 1);
    decoded_free(&d);
    /* of two ceilings the first to be reached counts */
    limits.max_text = 10;
    assert_limited("{\"return\":[1,[[[", limits, "--max-depth", 3,
                   "the JSON is nested deeper than 3 levels at offset 14");
    assert_limited(
        "{\"return\":[10,[[[", limits, "--max-text", 10,
        "the text beside the arrays has more than the 10 bytes that are allowed");
    limits = decoded_limits;
    limits.max_depth = 200;
    char deep[1024] = "{\"x\":";
    for (size_t i = 0; i < 199; i++) {
        deep[5 + i] = '[';
        deep[5 + 199 + i] = ']';
    }
    deep[5 + 2 * 199] = '}';
    assert_not_limited(deep, limits);
    /* objects and arrays in turn, further down than a word has bits */
    size_t len = 0;
    for (size_t i = 0; i < 100; i++)
        len += (size_t)snprintf(deep + len, sizeof deep - len, "{\"x\":");
    assert_true(len + 128 < sizeof deep);
    memset(deep + len, '}', 100);
    memcpy(deep + len, "[]", 2);
    memcpy(deep + len + 100, "}}", 3);
    assert_not_limited(deep, limits);
}

static void json_read__has_a_ceiling_for_text(void **state)
{
    (void)state;
    static const char beside_70[] =
        "the text beside the arrays has more than the 70 bytes that are allowed";
    struct limits limits = decoded_limits;

    limits.max_text = 70;
    /* "id" and a string of 66 bytes with its quotes are 70 */
    assert_not_limited("{\"id\":\"12345678901234567890123456789012345678901234567890"
                       "123456789012345\"}",
                       limits);
    assert_limited("{\"id\":\"12345678901234567890123456789012345678901234567890"
                   "1234567890123456789\"}",
                   limits, "--max-text", 70, beside_70);
    assert_limited("{\"a234567890123456789012345678901234567890\":1,"
                   "\"b23456789012345678901234567890\\u0062\":1}",
                   limits, "--max-text", 70, beside_70);
    /* values nobody wants are not kept */
    assert_not_limited("{\"x\":\"12345678901234567890123456789012345678901234567890"
                       "12345678901234567890123456789\"}",
                       limits);
    /* a ceiling and an error behind it: the ceiling comes first, however it is cut */
    assert_limited("{\"id\":\"12345678901234567890123456789012345678901234567890"
                   "1234567890123456789\"x",
                   limits, "--max-text", 70, beside_70);
    assert_limited("{\"return\":[\"12345678901234567890123456789012345678901234567890"
                   "123456789012345\",x",
                   limits, "--max-text", 70, beside_70);
    assert_limited("{\"logits\":[1,12345678901234567890123456789012345678901234567890"
                   "123456789012345678901]}",
                   limits, "--max-text", 70,
                   "an element of an array has more than the 70 bytes that are allowed");
    assert_not_limited("{\"logits\":[1,12345678901234567890123456789012345678901234567890"
                       "12345678901234567890]}",
                       limits);
    /* all of the text is spent, and arrays go on */
    assert_not_limited("{\"a23456789012345678901234567890123456789012345678901234567890"
                       "12\":1,\"logits\":[1,\"NaN\",2.25,1e5]}",
                       limits);
}

static void json_read__answers_the_same_for_any_shortage_of_memory(void **state)
{
    (void)state;
    struct span text = span_of(
        "{\"logits\":[[1,2,\"NaN\"],[0.125,1.0000000596046447753906250001,4]],"
        "\"labels\":[0,1],\"id\":\"a\\u0000b\",\"return\":[\"loss\",\"gra\\u0064ient\"],"
        "\"temperature\":2,\"dtype\":\"float32\"}");
    bool enough = false;
    size_t refusals = 0;

    for (size_t memory = 0; !enough; memory += 64) {
        for (size_t step = 1; step <= text.len; step += 9) {
            struct decoded d;
            decode_into(&d, &task_loss, &decoded_limits, memory, text, step, NULL, 0);
            enough = d.finished;
            assert_int_equal(d.err.kind, enough ? ERR_NONE : ERR_TOO_LARGE);
            if (!enough) {
                refusals++;
                assert_string_equal(d.err.flag, "--max-request-memory");
                assert_int_equal(d.err.limit, memory);
            }
            decoded_free(&d);
        }
    }
    assert_true(refusals > 100);
}

static void json_read__has_no_memory_for_a_tree_either(void **state)
{
    (void)state;
    enum { NAMES = 1000 };
    char text[NAMES * 7 + 64];
    size_t len = (size_t)snprintf(text, sizeof text, "{\"return\":[");
    bool enough = false;

    for (size_t i = 0; i < NAMES; i++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s\"loss\"", i ? "," : "");
    snprintf(text + len, sizeof text - len, "]}");
    for (size_t memory = 0; !enough; memory += 1000) {
        struct decoded d;
        decode_into(&d, &task_loss, &decoded_limits, memory, span_of(text), 5000, NULL,
                    0);
        enough = d.finished;
        assert_int_equal(d.err.kind, enough ? ERR_NONE : ERR_TOO_LARGE);
        assert_int_equal(d.batch.outputs == 1u << OUTPUT_LOSS, enough);
        decoded_free(&d);
    }
}

static void json_read__goes_on_refusing_once_it_has_refused(void **state)
{
    (void)state;
    const struct codec *codec = codec_for(&task_loss, span_of(""));
    struct arena mem;
    struct err err = {.kind = ERR_NONE}, later = {.kind = ERR_NONE};
    struct batch batch;

    arena_init(&mem, SIZE_MAX, NULL, NULL);
    batch_init(&batch, &task_loss, &decoded_limits);
    struct decoder *decoder = codec->begin(span_of(""), &batch, &mem, &err);
    assert_false(codec->feed(decoder, span_of("{\"x\":]"), &err));
    assert_false(codec->feed(decoder, span_of("1}"), &later));
    assert_false(codec->finish(decoder, &later));
    assert_int_equal(later.kind, ERR_NONE);
    assert_int_equal(err.offset, 5);
    arena_release(&mem);
}

/* Looking at an unfinished token again with each byte would take hours here. */
static void json_read__reads_a_long_string_byte_by_byte(void **state)
{
    (void)state;
    enum { LONG = 4 << 20 };
    const struct codec *codec = codec_for(&task_loss, span_of(""));
    struct limits limits = decoded_limits;
    struct arena mem;
    struct err err = {.kind = ERR_NONE};
    struct batch batch;

    limits.max_text = LONG;
    arena_init(&mem, SIZE_MAX, NULL, NULL);
    batch_init(&batch, &task_loss, &limits);
    struct decoder *decoder = codec->begin(span_of(""), &batch, &mem, &err);
    assert_true(codec->feed(decoder, span_of("{\"x\":\""), &err));
    for (size_t i = 0; i < LONG; i++)
        assert_true(codec->feed(decoder, (struct span){&"\xC3\xA9"[i % 2], 1}, &err));
    assert_true(codec->feed(decoder, span_of("\",\"id\":\""), &err));
    for (size_t i = 0; i < LONG / 2; i++)
        assert_true(codec->feed(decoder, span_of("a"), &err));
    assert_true(codec->feed(decoder, span_of("\",\"logits\":[1,0."), &err));
    for (size_t i = 0; i < LONG / 2; i++)
        assert_true(codec->feed(decoder, span_of("1"), &err));
    assert_true(codec->feed(decoder, span_of("]}"), &err));
    assert_true(codec->finish(decoder, &err));
    assert_int_equal(err.kind, ERR_UNKNOWN_MEMBER);
    assert_true(((double *)batch.logits.data)[1] == 1.0 / 9);
    arena_release(&mem);
}

/* --- the vectors of JSONTestSuite --- */

enum { VECTOR_MAX = 128 * 1024 };

struct vector {
    char name[256];
    char text[VECTOR_MAX];
    size_t len;
};

/* Calls `check` for each vector whose name starts with one of `kinds`. */
static void for_each_vector(const char *kinds, void (*check)(const struct vector *))
{
    char folder[512], path[1024];
    struct dirent *entry;
    size_t count = 0;

    snprintf(folder, sizeof folder, "%s/json", conformance_folder());
    DIR *dir = opendir(folder);
    if (!dir) {
        printf("skipped: no folder %s (set LOSSD_CONFORMANCE)\n", folder);
        skip();
    }
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".json") != 0 ||
            !strchr(kinds, entry->d_name[0]))
            continue;
        struct vector *vector = malloc(sizeof *vector);
        assert_non_null(vector);
        snprintf(vector->name, sizeof vector->name, "%s", entry->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        vector->len = fread(vector->text, 1, sizeof vector->text, file);
        fclose(file);
        assert_true(vector->len < sizeof vector->text);
        check(vector);
        free(vector);
        count++;
    }
    closedir(dir);
    assert_true(count > 10);
}

/* `before` + the vector + "}"; short ones are cut at every byte, all drip. */
static void read_wrapped(const struct vector *vector, const char *before,
                         void (*judge)(const struct vector *, const struct err *))
{
    size_t lead = strlen(before), len = lead + vector->len + 1;
    char *text = malloc(len);

    assert_non_null(text);
    memcpy(text, before, lead);
    memcpy(text + lead, vector->text, vector->len);
    text[len - 1] = '}';
    struct decoded whole = decode((struct span){text, len});
    judge(vector, &whole.err);
    if (len < 4096) {
        assert_cuts_do_not_matter((struct span){text, len}, &whole);
    } else {
        struct decoded drip = decode_steps((struct span){text, len}, 1);
        assert_same(&whole, &drip);
        decoded_free(&drip);
    }
    decoded_free(&whole);
    free(text);
}

static bool is_syntax(const struct err *err)
{
    return err->kind == ERR_INVALID_JSON || err->kind == ERR_TRAILING_DATA;
}

static void judge_bad(const struct vector *vector, const struct err *err)
{
    /* too deep to be judged */
    bool limited = err->kind == ERR_TOO_LARGE &&
                   strcmp(vector->name, "n_structure_100000_opening_arrays.json") == 0;

    if (!limited && !(is_syntax(err) && err->has_position))
        fail_msg("%s is taken: %d %s", vector->name, err->kind, err->detail);
}

static void judge_good(const struct vector *vector, const struct err *err)
{
    if (is_syntax(err))
        fail_msg("%s is refused: %s", vector->name, err->detail);
}

static void judge_any(const struct vector *vector, const struct err *err)
{
    (void)vector;
    (void)err;
}

static void check_bad(const struct vector *vector)
{
    read_wrapped(vector, "{\"x\":", judge_bad);
}

static void check_good(const struct vector *vector)
{
    read_wrapped(vector, "{\"x\":", judge_good);
}

static void check_any(const struct vector *vector)
{
    read_wrapped(vector, "{\"x\":", judge_any);
    read_wrapped(vector, "{\"logits\":", judge_any);
}

static void check_good_logits(const struct vector *vector)
{
    read_wrapped(vector, "{\"logits\":", judge_good);
    read_wrapped(vector, "{\"labels\":", judge_good);
    read_wrapped(vector, "{\"id\":", judge_good);
}

/* For logits these are numbers. */
static bool is_bare_number(const char *name)
{
    static const char *const names[] = {"n_number_NaN.json", "n_number_infinity.json",
                                        "n_number_minus_infinity.json"};

    for (size_t i = 0; i < LENGTH(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void check_bad_logits(const struct vector *vector)
{
    read_wrapped(vector,
                 "{\"logits\":", is_bare_number(vector->name) ? judge_good : judge_bad);
    read_wrapped(vector, "{\"labels\":", judge_bad);
    read_wrapped(vector, "{\"targets\":", judge_bad);
    read_wrapped(vector, "{\"id\":", judge_bad);
}

static void json_read__refuses_every_bad_vector(void **state)
{
    (void)state;
    for_each_vector("n", check_bad);
}

static void json_read__takes_every_good_vector(void **state)
{
    (void)state;
    for_each_vector("y", check_good);
}

static void json_read__gives_one_verdict_for_every_doubtful_vector(void **state)
{
    (void)state;
    for_each_vector("i", check_any);
}

static void json_read__judges_the_vectors_no_differently_in_members_it_knows(void **state)
{
    (void)state;
    for_each_vector("n", check_bad_logits);
    for_each_vector("y", check_good_logits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_read__says_what_it_found_and_what_is_wanted),
        cmocka_unit_test(json_read__points_at_the_byte_after_a_leading_zero),
        cmocka_unit_test(json_read__points_into_malformed_numbers),
        cmocka_unit_test(json_read__points_into_malformed_strings),
        cmocka_unit_test(json_read__points_into_malformed_literals),
        cmocka_unit_test(json_read__counts_lines_and_columns),
        cmocka_unit_test(json_read__refuses_a_text_that_ends_too_early),
        cmocka_unit_test(json_read__refuses_what_follows_the_object),
        cmocka_unit_test(json_read__wants_an_object),
        cmocka_unit_test(json_read__lets_bad_syntax_win_over_everything_before_it),
        cmocka_unit_test(json_read__names_unknown_and_repeated_members),
        cmocka_unit_test(json_read__does_not_end_names_at_an_escaped_nul),
        cmocka_unit_test(json_read__sets_every_kind_of_member),
        cmocka_unit_test(json_read__decodes_characters_of_every_length),
        cmocka_unit_test(json_read__hands_on_numbers_that_no_option_can_be),
        cmocka_unit_test(json_read__leaves_cjson_to_malloc_afterwards),
        cmocka_unit_test(json_read__reads_integers_exactly),
        cmocka_unit_test(json_read__takes_no_fraction_for_an_integer),
        cmocka_unit_test(json_read__gives_the_same_for_any_two_cuts),
        cmocka_unit_test(json_read__gives_the_same_for_any_two_cuts_of_any_beginning),
        cmocka_unit_test(json_read__has_a_ceiling_for_depth),
        cmocka_unit_test(json_read__has_a_ceiling_for_text),
        cmocka_unit_test(json_read__answers_the_same_for_any_shortage_of_memory),
        cmocka_unit_test(json_read__has_no_memory_for_a_tree_either),
        cmocka_unit_test(json_read__goes_on_refusing_once_it_has_refused),
        cmocka_unit_test(json_read__reads_a_long_string_byte_by_byte),
        cmocka_unit_test(json_read__refuses_every_bad_vector),
        cmocka_unit_test(json_read__takes_every_good_vector),
        cmocka_unit_test(json_read__gives_one_verdict_for_every_doubtful_vector),
        cmocka_unit_test(
            json_read__judges_the_vectors_no_differently_in_members_it_knows),
    };
    return cmocka_run_group_tests_name("json_read", tests, NULL, NULL);
}
