/* Random numbers that are the same in every run: logits as models give them. */
#ifndef LOSSD_BENCH_NOISE_H
#define LOSSD_BENCH_NOISE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct noise {
    uint64_t state; /* any number */
};

static inline uint64_t noise_bits(struct noise *noise)
{
    uint64_t z = noise->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* In (0, 1]. */
static inline double noise_share(struct noise *noise)
{
    return (double)((noise_bits(noise) >> 11) + 1) * 0x1p-53;
}

/* Normal, mean 0, standard deviation 3. */
static inline double noise_logit(struct noise *noise)
{
    double r = sqrt(-2 * log(noise_share(noise)));

    return 3 * r * cos(6.283185307179586 * noise_share(noise));
}

static inline int64_t noise_label(struct noise *noise, size_t classes)
{
    return (int64_t)(noise_bits(noise) % classes);
}

#endif
