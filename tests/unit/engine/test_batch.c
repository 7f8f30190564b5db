/* Filling a batch: names, values and what is wrong with them. */
#include "made.h"

#include <stdlib.h>
#include <time.h>

/* ---- an empty batch ------------------------------------------------------------------ */

static void batch_init__sets_every_option_to_its_default(void **state)
{
    (void)state;
    struct batch batch;

    memset(&batch, 0xA5, sizeof batch);
    batch_init(&batch, &task_loss, &made_limits);
    assert_int_equal(batch.given, 0);
    assert_int_equal(batch.members, 0);
    assert_string_equal(batch.loss->name, "cross_entropy");
    assert_int_equal(batch.reduction, REDUCTION_MEAN);
    assert_int_equal(batch.dtype, DTYPE_FLOAT64);
    assert_int_equal(batch.axis, -1);
    assert_int_equal(batch.ignore_index, -100);
    assert_true(batch.label_smoothing == 0);
    assert_true(batch.temperature == 1);
    assert_true(isnan(batch.divisor));
    assert_true(isnan(batch.softcap));
    assert_true(batch.z_loss == 0);
    assert_true(batch.focal_gamma == 0);
    assert_true(batch.poly_epsilon == 0);
    assert_true(batch.l2 == 0);
    assert_true(batch.margin == 1);
    assert_int_equal(batch.p, 1);
    assert_int_equal(batch.ece_bins, 15);
    assert_int_equal(batch.outputs, 1u << OUTPUT_LOSS | 1u << OUTPUT_PROBABILITIES);
    assert_null(batch.logits.data);
    batch_init(&batch, &task_softmax, &made_limits);
    assert_int_equal(batch.outputs, 1u << OUTPUT_PROBABILITIES);
}

static void member_infos__stand_in_the_order_of_the_enum(void **state)
{
    (void)state;
    assert_string_equal(member_infos[MEMBER_logits].name, "logits");
    assert_string_equal(member_infos[MEMBER_temperature].name, "temperature");
    assert_string_equal(member_infos[MEMBER_id].name, "id");
    for (enum member m = 0; m < MEMBERS; m++) {
        assert_non_null(member_infos[m].help);
        bool chooses =
            member_infos[m].type == MEMBER_CHOICE || member_infos[m].type == MEMBER_NAMES;
        assert_int_equal(chooses, member_infos[m].choices != NULL);
    }
    for (enum output o = 0; o < OUTPUTS; o++)
        assert_non_null(output_names[o]);
    assert_null(output_names[OUTPUTS]);
}

static void batch_array__is_the_field_of_the_member(void **state)
{
    (void)state;
    struct made made = make(&task_loss);
    struct batch *batch = &made.batch;

    assert_ptr_equal(batch_array(batch, MEMBER_logits), &batch->logits);
    assert_ptr_equal(batch_array(batch, MEMBER_labels), &batch->labels);
    assert_ptr_equal(batch_array(batch, MEMBER_targets), &batch->targets);
    assert_ptr_equal(batch_array(batch, MEMBER_class_weights), &batch->class_weights);
    assert_ptr_equal(batch_array(batch, MEMBER_sample_weights), &batch->sample_weights);
    assert_ptr_equal(batch_array(batch, MEMBER_pos_weight), &batch->pos_weight);
    assert_ptr_equal(batch_array(batch, MEMBER_features), &batch->features);
    assert_ptr_equal(batch_array(batch, MEMBER_W), &batch->W);
    assert_ptr_equal(batch_array(batch, MEMBER_b), &batch->b);
}

/* ---- names ---------------------------------------------------------------------------- */

