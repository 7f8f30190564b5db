#!/bin/sh
# Everything that must hold: the build without warnings, headers, layers, linters,
# all tests, the same bits everywhere, and the tests again under the sanitizers.  Ends
# with one line that counts the tests of all runs.
set -u
cd "$(dirname "$0")/.." || exit 1
log=build/check
mkdir -p "$log"
failed=0

step() {
    name=$1
    shift
    start=$(date +%s)
    if "$@" >"$log/$name.log" 2>&1; then verdict=ok; else
        verdict=FAILED
        failed=$((failed + 1))
    fi
    printf '%-8s %4ds  %s\n' "$verdict" "$(($(date +%s) - start))" "$name"
    if [ "$verdict" = FAILED ]; then tail -n 80 "$log/$name.log"; fi
}

# Where make installs the compiler itself, it knows none when it reads the Makefile.
without_compiler() {
    make -pn CC=no-such-compiler build/lossd | grep '^KERNELS := ' >"$log/kernels"
    make -pn build/lossd | grep '^KERNELS := ' | cmp - "$log/kernels"
}

jobs=$(nproc)
step compiler without_compiler
step build make -j "$jobs" all tests benches storms
step headers make headers
step layers make layers
step lint make lint
step test make test
step bits make bits
# whatever it measures here: that it runs, which nobody sees in between
step strain build/tests/bench/strain/bench_strain build/lossd 64x100
step asan make -j "$jobs" VARIANT=asan all tests
step asan-test make asan
step tsan make -j "$jobs" VARIANT=tsan all tests
step tsan-test make tsan

# the closing lines of the four runs, added up
grep -hE '^[0-9]+ passed, [0-9]+ failed' "$log"/test.log "$log"/bits.log "$log"/asan-test.log \
    "$log"/tsan-test.log |
    awk -v steps="$failed" '{ p += $1; f += $3; s += $5 }
        END { if (f == 0 && steps > 0) f = steps
              printf "%d passed, %d failed", p, f
              if (s > 0) printf ", %d skipped", s
              print ""
              exit f > 0 || p == 0 }'
