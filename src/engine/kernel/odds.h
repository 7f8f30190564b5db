/* What logits of classes that are each true or not come to, whose formulas are in
 * loss/bce_with_logits.c.  It is made for many at once, whatever rows they are of, by the
 * kernel: rows may be too short for vectors. */
#ifndef LOSSD_ENGINE_KERNEL_ODDS_H
#define LOSSD_ENGINE_KERNEL_ODDS_H

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

#endif