static void batch_begin__notes_the_order_of_the_text(void **state)
{
    (void)state;
    static const char *const names[] = {"labels", "axis", "logits", "return"};
    struct made made = make(&task_loss);

    for (size_t i = 0; i < LENGTH(names); i++) {
        enum member member = make_begin(&made, names[i]);
        assert_string_equal(member_infos[member].name, names[i]);
        assert_int_equal(made.batch.order[i], member);
        assert_true(batch_has(&made.batch, member));
    }
    assert_int_equal(made.batch.members, LENGTH(names));
    assert_false(batch_has(&made.batch, MEMBER_targets));
}

/* The name is refused, so and with these words. */
static void assert_unknown(const struct task *task, const char *name, const char *pointer,
                           const char *detail)
{
    struct made made = make(task);
    enum member member;

    assert_false(
        batch_begin(&made.batch, span_of(name), false, &made.mem, &member, &made.err));
    assert_int_equal(made.err.kind, ERR_UNKNOWN_MEMBER);
    assert_string_equal(made.err.pointer, pointer);
    assert_string_equal(made.err.detail, detail);
    assert_int_equal(made.batch.members, 0);
    unmake(&made);
}

static void batch_begin__names_the_nearest_of_an_unknown_member(void **state)
{
    (void)state;
    assert_unknown(&task_loss, "logit", "/logit",
                   "unknown member \"logit\"; did you mean \"logits\"?");
    assert_unknown(&task_loss, "lable_smoothing", "/lable_smoothing",
                   "unknown member \"lable_smoothing\"; did you mean "
                   "\"label_smoothing\"?");
    assert_unknown(&task_loss, "bananas", "/bananas",
                   "unknown member \"bananas\"; a loss request knows no such name");
    assert_unknown(&task_loss, "", "/",
                   "unknown member \"\"; a loss request knows no such name");
    assert_unknown(&task_loss, "pos_weights", "/pos_weights",
                   "unknown member \"pos_weights\"; did you mean \"pos_weight\"?");
    assert_unknown(&task_loss, "soft_cap", "/soft_cap",
                   "unknown member \"soft_cap\"; did you mean \"softcap\"?");
    assert_unknown(&task_loss, "w", "/w", "unknown member \"w\"; did you mean \"W\"?");
    assert_unknown(&task_softmax, "temprature", "/temprature",
                   "unknown member \"temprature\"; did you mean \"temperature\"?");
}

/* Also not the nearest of another: softmax knows no labels. */
static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum { UNKNOWN_NAMES = 2000 };

/* What it takes to refuse many, each alone or all of one text. */
static double time_unknown(char names[UNKNOWN_NAMES][32], bool alone)
{
    struct made made = make(&task_loss);
    enum member member;
    double start = cpu_seconds();

    for (unsigned i = 0; i < UNKNOWN_NAMES; i++) {
        if (alone)
            made.err.kind = ERR_NONE;
        assert_false(batch_begin(&made.batch, span_of(names[i]), false, &made.mem,
                                 &member, &made.err));
    }
    double took = cpu_seconds() - start;
    unmake(&made);
    return took;
}

/* Or a text of a megabyte would keep a thread for half a second. */
static void batch_begin__looks_for_the_nearest_of_the_first_only(void **state)
{
    (void)state;
    static char names[UNKNOWN_NAMES][32];
    double alone = INFINITY, together = INFINITY;

    for (unsigned i = 0; i < UNKNOWN_NAMES; i++)
        snprintf(names[i], sizeof names[i], "no_name_anybody_could_know_%04u", i);
    for (int round = 0; round < 5; round++) {
        alone = fmin(alone, time_unknown(names, true));
        together = fmin(together, time_unknown(names, false));
    }
    assert_true(together < alone / 4);
}

static void batch_begin__says_when_another_request_knows_the_member(void **state)
{
    (void)state;
    assert_unknown(&task_softmax, "labels", "/labels",
                   "labels is not a member of a softmax request");
    assert_unknown(&task_softmax, "features", "/features",
                   "features is not a member of a softmax request");
    assert_unknown(&task_softmax, "z_loss", "/z_loss",
                   "z_loss is not a member of a softmax request");
    assert_unknown(&task_softmax, "lables", "/lables",
                   "unknown member \"lables\"; a softmax request knows no such name");
}

