#include "lossd/engine/loss.h"

#define LOSS(name) extern const struct loss loss_##name;
#include "engine/losses.def"
#undef LOSS

const struct loss *const loss_table[] = {
#define LOSS(name) &loss_##name,
#include "engine/losses.def"
#undef LOSS
};

const size_t loss_count = sizeof loss_table / sizeof *loss_table;

const char *const loss_names[] = {
#define LOSS(name) #name,
#include "engine/losses.def"
#undef LOSS
    NULL};
