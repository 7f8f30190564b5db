/* The one dialect of vectors: those of the instruction set that is compiled for,
 * in GNU C, which writes a + b for two of them.
 *
 * A line is 64 bytes, whatever the vectors: one, two or four of them.  Sums run
 * over the elements of lines, so that the order of additions is the same for
 * vectors of any width. */
#ifndef LOSSD_ENGINE_KERNEL_VECTORS_H
#define LOSSD_ENGINE_KERNEL_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#if defined __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

enum { LINE_BYTES = 64 };

#if defined __AVX512F__
#define VECTOR_BYTES 64
#define LARGER_FLOATS(a, b) ((float_vector)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define LARGER_DOUBLES(a, b) ((double_vector)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#define ANY_FLOATS(mask) (_mm512_test_epi32_mask((__m512i)(mask), (__m512i)(mask)) != 0)
#define ANY_DOUBLES(mask) (_mm512_test_epi64_mask((__m512i)(mask), (__m512i)(mask)) != 0)
#elif defined __AVX2__
#define VECTOR_BYTES 32
#define LARGER_FLOATS(a, b) ((float_vector)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define LARGER_DOUBLES(a, b) ((double_vector)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define ANY_FLOATS(mask) (_mm256_movemask_ps((__m256)(mask)) != 0)
#define ANY_DOUBLES(mask) (_mm256_movemask_pd((__m256d)(mask)) != 0)
#elif defined __x86_64__
#define VECTOR_BYTES 16
#define LARGER_FLOATS(a, b) ((float_vector)_mm_max_ps((__m128)(a), (__m128)(b)))
#define LARGER_DOUBLES(a, b) ((double_vector)_mm_max_pd((__m128d)(a), (__m128d)(b)))
#define ANY_FLOATS(mask) (_mm_movemask_ps((__m128)(mask)) != 0)
#define ANY_DOUBLES(mask) (_mm_movemask_pd((__m128d)(mask)) != 0)
#elif defined __aarch64__
#define VECTOR_BYTES 16
#define LARGER_FLOATS(a, b) ((float_vector)vmaxq_f32((float32x4_t)(a), (float32x4_t)(b)))
#define LARGER_DOUBLES(a, b) \
    ((double_vector)vmaxq_f64((float64x2_t)(a), (float64x2_t)(b)))
#define ANY_FLOATS(mask) (vmaxvq_u32((uint32x4_t)(mask)) != 0)
#define ANY_DOUBLES(mask) (vmaxvq_u32((uint32x4_t)(mask)) != 0)
#else
#error \
    "which instructions tell the larger of two vectors here, and whether any bit is set?"
#endif

enum { VECTORS = LINE_BYTES / VECTOR_BYTES }; /* of a line */

typedef float float_vector __attribute__((vector_size(VECTOR_BYTES)));
typedef double double_vector __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t float_mask __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t double_mask __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t float_bits __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t double_bits __attribute__((vector_size(VECTOR_BYTES)));

/* The same wherever they stand in memory. */
typedef float loose_floats
    __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef double loose_doubles
    __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));

/* Half a vector, to be widened. */
typedef float float_half __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef float loose_half
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(4), may_alias));

/* Element by element. */
static inline float_vector float_choose(float_mask mask, float_vector yes,
                                        float_vector no)
{
    return (float_vector)((mask & (float_mask)yes) | (~mask & (float_mask)no));
}

static inline double_vector double_choose(double_mask mask, double_vector yes,
                                          double_vector no)
{
    return (double_vector)((mask & (double_mask)yes) | (~mask & (double_mask)no));
}

/* a b + c, rounded once where there is an instruction for it, else twice: only for
 * products that are exact, of which it comes to the same. */
static inline double_vector double_fused(double_vector a, double_vector b,
                                         double_vector c)
{
#if VECTOR_BYTES == 64
    return (double_vector)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif VECTOR_BYTES == 32
    return (double_vector)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined __aarch64__
    return (double_vector)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return a * b + c;
#endif
}

/* ---- squares ---------------------------------------------------------------- */

/* A piece is 16 bytes, the least vector there is: instructions that stay within pieces
 * are cheap at every width. */
enum { PIECE_BYTES = 16 };

