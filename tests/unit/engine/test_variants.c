/* What the benchmark measures can be scored: its rows are made of the tables, and a new
 * row of those is nobody's to try before the next measurement. */
#include "../../bench/engine/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Who cannot be prepared ends the program. */
static void variants__can_all_be_scored(void **state)
{
    static struct variants variants;
    struct scene scene;

    (void)state;
    scene_init(&scene, DTYPE_FLOAT32, 16, 10);
    list_variants(&variants);
    assert_in_range(variants.count, loss_count + 1, VARIANTS_MAX);
    for (size_t v = 0; v < variants.count; v++)
        for (size_t i = 0; i < 2; i++) {
            struct scored *scored = &variants.at[v].scored[i];
            scene_prepare(&scene, &variants.at[v].work[i], 1, scored);
            score(&scored->batch, &scored->result, NULL);
            assert_int_equal(scored->result.count, 16);
        }
    scene_release(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variants__can_all_be_scored),
    };
    return cmocka_run_group_tests_name("variants", tests, NULL, NULL);
}
