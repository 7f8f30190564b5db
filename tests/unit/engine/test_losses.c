/* Known answers: the API's own examples, and the documents and bug reports of other
 * libraries. */
#include "made.h"

/* The answer printed in some document: right to its last digit. */
static void assert_digits(double found, double printed, double last_digit)
{
    if (!(fabs(found - printed) <= 0.5000001 * last_digit))
        fail_msg("%.17g is not the %.10g that is printed", found, printed);
}

/* ---- the API's examples --------------------------------------------------------- */

static void losses__are_those_of_the_first_example(void **state)
{
    (void)state;
    double logits[] = {2, 1, 0.1, 0.5, 2.5, 0.3};
    int64_t labels[] = {0, 1};
    static const double wanted[] = {0.6590011388859679,  0.24243297070471392,
                                    0.09856589040931817, 0.10860373030701238,
                                    0.8024790557916494,  0.08891721390133829};
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(2, 3), logits);
    make_labels(&made, SHAPE(2), labels);
    assert_scores(&made, NULL);
    assert_near(made.result.loss, 0.3185397696491856, 4e-15);
    assert_near(made.result.loss_sum, 0.6370795392983712, 4e-15);
    assert_true(made.result.divisor == 2);
    assert_int_equal(made.result.count, 2);
    assert_int_equal(made.result.ignored, 0);
    for (size_t i = 0; i < LENGTH(wanted); i++)
        assert_near(doubles(made.result.probabilities)[i], wanted[i], 4e-15);
    unmake(&made);
}

static void losses__are_those_of_the_single_example(void **state)
{
    (void)state;
    double logits[] = {1, 2, 3};
    int64_t label = 2;
    struct made made = make(&task_loss);

    make_doubles(&made, "logits", SHAPE(3), logits);
    make_labels(&made, SHAPE_SCALAR, &label);
    make_return(&made, "loss,predictions");
    assert_scores(&made, NULL);
    assert_near(made.result.loss, 0.4076059644443803, 4e-15);
    assert_int_equal(made.result.predictions[0], 2);
    assert_null(made.result.probabilities);
    unmake(&made);
}

static void losses__have_float32_probabilities_of_the_softmax_example(void **state)
{
    (void)state;
    float logits[] = {1, 2, 3};
    static const float wanted[] = {0.09003057F, 0.24472848F, 0.66524094F};
    struct made made = make(&task_softmax);

    make_floats(&made, "logits", SHAPE(3), logits);
    make_text(&made, "dtype", "float32");
    assert_scores(&made, NULL);
    for (size_t i = 0; i < LENGTH(wanted); i++)
        assert_true(((const float *)made.result.probabilities)[i] == wanted[i]);
    unmake(&made);
}

/* ---- other people's answers ------------------------------------------------------ */

/* One case: logits [positions, classes], labels, maybe weights, and what some
 * document says about it.  NAN: it does not say. */
struct known {
    const char *source;
    size_t positions, classes;
    double logits[12];
    int64_t labels[3];
    double weights[4]; /* none when the first is 0 */
    double losses[3];
    double mean;
    double last_digit;
};

static const struct known knowns[] = {
    {.source = "CS231n, softmax versus hinge",
     .positions = 1,
     .classes = 3,
     .logits = {-2.85, 0.86, 0.28},
     .labels = {2},
     .losses = {1.0401906},
     .mean = 1.0401906,
     .last_digit = 1e-7},
    {.source = "CS231n, uniform scores: ln 3",
     .positions = 1,
     .classes = 3,
     .logits = {0.1, 0.1, 0.1},
     .labels = {1},
     .losses = {1.0986122886681098},
     .mean = 1.0986122886681098,
     .last_digit = 1e-15},
    {.source = "optax, softmax_cross_entropy_with_integer_labels",
     .positions = 2,
     .classes = 3,
     .logits = {1.2, -.8, -.5, .9, -1.2, 1.1},
     .labels = {0, 1},
     .losses = {0.2761, 2.9518},
     .mean = NAN,
     .last_digit = 1e-4},
    {.source = "TensorFlow, sparse_softmax_cross_entropy_with_logits",
     .positions = 3,
     .classes = 4,
     .logits = {2, -5, .5, -.1, 0, 0, 1.9, 1.4, -100, 100, -100, -100},
     .labels = {0, 3, 1},
     .losses = {0.29750752, 1.1448325, 0},
     .mean = NAN,
     .last_digit = 1e-7},
    {.source = "pytorch#8062",
     .positions = 2,
     .classes = 2,
     .logits = {-100, 100, -100, 100},
     .labels = {0, 1},
     .weights = {20, 10},
     .losses = {4000, 0},
     .mean = 133.3333,
     .last_digit = 1e-4},
    {.source = "pytorch#15258",
     .positions = 3,
     .classes = 2,
     .logits = {-5, -6, 3, 2, 3, 2},
     .labels = {1, 0, 1},
     .weights = {3, 2},
     .losses = {NAN, NAN, NAN},
     .mean = 0.8847,
     .last_digit = 1e-4},
    {.source = "pytorch#25571",
     .positions = 2,
     .classes = 3,
     .logits = {.2, .3, .5, .5, .2, .3},
     .labels = {2, 1},
     .weights = {2, 4, 6},
     .losses = {5.6390, 4.9593},
     .mean = 1.0598,
     .last_digit = 1e-4},
    {.source = "pytorch#11752",
     .positions = 1,
     .classes = 2,
     .logits = {1e8, 1e8},
     .labels = {1},
     .losses = {0.6931472},
     .mean = 0.6931472,
     .last_digit = 1e-7},
    {.source = "labels against one-hot targets: labels",
     .positions = 2,
     .classes = 3,
     .logits = {1, 2, 3, 1, 0, -1},
     .labels = {0, 1},
     .weights = {1, 2, 3},
     .losses = {NAN, NAN},
     .mean = 1.740939,
     .last_digit = 1e-6},
};