static void batch_begin__escapes_the_pointer(void **state)
{
    (void)state;
    assert_unknown(&task_loss, "a/b~c", "/a~1b~0c",
                   "unknown member \"a/b~c\"; a loss request knows no such name");
}

/* A pointer is whole up to its bound, and from there on there is none: what is left of
 * one would point elsewhere.  The sentence has the beginning of the name. */
static void batch_begin__points_at_long_names_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *letter, *escaped;
    } rows[] = {{"a", "a"},
                {"~", "~0"},
                {"\xC3\xA9", "\xC3\xA9"},
                {"\xE2\x82\xAC", "\xE2\x82\xAC"}};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        char name[1200];
        size_t letter = strlen(rows[i].letter), escaped = strlen(rows[i].escaped);
        for (size_t at = 0; at + letter <= sizeof name; at += letter)
            memcpy(name + at, rows[i].letter, letter);
        for (size_t length = 69; length < sizeof name; length += letter * 7) {
            struct made made = make(&task_loss);
            struct span text = {name, length / letter * letter};
            size_t whole = 1 + text.len / letter * escaped;
            enum member member;
            assert_false(
                batch_begin(&made.batch, text, false, &made.mem, &member, &made.err));
            assert_int_equal(made.err.kind, ERR_UNKNOWN_MEMBER);
            assert_int_equal(strlen(made.err.pointer), whole < POINTER_SIZE ? whole : 0);
            assert_non_null(strstr(made.err.detail, "...\""));
            unmake(&made);
        }
    }
}

/* The name ends where it does, not at a NUL in it. */
static void batch_begin__shows_a_nul_in_a_name(void **state)
{
    (void)state;
    struct made made = make(&task_loss);
    struct span name = {"logits\0x", 8};
    enum member member;

    assert_false(batch_begin(&made.batch, name, false, &made.mem, &member, &made.err));
    assert_string_equal(made.err.pointer, "/logits\xC0\x80x");
    assert_string_equal(made.err.detail,
                        "unknown member \"logits\\u0000x\"; did you mean \"logits\"?");
    unmake(&made);
}

static void batch_begin__refuses_a_member_given_twice(void **state)
{
    (void)state;
    static const char *const names[] = {"logits", "temperature", "id"};

    for (size_t i = 0; i < LENGTH(names); i++) {
        struct made made = make(&task_loss);
        char wanted[64];
        enum member member = make_begin(&made, names[i]);
        assert_false(batch_begin(&made.batch, span_of(names[i]), false, &made.mem,
                                 &member, &made.err));
        assert_int_equal(made.err.kind, ERR_DUPLICATE_MEMBER);
        snprintf(wanted, sizeof wanted, "%s is given twice", names[i]);
        assert_string_equal(made.err.detail, wanted);
        snprintf(wanted, sizeof wanted, "/%s", names[i]);
        assert_string_equal(made.err.pointer, wanted);
        assert_int_equal(made.batch.members, 1);
    }
}

/* Neither is known, and that it is there twice is told first. */
static void batch_begin__refuses_an_unknown_name_given_twice(void **state)
{
    (void)state;
    static const char *const names[] = {"bar", "foo", "bars", "foo", "bar"};
    struct made made = make(&task_loss);
    enum member member;

    for (size_t i = 0; i < LENGTH(names); i++) {
        assert_false(batch_begin(&made.batch, span_of(names[i]), false, &made.mem,
                                 &member, &made.err));
        assert_string_equal(made.err.pointer, i < 3 ? "/bar" : "/foo");
        assert_int_equal(made.err.kind,
                         i < 3 ? ERR_UNKNOWN_MEMBER : ERR_DUPLICATE_MEMBER);
    }
    assert_string_equal(made.err.detail, "foo is given twice");
    unmake(&made);
}

/* ---- address and body ------------------------------------------------------------------- */

