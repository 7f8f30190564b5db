#!/bin/sh
# Runs each fuzz target, or those named, from the repository root:
#     tests/fuzz/run.sh BUILD_FOLDER SECONDS libfuzzer|afl [NAME...]
# New inputs stay in BUILD_FOLDER/new; those that reach more than the corpus does come
# into it with:
#     BUILD_FOLDER/fuzz_NAME -merge=1 tests/fuzz/corpus/NAME BUILD_FOLDER/new/fuzz_NAME
# What breaks a target is left in BUILD_FOLDER as crash-*, and the target's test
# replays it by that name.
set -eu
cd "$(dirname "$0")/../.."
out=$1 seconds=$2 fuzzer=$3
shift 3
sanitizers='-fsanitize=address,undefined -fno-sanitize-recover=all'
mkdir -p "$out"

# build VARIANT COMPILER LIBRARY_FLAGS: the library and all targets, in BUILD_FOLDER
build() {
    flags="-O1 -g $sanitizers"
    make --no-print-directory VARIANT="$1" CC="$2" \
        CFLAGS="$flags $3 -U_FORTIFY_SOURCE -Wno-error" "build/$1/liblossd.a"
    # the targets themselves are no part of what is explored
    for source in tests/fuzz/fuzz_*.c; do
        # shellcheck disable=SC2086 # several flags
        "$2" -std=gnu11 -D_GNU_SOURCE $flags -Iinclude -Isrc -c -o "$out/target.o" "$source"
        # shellcheck disable=SC2086
        "$2" $flags -fsanitize=fuzzer -o "$out/$(basename "$source" .c)" "$out/target.o" \
            "build/$1/liblossd.a" -lmicrohttpd -lcjson -lz -lpthread -lm
    done
}

# run_libfuzzer NAME CORPUS
run_libfuzzer() {
    mkdir -p "$out/new/$1"
    # memory that is free comes back sooner, and is still in the cache
    ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=8 \
        "$out/$1" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$out/" "$out/new/$1" "$2"
}

# run_afl NAME CORPUS
run_afl() {
    found=$out/found/$1
    rm -rf "$found" && mkdir -p "$out/found"
    AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        afl-fuzz -i "$2" -o "$found" -V "$seconds" -t 1000 -m none "$out/$1" \
        > "$out/$1.log" 2>&1 || { tail -n 20 "$out/$1.log"; exit 1; }
    grep -E '^(execs_done|execs_per_sec|corpus_count|saved_crashes|saved_hangs)' \
        "$found/default/fuzzer_stats" | sed "s/^/$1: /"
    for crash in "$found"/default/crashes/id*; do
        [ ! -e "$crash" ] || { cp "$crash" "$out/crash-$1"; exit 1; }
    done
}

case $fuzzer in
libfuzzer)
    # no way through the log is of interest, and every request takes many; nor is which
    # name is the nearest to a wrong one, whose comparisons take longer than all else
    printf 'src:*/%s\n' 'obs/*' base/json_write.c base/buf.c base/nearest_name.c \
        > "$out/ignored"
    build fuzz clang \
        "-fsanitize=fuzzer-no-link -fsanitize-coverage-ignorelist=$out/ignored"
    ;;
afl) build afl afl-clang-fast '' ;;
*) echo "the fuzzer is $fuzzer; libfuzzer or afl is wanted" >&2; exit 2 ;;
esac
[ $# -gt 0 ] || for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    set -- "$@" "${name#fuzz_}"
done
for name; do
    "run_$fuzzer" "fuzz_$name" "tests/fuzz/corpus/$name"
done
