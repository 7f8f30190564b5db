#!/bin/sh
# Runs test programs, from the repository root, one more at a time than there are cores,
# for most of them wait now and then:
#     tests/run.sh BUILD_FOLDER PROGRAM...
# Each program's output goes to PROGRAM.log and is shown when something failed.
# Ends with one line that counts the tests of all of them.
set -u
cd "$(dirname "$0")/.." || exit 1
out=$1
shift
export LOSSD="${LOSSD:-$out/lossd}" LOSSCTL="${LOSSCTL:-$out/lossctl}"
export ASAN_OPTIONS="${ASAN_OPTIONS:-abort_on_error=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-suppressions=tests/tsan.supp halt_on_error=1}"

# a locale with a decimal comma, for the tests that numbers do not care
if [ ! -d build/locale/de_DE.UTF-8 ] && [ -e /usr/share/i18n/locales/de_DE ]; then
    mkdir -p build/locale
    localedef -i de_DE -f UTF-8 build/locale/de_DE.UTF-8 >/dev/null 2>&1
fi

for program; do rm -f "$program.counts"; done
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(($(nproc) + 1))" tests/run_program.sh "$out"

# a program without counts has never run
for program; do cat "$program.counts" || echo "0 1 0"; done |
    awk '{ passed += $1; failed += $2; skipped += $3 }
        END { printf "%d passed, %d failed", passed, failed
              if (skipped > 0) printf ", %d skipped", skipped
              print ""
              exit failed > 0 || passed == 0 }'