static void make_known(struct made *made, const struct known *known, double *logits,
                       int64_t *labels, double *weights)
{
    memcpy(logits, known->logits, sizeof known->logits);
    memcpy(labels, known->labels, sizeof known->labels);
    memcpy(weights, known->weights, sizeof known->weights);
    *made = make(&task_loss);
    make_doubles(made, "logits", SHAPE(known->positions, known->classes), logits);
    make_labels(made, SHAPE(known->positions), labels);
    if (known->weights[0] > 0)
        make_doubles(made, "class_weights", SHAPE(known->classes), weights);
    make_return(made, "loss,losses,gradient");
}

static void losses__are_those_that_others_print(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(knowns); i++) {
        const struct known *known = &knowns[i];
        struct made made;
        double logits[12], weights[4];
        int64_t labels[3];

        make_known(&made, known, logits, labels, weights);
        print_message("  %s\n", known->source);
        assert_scores(&made, NULL);
        for (size_t n = 0; n < known->positions; n++)
            if (!isnan(known->losses[n]))
                assert_digits(made.result.losses[n], known->losses[n], known->last_digit);
        if (!isnan(known->mean))
            assert_digits(made.result.loss, known->mean, known->last_digit);
        unmake(&made);
    }
}

static void gradient__is_that_of_pytorch_15258(void **state)
{
    (void)state;
    static const double wanted[] = {.2089, -.2089, -.1153, .1153, .2089, -.2089};
    struct made made;
    double logits[12], weights[4];
    int64_t labels[3];

    for (size_t i = 0; i < LENGTH(knowns); i++) {
        if (strcmp(knowns[i].source, "pytorch#15258") != 0)
            continue;
        make_known(&made, &knowns[i], logits, labels, weights);
        assert_scores(&made, NULL);
        for (size_t c = 0; c < LENGTH(wanted); c++)
            assert_digits(doubles(made.result.gradient)[c], wanted[c], 1e-4);
        unmake(&made);
        return;
    }
    fail_msg("the case is gone");
}

/* The mean over labels divides by the weights of the labels, over targets by the
 * positions, with smoothing too. */
static void divisor__differs_between_labels_and_one_hot_targets(void **state)
{
    (void)state;
    static const struct {
        bool one_hot;
        double smoothing, mean, divisor;
    } rows[] = {{false, 0, 1.740939, 3},
                {true, 0, 2.611409, 2},
                {false, 0.1, 1.754526, 3},
                {true, 0.1, 2.631789, 2}};
    double logits[] = {1, 2, 3, 1, 0, -1}, weights[] = {1, 2, 3};
    double targets[] = {1, 0, 0, 0, 1, 0};
    int64_t labels[] = {0, 1};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct made made = make(&task_loss);
        make_doubles(&made, "logits", SHAPE(2, 3), logits);
        if (rows[i].one_hot)
            make_doubles(&made, "targets", SHAPE(2, 3), targets);
        else
            make_labels(&made, SHAPE(2), labels);
        make_doubles(&made, "class_weights", SHAPE(3), weights);
        make_number(&made, "label_smoothing", rows[i].smoothing);
        assert_scores(&made, NULL);
        assert_digits(made.result.loss, rows[i].mean, 1e-6);
        assert_true(made.result.divisor == rows[i].divisor);
        unmake(&made);
    }
}

