/* What batch_check() refuses of options and outputs: those of another loss, of a linear
 * model where there is none, and those that do not go with labels or targets. */
#include "made.h"

static double ones[] = {1, 2, 3, 4, 5, 6};
static int64_t zeros[] = {0, 0};

/* Logits [2,3] with the truth that the loss takes. */
static struct made make_loss(const char *loss)
{
    static double targets[] = {1, 0, 0, 0, 0.5, 0.5};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 3), ones);
    make_text(&made, "loss", loss);
    if (made.batch.loss->truths & TRUTH_LABELS)
        make_labels(&made, SHAPE(2), zeros);
    else
        make_doubles(&made, "targets", SHAPE(2, 3), targets);
    return made;
}

static struct made make_model(void)
{
    struct made made = make(&task_loss);

    make_doubles(&made, "features", SHAPE(2, 1), ones);
    make_doubles(&made, "W", SHAPE(3, 1), ones);
    make_labels(&made, SHAPE(2), zeros);
    return made;
}

static void assert_sound(struct made *made)
{
    if (!batch_check(&made->batch, &made->err))
        fail_msg("refused: %s", made->err.detail);
}

/* ---- options of losses -------------------------------------------------------------- */

/* Is the word one of those in the list, which has a blank at both ends? */
static bool lists(const char *list, const char *word)
{
    char with_blanks[64];

    snprintf(with_blanks, sizeof with_blanks, " %s ", word);
    return strstr(list, with_blanks);
}

struct option {
    const char *name;
    double value; /* of a number, not its default */
};

static const struct option options[] = {
    {"class_weights", 0}, {"label_smoothing", 0.1},
    {"temperature", 2},   {"softcap", 30},
    {"z_loss", 1e-4},     {"focal_gamma", 2},
    {"poly_epsilon", 1},  {"pos_weight", 0},
    {"margin", 0},        {"p", 2},
};

static bool is_list(const struct option *option)
{
    return strcmp(option->name, "class_weights") == 0 ||
           strcmp(option->name, "pos_weight") == 0;
}

static void give_option(struct made *made, const struct option *option)
{
    if (is_list(option))
        make_doubles(made, option->name, SHAPE(3), ones);
    else
        assert_true(make_number(made, option->name, option->value));
}

/* Every option with every loss. */
static void batch_check__takes_only_the_options_of_the_loss(void **state)
{
    (void)state;
    static const struct {
        const char *loss, *options;
    } rows[] = {
        {"cross_entropy", " class_weights label_smoothing temperature softcap z_loss "
                          "focal_gamma poly_epsilon "},
        {"nll", " class_weights "},
        {"bce_with_logits", " pos_weight temperature softcap "},
        {"hinge", " class_weights margin p temperature softcap "},
        {"kl_div", " temperature softcap "},
    };

    assert_int_equal(LENGTH(rows), loss_count);
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (size_t o = 0; o < LENGTH(options); o++) {
            struct made made = make_loss(rows[i].loss);
            char pointer[64], detail[128];
            give_option(&made, &options[o]);
            if (lists(rows[i].options, options[o].name)) {
                assert_sound(&made);
                continue;
            }
            snprintf(pointer, sizeof pointer, "/%s", options[o].name);
            snprintf(detail, sizeof detail, "%s is not an option of the loss %s",
                     options[o].name, rows[i].loss);
            assert_refused(&made, ERR_INVALID_OPTION, pointer, detail);
        }
}

static void batch_check__takes_every_option_at_its_default(void **state)
{
    (void)state;
    static const struct option defaults[] = {
        {"label_smoothing", 0}, {"temperature", 1}, {"z_loss", 0}, {"focal_gamma", 0},
        {"poly_epsilon", 0},    {"margin", 1},      {"p", 1},      {"l2", 0},
        {"ece_bins", 15},
    };

    for (size_t i = 0; i < loss_count; i++) {
        struct made made = make_loss(loss_names[i]);
        for (size_t o = 0; o < LENGTH(defaults); o++)
            give_option(&made, &defaults[o]);
        assert_sound(&made);
    }
}