#if VECTOR_BYTES == 64
#define LOW_FLOATS(a, b) ((float_vector)_mm512_unpacklo_ps((__m512)(a), (__m512)(b)))
#define HIGH_FLOATS(a, b) ((float_vector)_mm512_unpackhi_ps((__m512)(a), (__m512)(b)))
#define LOW_DOUBLES(a, b) ((double_vector)_mm512_unpacklo_pd((__m512d)(a), (__m512d)(b)))
#define HIGH_DOUBLES(a, b) ((double_vector)_mm512_unpackhi_pd((__m512d)(a), (__m512d)(b)))
#elif VECTOR_BYTES == 32
#define LOW_FLOATS(a, b) ((float_vector)_mm256_unpacklo_ps((__m256)(a), (__m256)(b)))
#define HIGH_FLOATS(a, b) ((float_vector)_mm256_unpackhi_ps((__m256)(a), (__m256)(b)))
#define LOW_DOUBLES(a, b) ((double_vector)_mm256_unpacklo_pd((__m256d)(a), (__m256d)(b)))
#define HIGH_DOUBLES(a, b) ((double_vector)_mm256_unpackhi_pd((__m256d)(a), (__m256d)(b)))
#elif defined __x86_64__
#define LOW_FLOATS(a, b) ((float_vector)_mm_unpacklo_ps((__m128)(a), (__m128)(b)))
#define HIGH_FLOATS(a, b) ((float_vector)_mm_unpackhi_ps((__m128)(a), (__m128)(b)))
#define LOW_DOUBLES(a, b) ((double_vector)_mm_unpacklo_pd((__m128d)(a), (__m128d)(b)))
#define HIGH_DOUBLES(a, b) ((double_vector)_mm_unpackhi_pd((__m128d)(a), (__m128d)(b)))
#else
#define LOW_FLOATS(a, b) ((float_vector)vzip1q_f32((float32x4_t)(a), (float32x4_t)(b)))
#define HIGH_FLOATS(a, b) ((float_vector)vzip2q_f32((float32x4_t)(a), (float32x4_t)(b)))
#define LOW_DOUBLES(a, b) ((double_vector)vzip1q_f64((float64x2_t)(a), (float64x2_t)(b)))
#define HIGH_DOUBLES(a, b) ((double_vector)vzip2q_f64((float64x2_t)(a), (float64x2_t)(b)))
#endif

/* A vector of pieces that stand `stride` bytes apart. */
static inline float_vector pieces(const void *from, size_t stride)
{
    const char *at = from;

#if VECTOR_BYTES == 64
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps((const void *)at));
    v = _mm512_insertf32x4(v, _mm_loadu_ps((const void *)(at + stride)), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps((const void *)(at + 2 * stride)), 2);
    return (float_vector)_mm512_insertf32x4(
        v, _mm_loadu_ps((const void *)(at + 3 * stride)), 3);
#elif VECTOR_BYTES == 32
    __m256 v = _mm256_castps128_ps256(_mm_loadu_ps((const void *)at));
    return (float_vector)_mm256_insertf128_ps(
        v, _mm_loadu_ps((const void *)(at + stride)), 1);
#else
    (void)stride;
    return (float_vector) * (const loose_floats *)(const void *)at;
#endif
}

/* Within each piece the square of its elements in 4 (2) vectors is transposed. */
static inline void float_transpose(float_vector square[4])
{
    double_vector a = (double_vector)LOW_FLOATS(square[0], square[1]);
    double_vector b = (double_vector)LOW_FLOATS(square[2], square[3]);
    double_vector c = (double_vector)HIGH_FLOATS(square[0], square[1]);
    double_vector d = (double_vector)HIGH_FLOATS(square[2], square[3]);

    square[0] = (float_vector)LOW_DOUBLES(a, b);
    square[1] = (float_vector)HIGH_DOUBLES(a, b);
    square[2] = (float_vector)LOW_DOUBLES(c, d);
    square[3] = (float_vector)HIGH_DOUBLES(c, d);
}

static inline void double_transpose(double_vector square[2])
{
    double_vector a = square[0], b = square[1];

    square[0] = LOW_DOUBLES(a, b);
    square[1] = HIGH_DOUBLES(a, b);
}

#endif