/* Gives the member in the address or in the body; false: refused. */
static bool give(struct made *made, const char *name, bool from_query, struct value value)
{
    enum member member;

    return batch_begin(&made->batch, span_of(name), from_query, &made->mem, &member,
                       &made->err) &&
           batch_set(&made->batch, member, value, &made->err);
}

static void batch__takes_a_member_from_address_and_body_where_they_agree(void **state)
{
    (void)state;
    struct made made = make(&task_loss);
    struct span names[2][2];

    for (int from_query = 1; from_query >= 0; from_query--) {
        struct span *list = names[from_query];
        assert_true(give(&made, "reduction", from_query, text_value("sum")));
        assert_true(give(&made, "temperature", from_query, number_value(0.5)));
        assert_true(give(&made, "ignore_index", from_query, number_value(3)));
        assert_true(give(&made, "id", from_query, text_value("a")));
        assert_true(give(&made, "return", from_query,
                         names_value(from_query ? "loss,losses" : "losses,loss", list)));
    }
    assert_int_equal(made.err.kind, ERR_NONE);
    assert_int_equal(made.batch.members, 5);
    assert_int_equal(made.batch.reduction, REDUCTION_SUM);
    /* and a third time is once too often */
    assert_false(give(&made, "reduction", false, text_value("sum")));
    assert_int_equal(made.err.kind, ERR_DUPLICATE_MEMBER);
    assert_string_equal(made.err.detail, "reduction is given twice");
}

