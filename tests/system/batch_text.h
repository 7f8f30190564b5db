/* Batches of any size, as text. */
#ifndef LOSSD_TESTS_BATCH_TEXT_H
#define LOSSD_TESTS_BATCH_TEXT_H

#include <stddef.h>

/* A request of `rows` rows of 10 logits, without labels; about 21 bytes a row.  To
 * be freed. */
char *batch_text(size_t rows);

/* A linear model that takes long to compute, a million multiplications a row, and has
 * little to say; to be freed. */
char *batch_text_hard(size_t rows);

#endif
