/* api/describe.c: what it says of the losses is what the engine holds requests to. */
#include "api/route.h"
#include "lossd/engine/loss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static void put(char *out, size_t size, const char *text)
{
    size_t len = strlen(out);

    snprintf(out + len, size - len, "%s", text);
}

static void put_end(char *out, size_t size, const cJSON *option, const char *end)
{
    const cJSON *value = cJSON_GetObjectItem(option, end);
    char text[40];

    if (!value)
        return;
    snprintf(text, sizeof text, " %s %g", end, value->valuedouble);
    put(out, size, text);
}

/* "p lowest 1 highest 2, axis, " */
static void put_options(char *out, size_t size, const cJSON *loss)
{
    const cJSON *option = NULL;

    out[0] = '\0';
    cJSON_ArrayForEach(option, cJSON_GetObjectItem(loss, "options"))
    {
        put(out, size, cJSON_GetObjectItem(option, "name")->valuestring);
        put_end(out, size, option, "above");
        put_end(out, size, option, "lowest");
        put_end(out, size, option, "highest");
        put(out, size, ", ");
        assert_non_null(cJSON_GetObjectItem(option, "type"));
        assert_non_null(cJSON_GetObjectItem(option, "default"));
    }
}

static cJSON *described_losses(void)
{
    static char text[65536];
    struct api api = {.draining = false};
    struct err err = {.kind = ERR_NONE};
    struct buf buf;

    buf_over(&buf, text, sizeof text);
    struct json json = json_into(&buf, false);
    assert_true(describe_losses(&api, &json, &err));
    assert_true(buf_ok(&buf));
    return cJSON_ParseWithLength(text, buf.len);
}

static void describe_losses__tells_the_options_of_each_with_their_ranges(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "reduction, class_weights lowest 0, sample_weights lowest 0, ignore_index, "
        "label_smoothing lowest 0 highest 1, temperature above 0, softcap above 0, "
        "z_loss lowest 0, focal_gamma lowest 0, poly_epsilon, l2 lowest 0, divisor above "
        "0, ",
        "reduction, class_weights lowest 0, sample_weights lowest 0, ignore_index, l2 "
        "lowest 0, divisor above 0, ",
        "reduction, sample_weights lowest 0, temperature above 0, softcap above 0, l2 "
        "lowest 0, pos_weight lowest 0, divisor above 0, ",
        "reduction, class_weights lowest 0, sample_weights lowest 0, ignore_index, "
        "temperature above 0, softcap above 0, l2 lowest 0, margin lowest 0, p lowest 1 "
        "highest 2, divisor above 0, ",
        "reduction, sample_weights lowest 0, temperature above 0, softcap above 0, l2 "
        "lowest 0, divisor above 0, "};
    cJSON *document = described_losses();
    const cJSON *losses = cJSON_GetObjectItem(document, "losses");
    char found[1024];

    assert_int_equal(cJSON_GetArraySize(losses), loss_count);
    for (size_t i = 0; i < loss_count; i++) {
        put_options(found, sizeof found, cJSON_GetArrayItem(losses, (int)i));
        assert_string_equal(found, wanted[i]);
    }
    cJSON_Delete(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describe_losses__tells_the_options_of_each_with_their_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
