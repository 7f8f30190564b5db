/* The corpus of fuzz_json.c, replayed. */
#include "fuzz_json.c"

#include "replay.h" /* last: cmocka has a macro called fail */

static void fuzz_json__finds_nothing_in_its_corpus(void **state)
{
    (void)state;
    assert_true(replay_folder("tests/fuzz/corpus/json", LLVMFuzzerTestOneInput) > 20);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fuzz_json__finds_nothing_in_its_corpus),
    };
    for (int i = 1; i < argc; i++)
        replay_file(argv[i], LLVMFuzzerTestOneInput);
    return argc > 1 ? 0 : cmocka_run_group_tests_name("fuzz_json", tests, NULL, NULL);
}
