#!/bin/sh
# Runs test programs, from the repository root, one after the other:
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
limit=${TEST_TIMEOUT:-300}

# a locale with a decimal comma, for the tests that numbers do not care
if [ ! -d build/locale/de_DE.UTF-8 ] && [ -e /usr/share/i18n/locales/de_DE ]; then
    mkdir -p build/locale
    localedef -i de_DE -f UTF-8 build/locale/de_DE.UTF-8 >/dev/null 2>&1
fi
passed=0 failed=0 skipped=0

# The sum of the numbers before "test(s)" in cmocka's lines of one kind.
count() { sed -n "s/^\[ *$1 *\] \([0-9]*\) test(s).*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

for program; do
    log=$program.log
    timeout "$limit" "$program" >"$log" 2>&1
    status=$?
    ok=$(count PASSED "$log") bad=$(count FAILED "$log") none=$(count SKIPPED "$log")
    # a program that ended without its closing line has failed, whatever it counted
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + none))
    printf '%-8s %5d passed  %s\n' "$([ "$bad" -eq 0 ] && echo ok || echo FAILED)" "$ok" "${program#"$out"/}"
    grep -h '^skipped: ' "$log"
    if [ "$bad" -ne 0 ]; then
        echo "--- $log (exit status $status)"
        tail -n 60 "$log"
        echo "---"
    fi
done
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