/* A loss that is named after its options is judged by what it is in the end. */
static void batch_check__judges_options_by_a_loss_that_comes_later(void **state)
{
    (void)state;
    struct made made = make_sound();

    make_number(&made, "margin", 2);
    make_text(&made, "loss", "hinge");
    assert_sound(&made);
    made = make_sound();
    make_number(&made, "z_loss", 1);
    make_text(&made, "loss", "hinge");
    assert_refused(&made, ERR_INVALID_OPTION, "/z_loss",
                   "z_loss is not an option of the loss hinge");
}

/* A list is judged by its numbers before it is judged by the loss. */
static void batch_check__judges_weights_before_whose_they_are(void **state)
{
    (void)state;
    double weights[] = {1, -2, 1};
    struct made made = make_loss("cross_entropy");

    make_doubles(&made, "pos_weight", SHAPE(3), weights);
    assert_refused(&made, ERR_INVALID_OPTION, "/pos_weight/1",
                   "pos_weight[1] is -2; a weight is finite and not negative");
}

/* ---- options and truths -------------------------------------------------------------- */

static struct made with_distributions(void)
{
    static double targets[] = {1, 0, 0, 0, 0.5, 0.5};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 3), ones);
    make_doubles(&made, "targets", SHAPE(2, 3), targets);
    return made;
}

static void batch_check__takes_only_the_default_ignore_index_with_targets(void **state)
{
    (void)state;
    struct made made = with_distributions();

    make_number(&made, "ignore_index", -100);
    assert_sound(&made);
    made = with_distributions();
    make_number(&made, "ignore_index", 0);
    assert_refused(&made, ERR_INVALID_OPTION, "/ignore_index",
                   "ignore_index is 0, but targets have no labels to ignore; use "
                   "sample_weights");
}

/* Which p should be far from 1 is known with a label only; the polynomial is defined for
 * both. */
static void batch_check__takes_focal_gamma_with_labels_only(void **state)
{
    (void)state;
    struct made made = make_sound();

    make_number(&made, "focal_gamma", 2);
    assert_sound(&made);
    made = with_distributions();
    make_number(&made, "focal_gamma", 0);
    make_number(&made, "poly_epsilon", -1);
    assert_sound(&made);
    made = with_distributions();
    make_number(&made, "focal_gamma", 0.5);
    assert_refused(&made, ERR_INVALID_OPTION, "/focal_gamma",
                   "focal_gamma is 0.5 with targets; it is an option for labels");
}

/* ---- options and outputs of a linear model ----------------------------------------------- */

static void batch_check__takes_l2_with_a_model_only(void **state)
{
    (void)state;
    struct made made = make_sound();

    make_number(&made, "l2", 0);
    assert_sound(&made);
    made = make_sound();
    make_number(&made, "l2", 1e-4);
    assert_refused(&made, ERR_INVALID_OPTION, "/l2",
                   "l2 is 0.0001, but there is no W: it is an option of a linear model");
    made = make_model();
    make_number(&made, "l2", 1e-4);
    assert_sound(&made);
    made = make_model();
    make_number(&made, "l2", 1e-4);
    make_text(&made, "reduction", "none");
    assert_refused(&made, ERR_INVALID_OPTION, "/l2",
                   "l2 is 0.0001 with reduction none: it belongs to no single position");
}

struct output_row {
    const char *loss; /* NULL: a linear model without b */
    const char *outputs;
    const char *detail; /* NULL: sound */
};

static const struct output_row output_rows[] = {
    {"cross_entropy", "loss,gradient,predictions,metrics,per_class,confusion,calibration",
     NULL},
    {"hinge", "metrics,per_class,confusion,calibration", NULL},
    {"kl_div", "metrics,per_class,confusion,calibration", NULL},
    {NULL, "logits,gradient_features,gradient_W,metrics", NULL},
    {"cross_entropy", "loss,logits",
     "return has logits, which is of a linear model: features and W are wanted"},
    {"cross_entropy", "gradient_features",
     "return has gradient_features, which is of a linear model: features and W are "
     "wanted"},
    {"hinge", "gradient,gradient_W",
     "return has gradient_W, which is of a linear model: features and W are wanted"},
    {"kl_div", "gradient_b",
     "return has gradient_b, which is of a linear model: features and W are wanted"},
    {NULL, "loss,gradient_b", "return has gradient_b, but b is not given"},
    {"bce_with_logits", "loss,losses,gradient,probabilities,log_probabilities", NULL},
    {"bce_with_logits", "metrics",
     "return has metrics, which needs one class to be true; the loss bce_with_logits has "
     "many"},
    {"bce_with_logits", "loss,per_class",
     "return has per_class, which needs one class to be true; the loss bce_with_logits "
     "has many"},
    {"bce_with_logits", "confusion",
     "return has confusion, which needs one class to be true; the loss bce_with_logits "
     "has many"},
    {"bce_with_logits", "calibration,loss",
     "return has calibration, which needs one class to be true; the loss "
     "bce_with_logits has many"},
};

