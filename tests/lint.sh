#!/bin/sh
# clang-format, shellcheck, cppcheck and clang-tidy over everything they read.
set -eu
cd "$(dirname "$0")/.."

echo "lint: clang-format"
find include src tests '(' -name '*.[ch]' -o -name '*.inc' ')' -exec clang-format --dry-run --Werror {} +
echo "lint: shellcheck"
find deploy src tests .ci/run -name '*.sh' -exec shellcheck {} +
shellcheck .ci/run
echo "lint: cppcheck"
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
    --inline-suppr --suppressions-list=tests/cppcheck.supp -D_GNU_SOURCE -D__GNUC__ \
    -DKERNEL=baseline -Iinclude -Isrc -Ibuild/gen -j "$(nproc)" src
echo "lint: clang-tidy"
find src -name '*.c' -print0 |
    xargs -0 -P "$(nproc)" -I FILE clang-tidy --quiet '--warnings-as-errors=*' FILE -- \
        -std=gnu11 -D_GNU_SOURCE -DKERNEL=baseline -Iinclude -Isrc -Ibuild/gen
echo "lint: clean"
