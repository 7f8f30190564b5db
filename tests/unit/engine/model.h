/* A small linear model, whose numbers have few bits, for tests to change. */
#ifndef LOSSD_TESTS_MODEL_H
#define LOSSD_TESTS_MODEL_H

#include "made.h"

enum { N = 4, D = 3, C = 5 };

static const double some_features[N * D] = {0.5,   -1.25, 2, 1,  0.75, -0.5,
                                            -2.25, 0.125, 1, -1, 1.5,  0.25};
static const double some_W[C * D] = {0.25, -0.5, 1,     -1.5, 0.5,  0.75, 2,    0.5,
                                     -1,   0.5,  -0.25, 0.25, -0.5, 1,    -0.75};
static const double some_b[C] = {0.5, -0.25, 0, 1, -1};
static const int64_t some_labels[N] = {2, -100, 0, 4};

/* Copies that a test may change. */
struct model {
    double features[N * D], W[C * D], b[C];
    int64_t labels[N];
};

static inline struct model some_model(void)
{
    struct model model;

    memcpy(model.features, some_features, sizeof some_features);
    memcpy(model.W, some_W, sizeof some_W);
    memcpy(model.b, some_b, sizeof some_b);
    memcpy(model.labels, some_labels, sizeof some_labels);
    return model;
}

static inline struct made make_model(struct model *model)
{
    struct made made = make(&task_loss);

    make_doubles(&made, "features", SHAPE(N, D), model->features);
    make_doubles(&made, "W", SHAPE(C, D), model->W);
    make_doubles(&made, "b", SHAPE(C), model->b);
    make_labels(&made, SHAPE(N), model->labels);
    return made;
}

#endif
