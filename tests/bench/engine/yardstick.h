/* The loops everybody writes first, on the C library's exp() and log(): what the
 * engine is compared with.  They are as right as that: no compensation, no counted
 * maximum.  Included once for each type, with REAL, EXP, LOG and YARDSTICK(name)
 * defined. */

static REAL YARDSTICK(max)(const REAL *row, size_t classes)
{
    REAL max = row[0];

    for (size_t c = 1; c < classes; c++)
        max = row[c] > max ? row[c] : max;
    return max;
}

static REAL YARDSTICK(sum)(const REAL *row, size_t classes, REAL max)
{
    REAL sum = 0;

    for (size_t c = 0; c < classes; c++)
        sum += EXP(row[c] - max);
    return sum;
}

static void YARDSTICK(softmax_row)(const REAL *row, size_t classes, REAL *out)
{
    REAL max = YARDSTICK(max)(row, classes), sum = 0;

    for (size_t c = 0; c < classes; c++)
        sum += out[c] = EXP(row[c] - max);
    for (size_t c = 0; c < classes; c++)
        out[c] /= sum;
}

static double YARDSTICK(loss_row)(const REAL *row, size_t classes, int64_t label)
{
    REAL max = YARDSTICK(max)(row, classes);

    return (double)(LOG(YARDSTICK(sum)(row, classes, max)) + (max - row[label]));
}

static void YARDSTICK(log_softmax_row)(const REAL *row, size_t classes, REAL *out)
{
    REAL max = YARDSTICK(max)(row, classes);
    REAL log_sum = LOG(YARDSTICK(sum)(row, classes, max));

    for (size_t c = 0; c < classes; c++)
        out[c] = row[c] - max - log_sum;
}

static double YARDSTICK(gradient_row)(const REAL *row, size_t classes, int64_t label,
                                      REAL scale, REAL *out)
{
    REAL max = YARDSTICK(max)(row, classes), sum = 0;

    for (size_t c = 0; c < classes; c++)
        sum += out[c] = EXP(row[c] - max);
    REAL factor = scale / sum;
    for (size_t c = 0; c < classes; c++)
        out[c] *= factor;
    out[label] -= scale;
    return (double)(LOG(sum) + (max - row[label]));
}

/* One operation over a whole batch; returns the sum of the losses. */
static double YARDSTICK(run)(enum operation operation, const REAL *logits,
                             const int64_t *labels, size_t rows, size_t classes,
                             REAL *out)
{
    double sum = 0;

    for (size_t n = 0; n < rows; n++) {
        const REAL *row = logits + n * classes;
        REAL *to = out + n * classes;
        switch (operation) {
        case SOFTMAX:
            YARDSTICK(softmax_row)(row, classes, to);
            break;
        case LOG_SOFTMAX:
            YARDSTICK(log_softmax_row)(row, classes, to);
            break;
        case LOSS:
            sum += YARDSTICK(loss_row)(row, classes, labels[n]);
            break;
        case LOSS_GRADIENT:
            sum += YARDSTICK(gradient_row)(row, classes, labels[n], (REAL)1 / (REAL)rows,
                                           to);
            break;
        case OPERATIONS:
            break;
        }
    }
    return sum;
}
