/* What logits of classes that are each true or not come to, whose formulas are in
 * loss/bce_with_logits.c.  It is made for many at once, whatever rows they are of, by the
 * kernel: rows may be too short for vectors. */
#ifndef LOSSD_ENGINE_ODDS_H
#define LOSSD_ENGINE_ODDS_H

#include <stdbool.h>
#include <stddef.h>

enum { ODDS_MOST = 256 };

/* In one struct, so that a compiler sees that nothing overlaps. */
struct odds {
    _Alignas(64) double z[ODDS_MOST];            /* the logits */
    double e[ODDS_MOST];                         /* exp(-|z|) */
    double bent[ODDS_MOST], inverse[ODDS_MOST];  /* log(1 + e), 1 / (1 + e) */
    double target[ODDS_MOST], weight[ODDS_MOST]; /* how true it is, and pos_weight */
    double scale[ODDS_MOST];                     /* of the slope */
    double value[ODDS_MOST], slope[ODDS_MOST];   /* the loss, d loss / d z */
    double likely[ODDS_MOST];                    /* the probability that it is true */
};

/* s and 1 - s are these two, neither of them a difference. */
static inline double odds_larger(const struct odds *odds, size_t i)
{
    return odds->inverse[i];
}

static inline double odds_smaller(const struct odds *odds, size_t i)
{
    return odds->e[i] * odds->inverse[i];
}

static inline void odds_likely(struct odds *odds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double large = odds_larger(odds, i), small = odds_smaller(odds, i);
        odds->likely[i] = odds->z[i] >= 0 ? large : small;
    }
}

static inline void odds_values(struct odds *odds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double z = odds->z[i], t = odds->target[i], w = odds->weight[i];
        double size = z < 0 ? -z : z, side = z >= 0 ? 1 - t : w * t;
        double straight = side * size;
        odds->value[i] = (side == 0 ? 0 : straight) + (1 - t + w * t) * odds->bent[i];
    }
}

static inline void odds_slopes(struct odds *odds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double t = odds->target[i], w = odds->weight[i];
        double large = odds_larger(odds, i), small = odds_smaller(odds, i);
        double s = odds->z[i] >= 0 ? large : small, r = odds->z[i] >= 0 ? small : large;
        odds->slope[i] = odds->scale[i] * ((1 - t) * s - w * t * r);
    }
}

#endif
