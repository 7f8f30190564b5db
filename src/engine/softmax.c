#include "engine/softmax.h"

#include "engine/kernel.h"

double row_probability(const struct row *row, size_t class)
{
    return row->exps[class] * row_factor(row);
}

double row_complement(const struct row *row, size_t class)
{
    return class == row->top ? row->rest / row->sum : 1 - row_probability(row, class);
}