static void batch__refuses_address_and_body_that_contradict(void **state)
{
    (void)state;
    struct span names[2][2];
    const struct {
        const char *name;
        struct value query, body;
        const char *detail;
    } rows[] = {
        {"reduction", text_value("sum"), text_value("mean"),
         "reduction is mean in the body but sum in the address; one value is wanted"},
        {"loss", text_value("nll"), text_value("cross_entropy"),
         "loss is cross_entropy in the body but nll in the address; one value is wanted"},
        {"id", text_value("a"), text_value("b"),
         "id is b in the body but a in the address; one value is wanted"},
        {"return", names_value("loss", names[0]), names_value("losses", names[1]),
         "return is losses in the body but loss in the address; one value is wanted"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        char pointer[64];
        assert_true(give(&made, rows[i].name, true, rows[i].query));
        assert_false(give(&made, rows[i].name, false, rows[i].body));
        assert_int_equal(made.err.kind, ERR_CONFLICTING_MEMBERS);
        assert_string_equal(made.err.detail, rows[i].detail);
        snprintf(pointer, sizeof pointer, "/%s", rows[i].name);
        assert_string_equal(made.err.pointer, pointer);
    }
}

/* A value that was out of its range in the address is shown all the same. */
static void batch__shows_what_the_address_said_even_out_of_range(void **state)
{
    (void)state;
    struct made made = make(&task_loss);
    struct value good = number_value(2), bad = number_value(-1);

    good.text = span_of("2");
    assert_false(give(&made, "temperature", true, bad));
    assert_false(give(&made, "temperature", false, good));
    assert_int_equal(made.err.kind, ERR_CONFLICTING_MEMBERS);
    assert_non_null(strstr(made.err.detail, "in the body but -1 in the address"));
}

static void batch_begin__refuses_a_member_twice_in_the_address(void **state)
{
    (void)state;
    struct made made = make(&task_loss);

    assert_true(give(&made, "axis", true, number_value(0)));
    assert_false(give(&made, "axis", true, number_value(0)));
    assert_int_equal(made.err.kind, ERR_DUPLICATE_MEMBER);
    assert_string_equal(made.err.detail, "axis is given twice in the address");
}

static void batch_begin__takes_an_unknown_name_once_from_address_and_body(void **state)
{
    (void)state;
    struct made made = make(&task_loss);

    assert_false(give(&made, "foo", true, number_value(0)));
    assert_false(give(&made, "foo", false, number_value(0)));
    assert_int_equal(made.err.kind, ERR_UNKNOWN_MEMBER);
    assert_false(give(&made, "foo", true, number_value(0)));
    assert_int_equal(made.err.kind, ERR_DUPLICATE_MEMBER);
    assert_string_equal(made.err.detail, "foo is given twice in the address");
    unmake(&made);
}

/* ---- values ------------------------------------------------------------------------------ */

static struct value other_value(const char *kind)
{
    return (struct value){.type = VALUE_NOTHING, .text = span_of("?"), .kind = kind};
}

static void batch_set__refuses_values_of_another_type_at_once(void **state)
{
    (void)state;
    struct span names[1];
    struct value half = number_value(1.5), list = names_value("mean", names);
    struct value large = {.type = VALUE_NUMBER, .number = 1e300, .kind = "a number"};
    half.text = span_of("1.5");
    large.text = span_of("1e300");
    const struct {
        const char *name;
        struct value value;
        const char *detail;
    } rows[] = {
        {"logits", text_value("x"), "logits is \"x\"; an array of numbers is wanted"},
        {"labels", other_value("an object"),
         "labels is an object; an array of numbers is wanted"},
        {"temperature", text_value("1"),
         "temperature is \"1\"; a finite number above 0 is wanted"},
        {"label_smoothing", other_value("null"),
         "label_smoothing is null; a number from 0 to 1 is wanted"},
        {"divisor", other_value("true"),
         "divisor is true; a finite number above 0 is wanted"},
        {"axis", text_value("1"), "axis is \"1\"; an integer of 64 bits is wanted"},
        {"axis", half, "axis is 1.5; an integer of 64 bits is wanted"},
        {"ignore_index", other_value("an array"),
         "ignore_index is an array; an integer of 64 bits is wanted"},
        {"loss", number_value(1), "loss is a number; a name is wanted"},
        {"reduction", list, "reduction is an array; a name is wanted"},
        {"dtype", other_value("false"), "dtype is false; a name is wanted"},
        {"return", text_value("loss"), "return is \"loss\"; an array of names is wanted"},
        {"id", number_value(7), "id is a number; a string is wanted"},
        {"features", text_value("x"), "features is \"x\"; an array of numbers is wanted"},
        {"W", other_value("null"), "W is null; an array of numbers is wanted"},
        {"b", half, "b is a number; an array of numbers is wanted"},
        {"pos_weight", half, "pos_weight is a number; an array of numbers is wanted"},
        {"softcap", other_value("null"),
         "softcap is null; a finite number above 0 is wanted"},
        {"z_loss", text_value("1"),
         "z_loss is \"1\"; a finite number of at least 0 is wanted"},
        {"focal_gamma", other_value("true"),
         "focal_gamma is true; a finite number of at least 0 is wanted"},
        {"poly_epsilon", other_value("an object"),
         "poly_epsilon is an object; a finite number is wanted"},
        {"l2", other_value("an array"),
         "l2 is an array; a finite number of at least 0 is wanted"},
        {"margin", text_value("-1"),
         "margin is \"-1\"; a finite number of at least 0 is wanted"},
        {"p", half, "p is 1.5; an integer from 1 to 2 is wanted"},
        {"p", text_value("2"), "p is \"2\"; an integer from 1 to 2 is wanted"},
        {"ece_bins", large, "ece_bins is 1e300; an integer from 1 to 1000 is wanted"},
        {"ece_bins", other_value("false"),
         "ece_bins is false; an integer from 1 to 1000 is wanted"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        char pointer[64];
        assert_false(make_value(&made, rows[i].name, rows[i].value));
        assert_string_equal(made.err.detail, rows[i].detail);
        assert_int_equal(made.err.kind, ERR_WRONG_TYPE);
        snprintf(pointer, sizeof pointer, "/%s", rows[i].name);
        assert_string_equal(made.err.pointer, pointer);
    }
}

/* Out of range: kept, because it is the turn of shapes first. */
static void batch_set__keeps_values_out_of_range_for_their_turn(void **state)
{
    (void)state;
    static const char long_id[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "01234567890123456789012345678901234567890123456789012345678";
    const struct {
        const char *name;
        struct value value;
        const char *detail;
    } rows[] = {
        {"reduction", text_value("men"),
         "reduction is \"men\"; one of mean, sum, none is wanted (did you mean "
         "\"mean\"?)"},
        {"dtype", text_value("float16"),
         "dtype is \"float16\"; one of float64, float32 is wanted (did you mean "
         "\"float64\"?)"},
        {"id", text_value(long_id), "id has 129 bytes; at most 128 are wanted"},
        {"label_smoothing", text_value("NaN"),
         "label_smoothing is NaN; a number from 0 to 1 is wanted"},
        {"temperature", text_value("-Infinity"),
         "temperature is -Infinity; a finite number above 0 is wanted"},
        {"divisor", text_value("Infinity"),
         "divisor is Infinity; a finite number above 0 is wanted"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        assert_false(make_value(&made, rows[i].name, rows[i].value));
        assert_int_equal(made.err.kind, ERR_NONE);
        assert_int_equal(made.batch.bad_option.kind, ERR_INVALID_OPTION);
        assert_string_equal(made.batch.bad_option.detail, rows[i].detail);
    }
}

/* The name, what was found as it was written, and the range. */
static void batch_set__says_what_range_a_number_is_out_of(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *detail;
    } rows[] = {
        {"label_smoothing", "1.5",
         "label_smoothing is 1.5; a number from 0 to 1 is wanted"},
        {"temperature", "0.0", "temperature is 0.0; a finite number above 0 is wanted"},
        {"divisor", "-3", "divisor is -3; a finite number above 0 is wanted"},
        {"softcap", "0", "softcap is 0; a finite number above 0 is wanted"},
        {"softcap", "-30.0", "softcap is -30.0; a finite number above 0 is wanted"},
        {"softcap", "1e999", "softcap is 1e999; a finite number above 0 is wanted"},
        {"z_loss", "-1e-4", "z_loss is -1e-4; a finite number of at least 0 is wanted"},
        {"focal_gamma", "-2",
         "focal_gamma is -2; a finite number of at least 0 is wanted"},
        {"focal_gamma", "1e400",
         "focal_gamma is 1e400; a finite number of at least 0 is wanted"},
        {"poly_epsilon", "-1e999", "poly_epsilon is -1e999; a finite number is wanted"},
        {"poly_epsilon", "1e999", "poly_epsilon is 1e999; a finite number is wanted"},
        {"l2", "-0.5", "l2 is -0.5; a finite number of at least 0 is wanted"},
        {"margin", "-1", "margin is -1; a finite number of at least 0 is wanted"},
        {"p", "0", "p is 0; an integer from 1 to 2 is wanted"},
        {"p", "3", "p is 3; an integer from 1 to 2 is wanted"},
        {"p", "-1", "p is -1; an integer from 1 to 2 is wanted"},
        {"ece_bins", "0", "ece_bins is 0; an integer from 1 to 1000 is wanted"},
        {"ece_bins", "1001", "ece_bins is 1001; an integer from 1 to 1000 is wanted"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        struct value value = number_value(strtod(rows[i].text, NULL));
        char pointer[64];
        value.text = span_of(rows[i].text);
        assert_false(make_value(&made, rows[i].name, value));
        assert_int_equal(made.err.kind, ERR_NONE); /* shapes come first */
        assert_string_equal(made.batch.bad_option.detail, rows[i].detail);
        assert_int_equal(made.batch.bad_option.kind, ERR_INVALID_OPTION);
        snprintf(pointer, sizeof pointer, "/%s", rows[i].name);
        assert_string_equal(made.batch.bad_option.pointer, pointer);
    }
}

static void batch_set__holds_numbers_to_their_range(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double number;
        bool fits;
    } rows[] = {
        {"label_smoothing", 0, true},
        {"label_smoothing", -0.0, true},
        {"label_smoothing", 1, true},
        {"label_smoothing", 0.5, true},
        {"label_smoothing", -5e-324, false},
        {"label_smoothing", 1.0000000000000002, false},
        {"label_smoothing", INFINITY, false},
        {"temperature", 5e-324, true},
        {"temperature", 1.7e308, true},
        {"temperature", 0, false},
        {"temperature", -0.0, false},
        {"temperature", -1, false},
        {"temperature", INFINITY, false},
        {"divisor", 1e-300, true},
        {"divisor", 0, false},
        {"divisor", -1, false},
        {"divisor", -INFINITY, false},
        {"softcap", 5e-324, true},
        {"softcap", 1.7e308, true},
        {"softcap", -0.0, false},
        {"softcap", INFINITY, false},
        {"z_loss", 0, true},
        {"z_loss", 1.7e308, true},
        {"z_loss", -5e-324, false},
        {"z_loss", INFINITY, false},
        {"focal_gamma", 0, true},
        {"focal_gamma", 1.7e308, true},
        {"focal_gamma", -5e-324, false},
        {"focal_gamma", INFINITY, false},
        {"poly_epsilon", -1.7e308, true},
        {"poly_epsilon", 1.7e308, true},
        {"poly_epsilon", -INFINITY, false},
        {"poly_epsilon", INFINITY, false},
        {"l2", 0, true},
        {"l2", -5e-324, false},
        {"l2", INFINITY, false},
        {"margin", 0, true},
        {"margin", 1.7e308, true},
        {"margin", -5e-324, false},
        {"margin", INFINITY, false},
        {"p", 1, true},
        {"p", 2, true},
        {"p", 0, false},
        {"p", 3, false},
        {"p", -0x1p52, false},
        {"ece_bins", 1, true},
        {"ece_bins", 1000, true},
        {"ece_bins", 0, false},
        {"ece_bins", 1001, false},
        {"ece_bins", -1, false},
        {"ece_bins", 0x1p52, false},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        bool fits = make_number(&made, rows[i].name, rows[i].number);
        if (fits != rows[i].fits)
            fail_msg("%s %g", rows[i].name, rows[i].number);
        assert_int_equal(made.batch.bad_option.kind,
                         fits ? ERR_NONE : ERR_INVALID_OPTION);
    }
}

static void batch_set__takes_every_name_of_a_choice(void **state)
{
    (void)state;
    static const char *const reductions[] = {"mean", "sum", "none"};

    for (size_t i = 0; i < LENGTH(reductions); i++) {
        struct made made = make(&task_loss);
        assert_true(make_text(&made, "reduction", reductions[i]));
        assert_int_equal(made.batch.reduction, i);
    }
    for (size_t i = 0; i < loss_count; i++) {
        struct made made = make(&task_loss);
        assert_true(make_text(&made, "loss", loss_names[i]));
        assert_ptr_equal(made.batch.loss, loss_table[i]);
    }
    struct made made = make(&task_loss);
    assert_true(make_text(&made, "dtype", "float32"));
    assert_int_equal(made.batch.dtype, DTYPE_FLOAT32);
    assert_true(make_text(&made, "id", ""));
    assert_true(make_number(&made, "axis", -3));
    assert_int_equal(made.batch.axis, -3);
}

static void batch_set__takes_the_outputs_of_the_task(void **state)
{
    (void)state;
    struct span names[OUTPUTS];

    for (enum output o = 0; o < OUTPUTS; o++) {
        bool of_lines = o == OUTPUT_RECORDS;
        struct made made = make(of_lines ? &task_dataset : &task_loss);
        struct made other = make(of_lines ? &task_loss : &task_softmax);
        assert_true(make_return(&made, output_names[o]));
        assert_int_equal(made.batch.outputs, 1u << o);
        assert_true(batch_wants(&made.batch, o));
        bool known = other.batch.task->outputs >> o & 1;
        assert_int_equal(make_return(&other, output_names[o]), known);
    }
    struct made made = make(&task_loss);
    struct value value = names_value("losses,gradient,losses", names);
    assert_true(make_value(&made, "return", value));
    assert_int_equal(made.batch.outputs, 1u << OUTPUT_LOSSES | 1u << OUTPUT_GRADIENT);
    struct made none = make(&task_loss);
    assert_true(make_return(&none, ""));
    assert_int_equal(none.batch.outputs, 0);
}

static void batch_set__points_at_the_output_that_is_not_known(void **state)
{
    (void)state;
    struct span names[2];
    struct made made = make(&task_loss), softmax = make(&task_softmax);

    assert_false(make_return(&made, "loss,gradients"));
    assert_string_equal(made.batch.bad_option.pointer, "/return/1");
    assert_string_equal(
        made.batch.bad_option.detail,
        "return[1] is \"gradients\"; one of loss, losses, "
        "probabilities, log_probabilities, logsumexp, gradient, "
        "logits, gradient_features, gradient_W, gradient_b, "
        "predictions, metrics, per_class, confusion, calibration, state is "
        "wanted (did you mean \"gradient\"?)");
    assert_false(make_return(&softmax, "loss")); /* and is not meant */
    assert_string_equal(softmax.batch.bad_option.detail,
                        "return[0] is \"loss\"; one of probabilities, "
                        "log_probabilities, logsumexp, predictions is wanted");
    struct made mixed = make(&task_loss);
    struct value value = names_value("loss", names);
    value.no_name = "a number";
    assert_false(make_value(&mixed, "return", value));
    assert_int_equal(mixed.err.kind, ERR_WRONG_TYPE);
    assert_string_equal(mixed.err.pointer, "/return/1");
    assert_string_equal(mixed.err.detail, "return[1] is a number; a name is wanted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_init__sets_every_option_to_its_default),
        cmocka_unit_test(member_infos__stand_in_the_order_of_the_enum),
        cmocka_unit_test(batch_array__is_the_field_of_the_member),
        cmocka_unit_test(batch_begin__notes_the_order_of_the_text),
        cmocka_unit_test(batch_begin__names_the_nearest_of_an_unknown_member),
        cmocka_unit_test(batch_begin__looks_for_the_nearest_of_the_first_only),
        cmocka_unit_test(batch_begin__says_when_another_request_knows_the_member),
        cmocka_unit_test(batch_begin__escapes_the_pointer),
        cmocka_unit_test(batch_begin__points_at_long_names_or_not_at_all),
        cmocka_unit_test(batch_begin__shows_a_nul_in_a_name),
        cmocka_unit_test(batch_begin__refuses_a_member_given_twice),
        cmocka_unit_test(batch_begin__refuses_an_unknown_name_given_twice),
        cmocka_unit_test(batch__takes_a_member_from_address_and_body_where_they_agree),
        cmocka_unit_test(batch__refuses_address_and_body_that_contradict),
        cmocka_unit_test(batch__shows_what_the_address_said_even_out_of_range),
        cmocka_unit_test(batch_begin__refuses_a_member_twice_in_the_address),
        cmocka_unit_test(batch_begin__takes_an_unknown_name_once_from_address_and_body),
        cmocka_unit_test(batch_set__refuses_values_of_another_type_at_once),
        cmocka_unit_test(batch_set__keeps_values_out_of_range_for_their_turn),
        cmocka_unit_test(batch_set__says_what_range_a_number_is_out_of),
        cmocka_unit_test(batch_set__holds_numbers_to_their_range),
        cmocka_unit_test(batch_set__takes_every_name_of_a_choice),
        cmocka_unit_test(batch_set__takes_the_outputs_of_the_task),
        cmocka_unit_test(batch_set__points_at_the_output_that_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
