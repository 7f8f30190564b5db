/* Which kernel runs here: the widest that the processor has and the operating system
 * saves the registers of, which is what __builtin_cpu_supports() asks.  Those of x86-64
 * are built with the same flags (Makefile).  The baseline is what every processor of
 * the architecture runs: SSE2, or on arm64 NEON, where it is the only one. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernel/kernel.h"
#include "lossd/engine/score.h"

extern const struct kernel kernel_baseline;
#ifdef __x86_64__
extern const struct kernel kernel_avx2, kernel_avx512;
#endif

size_t kernels_here(const struct kernel *out[4])
{
    size_t count = 0;

    out[count++] = &kernel_baseline;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        out[count++] = &kernel_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        out[count++] = &kernel_avx512;
#endif
    return count;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct kernel *chosen;

static void choose(void)
{
    const struct kernel *kernels[4];
    size_t count = kernels_here(kernels);
    const char *wanted = getenv("LOSSD_KERNEL");

    chosen = kernels[count - 1];
    for (size_t i = 0; wanted && i < count; i++)
        if (strcmp(kernels[i]->name, wanted) == 0)
            chosen = kernels[i];
}

const struct kernel *kernel_here(void)
{
    pthread_once(&once, choose);
    return chosen;
}

const char *score_vectors(void)
{
    return kernel_here()->name;
}
