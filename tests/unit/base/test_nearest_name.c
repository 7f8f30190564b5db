#include "lossd/base/nearest_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void nearest_name__is_the_one_that_was_meant(void **state)
{
    (void)state;
    static const char *const names[] = {"logits",  "labels",        "label_smoothing",
                                        "targets", "class_weights", "reduction",
                                        "divisor", "dtype",         "id",
                                        "axis",    "temperature",   "W",
                                        NULL};
    static const struct {
        const char *text, *nearest;
    } rows[] = {
        {"logits", "logits"},
        {"logit", "logits"},
        {"lgoits", "logits"}, /* swapped */
        {"lables", "labels"},
        {"label", "labels"},
        {"Labels", "labels"},
        {"LABELS", "labels"},
        {"DType", "dtype"},
        {"LGOITS", "logits"},
        {"w", "W"},
        {"Id", "id"},
        {"lables_smoothing", "label_smoothing"},
        {"labelsmoothing", "label_smoothing"},
        {"label-smoothing", "label_smoothing"},
        {"target", "targets"},
        {"classweight", "class_weights"},
        {"weights", "class_weights"},
        {"weight", "class_weights"},
        {"Smooth", "label_smoothing"},
        {"temp", "temperature"},
        {"eight", NULL},
        {"we", NULL},
        {"reduce", NULL},
        {"reductoin", "reduction"},
        {"dtyp", "dtype"},
        {"ids", "id"},
        {"axes", "axis"},
        {"temprature", "temperature"},
        {"", NULL},
        {"x", NULL},
        {"qq", NULL},
        {"QQ", NULL},
        {"@xis", "axis"},
        {"[", NULL},
        {"bananas", NULL},
        {"a_name_that_is_longer_than_any_that_is_known", NULL},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *nearest = nearest_name(span_of(rows[i].text), names);
        if (rows[i].nearest == NULL && nearest)
            fail_msg("\"%s\" is taken for %s", rows[i].text, nearest);
        if (rows[i].nearest) {
            if (!nearest)
                fail_msg("\"%s\" is taken for nothing", rows[i].text);
            assert_string_equal(nearest, rows[i].nearest);
        }
    }
}

static void nearest_name__of_two_alike_is_the_first(void **state)
{
    (void)state;
    static const char *const names[] = {"sum", "sun", NULL};
    static const char *const others[] = {"sun", "sum", NULL};

    assert_string_equal(nearest_name(span_of("sur"), names), "sum");
    assert_string_equal(nearest_name(span_of("sur"), others), "sun");
}

/* What is not terminated is not read beyond its end. */
static void nearest_name__reads_the_span_only(void **state)
{
    (void)state;
    static const char *const names[] = {"mean", "sum", NULL};

    assert_string_equal(nearest_name((struct span){"summary", 3}, names), "sum");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_name__is_the_one_that_was_meant),
        cmocka_unit_test(nearest_name__of_two_alike_is_the_first),
        cmocka_unit_test(nearest_name__reads_the_span_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
