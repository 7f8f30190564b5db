#!/bin/sh
# Measures engine, codec and service, and the service under strain, from the repository
# root:
#     tests/bench/run.sh BUILD_FOLDER
# BENCH=engine, codec, service or strain measures only that one.  Everything is printed as
# ratios between contenders of the same run; single times of one machine say little.
# Takes eight to ten minutes, and wants a machine that does nothing else.
set -eu
cd "$(dirname "$0")/../.." || exit 1
out=${1:-build}
chosen=${BENCH:-engine codec service strain}
export LOSSD="${LOSSD:-$out/lossd}"

# Debian's packages of NumPy and its like belong to the system's own Python.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

# What the program was compiled with, from what the compiler left in it.
built_with() {
    readelf --debug-dump=info "$1" 2>/dev/null |
        sed -n '/DW_AT_producer/{s/.*: \(GNU C[0-9].*\|.*clang.*\)/\1/p;}' | head -n 1
}

machine() {
    echo "machine   $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
        "$(nproc) cores, $(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo)," \
        "$(uname -sr), load $(cut -d ' ' -f 1 /proc/loadavg)"
    echo "built by  $(${CC:-gcc} --version | head -n 1)"
    echo "with      $(built_with "$out/tests/bench/engine/bench_engine")"
}

for name in $chosen; do
    case $name in
    engine | codec | service | strain) ;;
    *)
        echo "BENCH is $name; engine, codec, service or strain is wanted" >&2
        exit 2
        ;;
    esac
done

machine
started=$(date +%s)
for name in $chosen; do
    printf '\n=== %s\n' "$name"
    timeout 600 "$out/tests/bench/$name/bench_$name"
    if [ "$name" = codec ]; then
        echo
        timeout 120 "$out/tests/bench/codec/bench_records"
    fi
    if [ "$name" = engine ]; then
        echo
        timeout 120 "$out/tests/bench/engine/bench_matmul"
        if command -v "$python" >/dev/null; then
            timeout 120 "$python" tests/bench/engine/peers.py "$out/tests/bench/engine/bench_engine"
        else
            echo "skipped: NumPy, SciPy and PyTorch: there is no python3"
        fi
    fi
done
printf '\n%d s, load at the end %s\n' "$(($(date +%s) - started))" "$(cut -d ' ' -f 1 /proc/loadavg)"