static void softmax__is_that_of_cs231n(void **state)
{
    (void)state;
    double logits[] = {1, -2, 0, 123, 456, 789};
    static const double wanted[] = {0.70, 0.04, 0.26};
    struct made made = make(&task_softmax);

    make_doubles(&made, "logits", SHAPE(2, 3), logits);
    assert_scores(&made, NULL);
    const double *p = made.result.probabilities;
    assert_digits(p[0], wanted[0], 0.02); /* cut there, not rounded */
    assert_digits(p[1], wanted[1], 0.02);
    assert_digits(p[2], wanted[2], 0.02);
    assert_near(p[3], 5.752744056979149e-290, 4e-15); /* exp(-666) */
    assert_near(p[4], 2.398487868841356e-145, 4e-15); /* exp(-333) */
    assert_true(p[5] == 1);
    unmake(&made);
}

static void nll__is_that_of_the_onnx_documents(void **state)
{
    (void)state;
    double logits[] = {1, 2, 2, 2, 3, 2, 0, 1, 2, 2, 1, 2}, weights[] = {.2, .3, .1};
    int64_t labels[] = {2, 1, 0, 2};
    static const double wanted[] = {-3, -2, 0, -2};

    for (int weighted = 0; weighted < 2; weighted++) {
        struct made made = make(&task_loss);
        make_text(&made, "loss", "nll");
        make_doubles(&made, "logits", SHAPE(2, 3, 2), logits);
        make_number(&made, "axis", 1);
        make_labels(&made, SHAPE(2, 2), labels);
        make_return(&made, "loss,losses");
        if (weighted)
            make_doubles(&made, "class_weights", SHAPE(3), weights);
        assert_scores(&made, NULL);
        for (size_t n = 0; n < LENGTH(wanted) && !weighted; n++)
            assert_true(made.result.losses[n] == wanted[n] &&
                        (wanted[n] != 0 || !signbit(made.result.losses[n])));
        if (weighted) {
            assert_digits(made.result.loss_sum, -1.1, 1e-15);
            assert_digits(made.result.loss, -1.57, 0.01);
        }
        unmake(&made);
    }
}

/* ---- the other losses -------------------------------------------------------------- */

struct option_value {
    const char *name; /* NULL: no more */
    double value;
};

/* One row of one loss: labels for the losses that take them, else targets. */
struct known_row {
    const char *source, *loss;
    size_t classes;
    double logits[7], targets[7];
    int64_t label;
    struct option_value options[2];
    double wanted, last_digit;
};

static const struct known_row known_rows[] = {
    {"CS231n, hinge with margin 10, divided by 3",
     "hinge",
     3,
     {13, -7, 11},
     {0},
     0,
     {{"margin", 10}},
     8. / 3,
     1e-15},
    {"CS231n, hinge against softmax, divided by 3",
     "hinge",
     3,
     {-2.85, 0.86, 0.28},
     {0},
     2,
     {{NULL, 0}},
     1.58 / 3,
     1e-15},
    {"the documents of torch.nn.MultiMarginLoss",
     "hinge",
     4,
     {0.1, 0.2, 0.4, 0.8},
     {0},
     3,
     {{NULL, 0}},
     0.325,
     1e-15},
    {"the same squared: (0.3^2 + 0.4^2 + 0.6^2) / 4",
     "hinge",
     4,
     {0.1, 0.2, 0.4, 0.8},
     {0},
     3,
     {{"p", 2}},
     0.1525,
     1e-15},
    {"Wikipedia, Kullback-Leibler divergence: (32 ln 2 + 55 ln 3 - 50 ln 5) / 25",
     "kl_div",
     3,
     {7, 7, 7},
     {9. / 25, 12. / 25, 4. / 25},
     0,
     {{NULL, 0}},
     0.0852996,
     1e-7},
    {"the same the other way: (6 ln 5 - 4 ln 2 - 6 ln 3) / 3; logits are log 9, 12, 4",
     "kl_div",
     3,
     {2.1972245773362196, 2.4849066497880004, 1.3862943611198906},
     {1. / 3, 1. / 3, 1. / 3},
     0,
     {{NULL, 0}},
     0.097455,
     1e-6},
    {"Lin et al., section 3.2: p 0.9 and gamma 2 make it 100 times less",
     "cross_entropy",
     2,
     {2.1972245773362196, 0},
     {0},
     0,
     {{"focal_gamma", 2}},
     0.0010536051565782628,
     1e-17},
    {"Leng et al., Poly-1: ln 3 + 2 (1 - 1/3)",
     "cross_entropy",
     3,
     {5, 5, 5},
     {0},
     1,
     {{"poly_epsilon", 2}},
     2.4319456220014428,
     1e-15},
    {"optax, poly_loss of a distribution: ln 2 - (1 - 1/2)",
     "cross_entropy",
     2,
     {5, 5},
     {0.25, 0.75},
     -1,
     {{"poly_epsilon", -1}},
     0.19314718055994531,
     1e-16},
    {"Zoph et al., z-loss: ln 4 + 0.5 (1 + ln 4)^2",
     "cross_entropy",
     4,
     {1, 1, 1, 1},
     {0},
     3,
     {{"z_loss", 0.5}},
     4.233494750076184,
     1e-14},
    {"Gemma 2, softcap 2: logits are 2 tanh(1/2), 2 tanh(-1/2)",
     "cross_entropy",
     2,
     {1, -1},
     {0},
     1,
     {{"softcap", 2}},
     1.9947122496250845,
     1e-15},
};

