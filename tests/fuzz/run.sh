#!/bin/sh
# Runs each fuzz target with clang's libFuzzer, from the repository root:
#     tests/fuzz/run.sh BUILD_FOLDER SECONDS
# New inputs stay in BUILD_FOLDER/new; what breaks a target is left as
# BUILD_FOLDER/crash-*, and the target's test replays it by that name.
set -eu
cd "$(dirname "$0")/../.."
out=$1 seconds=$2
flags='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'
mkdir -p "$out"
make --no-print-directory VARIANT=fuzz CC=clang \
    CFLAGS="$flags -fsanitize=fuzzer-no-link -U_FORTIFY_SOURCE -Wno-error" build/fuzz/liblossd.a
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    mkdir -p "$out/new/$name"
    # shellcheck disable=SC2086 # several flags
    clang -std=gnu11 -D_GNU_SOURCE $flags -fsanitize=fuzzer -Iinclude -Isrc \
        -o "$out/$name" "$source" \
        build/fuzz/liblossd.a -lcjson -lpthread -lm
    "$out/$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$out/" \
        "$out/new/$name" "tests/fuzz/corpus/${name#fuzz_}"
done
