#!/bin/sh
# Holds everything that scores to the same bits, from the repository root:
#     tests/bits/run.sh BUILD_FOLDER
# `bits` scores batches drawn at random and prints a hash for each group of results.
# It runs with every kernel of this machine, built once more by clang, and built for
# arm64 under qemu; what they print must be what the baseline prints.  And the engine
# must not call what C libraries compute each in their own way.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=$1
lines=$out/tests/bits
passed=0 failed=0 skipped=0

pass() {
    passed=$((passed + 1))
    printf 'ok       %s\n' "$*"
}

fail() {
    failed=$((failed + 1))
    printf 'FAILED   %s\n' "$*"
}

skip() {
    skipped=$((skipped + 1))
    printf 'skipped: %s\n' "$*"
}

# What two runs print, side by side: says which groups differ, and fails if any does.
compare() {
    awk '{ group = $1 " " $2 " " $3 " " $4 }
        FNR == NR { wanted[group] = $5; groups++; next }
        { if (wanted[group] != $5 && differ++ < 12) print "         " group " differs"
          found++ }
        END {
            if (differ > 12) print "         and " differ - 12 " more"
            if (found != groups) print "         " found " groups instead of " groups
            exit differ > 0 || found != groups || groups == 0
        }' "$1" "$2"
}

# try NAME COMMAND...: its lines are those of the baseline.
try() {
    name=$1
    shift
    if ! timeout 120 "$@" >"$lines/$name.txt"; then
        fail "$name: exit status $?"
    elif compare "$lines/baseline.txt" "$lines/$name.txt"; then
        pass "$name: $(wc -l <"$lines/$name.txt") groups"
    else
        fail "$name: not the bits of the baseline"
    fi
}

# build VARIANT COMPILER: the same program, in build/VARIANT.
build() {
    mkdir -p "build/$1"
    make --no-print-directory -j "$(nproc)" VARIANT="$1" CC="$2" BUILD_CC="${CC:-gcc}" \
        "build/$1/tests/bits/bits" >"build/$1/bits.log" 2>&1 ||
        {
            tail -n 20 "build/$1/bits.log"
            fail "$1: does not build"
            return 1
        }
}

# exp and log and their like: what a C library exports for numbers but for the few
# functions whose result IEEE 754 decides.
exact='^(sqrt|fabs|floor|ceil|trunc|round|rint|nearbyint|fmax|fmin|copysign|ldexp|scalbn|frexp|modf|fma)f?$'
no_libm() {
    libm=$(${CC:-gcc} -print-file-name=libm.so.6)
    [ -e "$libm" ] || {
        skip "calls of libm: there is no $libm to list them"
        return
    }
    nm -D --defined-only "$libm" | sed 's/.* //; s/@.*//' |
        grep -Ev "$exact" | sort -u >"$lines/libm.txt"
    called=$(find "$out/obj/src/engine" "$out/obj/src/base" -name '*.o' -exec nm -u {} + |
        sed -n 's/^ *U //p' | sort -u | comm -12 - "$lines/libm.txt")
    if [ -s "$lines/libm.txt" ] && [ -z "$called" ]; then
        pass "no inexact call of the C library in src/engine and src/base"
    else
        fail "called in src/engine or src/base:" "$called"
    fi
}

if ! LOSSD_KERNEL=baseline timeout 120 "$lines/bits" >"$lines/baseline.txt"; then
    fail "baseline: does not run"
fi
kernels=$("$lines/bits" --kernels)
no_libm
for kernel in $kernels; do
    [ "$kernel" = baseline ] || LOSSD_KERNEL=$kernel try "$kernel" "$lines/bits"
done

if ! command -v clang >/dev/null; then
    skip "clang is not installed"
elif build clang clang; then
    for kernel in $kernels; do
        LOSSD_KERNEL=$kernel try "clang-$kernel" build/clang/tests/bits/bits
    done
fi

arm=/usr/aarch64-linux-gnu
if ! command -v aarch64-linux-gnu-gcc >/dev/null || [ ! -e $arm/include/stdio.h ] ||
    ! command -v qemu-aarch64 >/dev/null; then
    skip "arm64: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross or qemu-user is not installed"
elif build arm64 aarch64-linux-gnu-gcc; then
    # by far the longest: half of it beside the other
    # shellcheck disable=SC2016 # expands in that shell
    try arm64 sh -c '"$@" float32 >"$0" & "$@" float64 && wait $! && cat "$0"' \
        "$lines/arm64.half" qemu-aarch64 -L $arm build/arm64/tests/bits/bits
fi

if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