static void batch_check__takes_only_outputs_that_there_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(output_rows); i++) {
        const struct output_row *row = &output_rows[i];
        struct made made = row->loss ? make_loss(row->loss) : make_model();

        make_return(&made, row->outputs);
        if (row->detail)
            assert_refused(&made, ERR_INVALID_OPTION, "/return", row->detail);
        else
            assert_sound(&made);
    }
}

static void batch_check__holds_a_confusion_table_to_its_limit(void **state)
{
    (void)state;
    struct limits limits = made_limits;

    for (limits.max_confusion = 2; limits.max_confusion <= 3; limits.max_confusion++) {
        struct made made = make_sound(), other = make_sound();
        made.batch.limits = other.batch.limits = &limits;
        make_return(&other, "metrics,per_class,calibration");
        assert_sound(&other);
        make_return(&made, "confusion");
        if (limits.max_confusion == 3) {
            assert_sound(&made);
            continue;
        }
        assert_refused(&made, ERR_TOO_LARGE, "/return",
                       "a confusion table of 3 classes is too large; at most 2 are "
                       "allowed");
        assert_int_equal(made.err.limit, 2);
        assert_string_equal(made.err.flag, "--max-confusion");
    }
}

/* ---- which error wins ---------------------------------------------------------------------- */

/* Each is wrong in a way of its own; the one that was written first wins. */
static void batch_check__judges_options_in_the_order_of_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *name, *pointer;
    } things[] = {
        {"margin", "/margin"},           /* is the hinge's */
        {"p", "/p"},                     /* is out of its range */
        {"l2", "/l2"},                   /* has no W */
        {"return", "/return"},           /* has no W either */
        {"focal_gamma", "/focal_gamma"}, /* has no labels */
        {"pos_weight", "/pos_weight/1"}, /* is negative */
    };
    double weights[] = {1, -1, 1};

    for (size_t first = 0; first < LENGTH(things); first++)
        for (size_t step = 1; step < LENGTH(things); step += 4) { /* on, and back */
            struct made made = with_distributions();
            for (size_t i = 0; i < LENGTH(things); i++) {
                const char *name = things[(first + i * step) % LENGTH(things)].name;
                if (strcmp(name, "return") == 0)
                    make_return(&made, "gradient_W");
                else if (strcmp(name, "pos_weight") == 0)
                    make_doubles(&made, name, SHAPE(3), weights);
                else
                    make_number(&made, name, 3);
            }
            assert_false(batch_check(&made.batch, &made.err));
            assert_string_equal(made.err.pointer, things[first].pointer);
            assert_int_equal(made.err.kind, ERR_INVALID_OPTION);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_check__takes_only_the_options_of_the_loss),
        cmocka_unit_test(batch_check__takes_every_option_at_its_default),
        cmocka_unit_test(batch_check__judges_options_by_a_loss_that_comes_later),
        cmocka_unit_test(batch_check__judges_weights_before_whose_they_are),
        cmocka_unit_test(batch_check__takes_only_the_default_ignore_index_with_targets),
        cmocka_unit_test(batch_check__takes_focal_gamma_with_labels_only),
        cmocka_unit_test(batch_check__takes_l2_with_a_model_only),
        cmocka_unit_test(batch_check__takes_only_outputs_that_there_are),
        cmocka_unit_test(batch_check__holds_a_confusion_table_to_its_limit),
        cmocka_unit_test(batch_check__judges_options_in_the_order_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