static void losses__of_other_kinds_are_those_of_documents_and_papers(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(known_rows); i++) {
        const struct known_row *row = &known_rows[i];
        struct made made = make(&task_loss);
        double logits[7], targets[7];
        int64_t label = row->label;

        memcpy(logits, row->logits, sizeof logits);
        memcpy(targets, row->targets, sizeof targets);
        make_text(&made, "loss", row->loss);
        make_doubles(&made, "logits", SHAPE(row->classes), logits);
        if (targets[0] > 0)
            make_doubles(&made, "targets", SHAPE(row->classes), targets);
        else
            make_labels(&made, SHAPE_SCALAR, &label);
        for (size_t k = 0; k < LENGTH(row->options) && row->options[k].name; k++)
            make_number(&made, row->options[k].name, row->options[k].value);
        print_message("  %s\n", row->source);
        assert_scores(&made, NULL);
        assert_digits(made.result.loss, row->wanted, row->last_digit);
        unmake(&made);
    }
}

static void bce_with_logits__is_that_of_the_tensorflow_documents(void **state)
{
    (void)state;
    double logits[] = {1, -1, 0, 1, -1, 0, 0}, targets[] = {0, 0, 0, 1, 1, 1, 0.5};
    static const double wanted[] = {1.3132616, 0.3132617, 0.6931472, 0.3132617,
                                    1.3132616, 0.6931472, 0.6931472};
    struct made made = make(&task_loss);

    make_text(&made, "loss", "bce_with_logits");
    make_doubles(&made, "logits", SHAPE(7), logits);
    make_doubles(&made, "targets", SHAPE(7), targets);
    make_return(&made, "loss,losses");
    assert_scores(&made, NULL);
    for (size_t c = 0; c < LENGTH(wanted); c++)
        assert_digits(made.result.losses[c], wanted[c], 2e-7); /* of float32 */
    assert_true(made.result.divisor == 7);
    assert_near(made.result.loss, made.result.loss_sum / 7, 1e-15);
    unmake(&made);
}

/* All ones for targets, all 1.5 for logits, all 2 for weights: twice what is printed
 * for weights of 1. */
static void bce_with_logits__is_that_of_the_pytorch_documents(void **state)
{
    (void)state;
    double logits[64], targets[64], weights[64];

    for (double weight = 1; weight <= 2; weight++) {
        struct made made = make(&task_loss);
        for (size_t c = 0; c < LENGTH(logits); c++) {
            logits[c] = 1.5;
            targets[c] = 1;
            weights[c] = weight;
        }
        make_text(&made, "loss", "bce_with_logits");
        make_doubles(&made, "logits", SHAPE(1, 64), logits);
        make_doubles(&made, "targets", SHAPE(1, 64), targets);
        make_doubles(&made, "pos_weight", SHAPE(64), weights);
        assert_scores(&made, NULL);
        assert_near(made.result.loss, 0.20141327798275246 * weight, 4e-15);
        assert_near(doubles(made.result.probabilities)[0], 0.8175744761936437, 4e-15);
        unmake(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses__are_those_of_the_first_example),
        cmocka_unit_test(losses__are_those_of_the_single_example),
        cmocka_unit_test(losses__have_float32_probabilities_of_the_softmax_example),
        cmocka_unit_test(losses__are_those_that_others_print),
        cmocka_unit_test(gradient__is_that_of_pytorch_15258),
        cmocka_unit_test(divisor__differs_between_labels_and_one_hot_targets),
        cmocka_unit_test(softmax__is_that_of_cs231n),
        cmocka_unit_test(nll__is_that_of_the_onnx_documents),
        cmocka_unit_test(losses__of_other_kinds_are_those_of_documents_and_papers),
        cmocka_unit_test(bce_with_logits__is_that_of_the_tensorflow_documents),
        cmocka_unit_test(bce_with_logits__is_that_of_the_pytorch_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
