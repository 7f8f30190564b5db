/* The one dialect of vectors: those of the instruction set that is compiled for,
 * in GNU C, which writes a + b for two of them.
 *
 * A line is 64 bytes, whatever the vectors: one, two or four of them.  Sums run
 * over the elements of lines, so that the order of additions is the same for
 * vectors of any width. */
#ifndef LOSSD_ENGINE_VECTORS_H
#define LOSSD_ENGINE_VECTORS_H

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

/* The same wherever they stand in memory. */
typedef float loose_floats
    __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef double loose_doubles
    __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));

/* A square of vectors is transposed in steps of s = 1, 2, 4, ...: vectors i and i + s
 * exchange what stands off the diagonal.  Element j of what becomes of the first
 * (FIRST) and of the second, by index into both; PICK_n is for vectors of n. */
#define FIRST(j, s, n) (((j) & (s)) ? (j) - (s) + (n) : (j))
#define SECOND(j, s, n) (((j) & (s)) ? (j) + (n) : (j) + (s))
#define PICK_2(a, b, of, s) __builtin_shufflevector(a, b, of(0, s, 2), of(1, s, 2))
#define PICK_4(a, b, of, s) \
    __builtin_shufflevector(a, b, of(0, s, 4), of(1, s, 4), of(2, s, 4), of(3, s, 4))
#define PICK_8(a, b, of, s)                                                           \
    __builtin_shufflevector(a, b, of(0, s, 8), of(1, s, 8), of(2, s, 8), of(3, s, 8), \
                            of(4, s, 8), of(5, s, 8), of(6, s, 8), of(7, s, 8))
#define PICK_16(a, b, of, s)                                                            \
    __builtin_shufflevector(a, b, of(0, s, 16), of(1, s, 16), of(2, s, 16),             \
                            of(3, s, 16), of(4, s, 16), of(5, s, 16), of(6, s, 16),     \
                            of(7, s, 16), of(8, s, 16), of(9, s, 16), of(10, s, 16),    \
                            of(11, s, 16), of(12, s, 16), of(13, s, 16), of(14, s, 16), \
                            of(15, s, 16))

#define EXCHANGE(square, n, pick, s)                                        \
    for (size_t i = 0; i < (n); i++)                                        \
        if (!(i & (s))) {                                                   \
            __typeof__((square)[0]) a = (square)[i], b = (square)[i + (s)]; \
            (square)[i] = pick(a, b, FIRST, s);                             \
            (square)[i + (s)] = pick(a, b, SECOND, s);                      \
        }

#define TRANSPOSE_2(square) EXCHANGE(square, 2, PICK_2, 1)
#define TRANSPOSE_4(square)         \
    EXCHANGE(square, 4, PICK_4, 1); \
    EXCHANGE(square, 4, PICK_4, 2)
#define TRANSPOSE_8(square)         \
    EXCHANGE(square, 8, PICK_8, 1); \
    EXCHANGE(square, 8, PICK_8, 2); \
    EXCHANGE(square, 8, PICK_8, 4)
#define TRANSPOSE_16(square)          \
    EXCHANGE(square, 16, PICK_16, 1); \
    EXCHANGE(square, 16, PICK_16, 2); \
    EXCHANGE(square, 16, PICK_16, 4); \
    EXCHANGE(square, 16, PICK_16, 8)

#if VECTOR_BYTES == 64
#define TRANSPOSE_FLOATS TRANSPOSE_16
#define TRANSPOSE_DOUBLES TRANSPOSE_8
#elif VECTOR_BYTES == 32
#define TRANSPOSE_FLOATS TRANSPOSE_8
#define TRANSPOSE_DOUBLES TRANSPOSE_4
#else
#define TRANSPOSE_FLOATS TRANSPOSE_4
#define TRANSPOSE_DOUBLES TRANSPOSE_2
#endif

#endif
