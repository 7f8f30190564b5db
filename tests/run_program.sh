#!/bin/sh
# Runs one test program for run.sh, from the repository root:
#     tests/run_program.sh BUILD_FOLDER PROGRAM
# Leaves how many tests passed, failed and were skipped in PROGRAM.counts.
set -u
out=$1 program=$2
log=$program.log

# The sum of the numbers before "test(s)" in cmocka's lines of one kind.
count() { sed -n "s/^\[ *$1 *\] \([0-9]*\) test(s).*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }

# In one piece, for another program may print at the same time.
report() {
    printf '%-8s %5d passed  %s\n' "$([ "$bad" -eq 0 ] && echo ok || echo FAILED)" "$ok" "${program#"$out"/}"
    grep -h '^skipped: ' "$log"
    [ "$bad" -eq 0 ] && return
    echo "--- $log (exit status $status)"
    tail -n 60 "$log"
    echo "---"
}

timeout "${TEST_TIMEOUT:-300}" "$program" >"$log" 2>&1
status=$?
ok=$(count PASSED) bad=$(count FAILED) none=$(count SKIPPED)
# a program that ended without its closing line has failed, whatever it counted
if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
echo "$ok $bad $none" >"$program.counts"
printf '%s\n' "$(report)"
