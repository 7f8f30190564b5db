#!/bin/sh
# Runs an image of lossd the way a careful operator does, and checks what is promised
# of it:
#
#     deploy/image-checks.sh IMAGE
#
# The containers run in a network namespace of their own that has nothing but a
# loopback, so no port can clash.  Needs podman and root.  Prints a line a check.
set -eu
image=${1:?usage: deploy/image-checks.sh IMAGE}
name=lossd-check-$$
here=http://127.0.0.1
work=$(mktemp -d)
passed=0 failed=0

cleanup() {
    podman rm -f -t 1 "$name" >/dev/null 2>&1 || true
    ip netns del "$name" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# check WHAT COMMAND...: the command succeeds
check() {
    what=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok     $what"
    else
        failed=$((failed + 1))
        echo "FAILED $what"
        sed 's/^/       | /' "$work/said" | tail -n 5
    fi
}

not() { ! "$@"; }

# `ip netns exec` would hide the control groups; nsenter changes the network only.
inside() { nsenter --net="/run/netns/$name" "$@"; }

start() {
    inside podman run --detach --name "$name" --read-only --read-only-tmpfs=false \
        --cap-drop=ALL --security-opt no-new-privileges --user 65532:65532 \
        --memory 64m --memory-swap 64m --pids-limit 64 --cpus 1 "$@" "$image" \
        >"$work/started" 2>&1 || cat "$work/started"
}

get() { inside curl -fsS -m 3 "$here:${port:-8080}$1"; }

ready() {
    for _ in $(seq 50); do
        get /readyz >/dev/null 2>&1 && return
        sleep 0.1
    done
    get /readyz
}

about() { podman inspect --format "$1" "$name"; }
of_image() { podman image inspect --format "$1" "$image"; }
is() { [ "$1" = "$2" ] || { echo "\"$1\", wanted \"$2\"" && false; }; }
at_least() { [ "$1" -ge "$2" ] || { echo "$1, wanted $2 or more" && false; }; }
below() { [ "$1" -lt "$2" ] || { echo "$1, wanted less than $2" && false; }; }
in_status() { grep -E "$1" "/proc/$pid/status"; }
label() { of_image "{{index .Labels \"org.opencontainers.image.$1\"}}"; }

has_health_check() { of_image '{{json .HealthCheck}}' | grep -F '["CMD","lossctl","health"]'; }

labels() {
    for name_of in title description version revision created licenses; do
        [ -n "$(label "$name_of")" ] || { echo "no $name_of" && return 1; }
    done
}

# limit CONTROLLER FILE_V1 VALUE_V1 FILE_V2 VALUE_V2
limit() {
    group=$(awk -F: -v c="$1" '$2 == c || $2 ~ "(^|,)" c "(,|$)" { print $3 }' "/proc/$pid/cgroup")
    if [ -n "$group" ]; then
        is "$(cat "/sys/fs/cgroup/$1$group/$2")" "$3"
    else
        group=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
        is "$(cat "/sys/fs/cgroup$group/$4")" "$5"
    fi
}

# The first example of the API.
example() {
    inside curl -fsS -m 3 "$here:8080/v1/loss" \
        -d '{"logits":[[2,1,0.1],[0.5,2.5,0.3]],"labels":[0,1]}' | tee "$work/answer"
    grep -E '^\{"loss":0\.31853976964918[0-9]*,"probabilities":\[\[0\.659001138885967' "$work/answer" &&
        grep '"divisor":2,"count":2,"ignored":0}$' "$work/answer"
}

# post FILE: the status of the answer
post() { inside curl -sS -m 20 -o "$work/reply" -w '%{http_code}' --data-binary "@$1" "$here:8080/v1/loss"; }

# batch ROWS FILE: 10 classes a row
batch() {
    awk -v n="$1" 'BEGIN {
        printf "{\"return\":[\"loss\"],\"logits\":["
        for (i = 0; i < n; i++) printf "%s[0.5,-1.25,2.125,0,3.75,-0.0625,1.5,0.875,-2,4]", i ? "," : ""
        printf "],\"labels\":["
        for (i = 0; i < n; i++) printf "%s%d", i ? "," : "", i % 10
        printf "]}"
    }' >"$2"
}

refused_and_alive() {
    batch 1200000 "$work/large"
    status=$(post "$work/large")
    case $status in
    413 | 503) grep -E '"code":"(too_large|overloaded)"' "$work/reply" ;;
    *) echo "status $status" && return 1 ;;
    esac
    get /readyz && is "$(about '{{.RestartCount}} {{.State.Running}} {{.State.OOMKilled}}')" "0 true false"
}

answered() {
    batch 20000 "$work/medium"
    is "$(post "$work/medium")" 200
}

stops() {
    began=$(date +%s)
    podman stop -t 10 "$name"
    below $(($(date +%s) - began)) 8 && is "$(about '{{.State.ExitCode}}')" 0
}

says_version() { inside podman run --rm "$image" --version | grep -F "lossd $(label version) "; }
client_alone() { inside podman run --rm --entrypoint lossctl "$image" health; }
logs() { podman logs "$name" 2>&1 | grep -E "$1"; }

unwritable() {
    for file; do
        if touch "/proc/$pid/root$file"; then
            echo "wrote $file" && return 1
        fi
    done
}

ip netns add "$name"
ip -n "$name" link set lo up

check "the image is below 100 MB" below "$(of_image '{{.Size}}')" 100000000
check "its user is a number and not root" is "$(of_image '{{.User}}')" 65532:65532
check "it has a health check" has_health_check
check "it has labels" labels
check "its version is the program's" says_version
check "the health check fails where no server is" not client_alone

start
check "it gets ready" ready
pid=$(about '{{.State.Pid}}')
check "it answers the API's example" example
check "it answers 20000 rows of 10 classes" answered
check "it refuses what its memory cannot hold, and lives" refused_and_alive
check "its health check passes" inside podman healthcheck run "$name"
check "it logs JSON" logs '^\{.*/v1/loss.*\}$'
check "it runs as 65532" in_status '^Uid:[[:space:]]65532[[:space:]]65532'
check "it has no capability and can gain none" in_status '^CapBnd:[[:space:]]0000000000000000'
check "it cannot gain privileges" in_status '^NoNewPrivs:[[:space:]]1'
check "system calls are filtered" in_status '^Seccomp:[[:space:]]2'
check "its memory is limited" limit memory memory.limit_in_bytes 67108864 memory.max 67108864
check "its processes are limited" limit pids pids.max 64 pids.max 64
check "its processor time is limited" limit cpu cpu.cfs_quota_us 100000 cpu.max "100000 100000"
check "its file system is read-only" unwritable /written /tmp/written /run/written
check "SIGTERM ends it well, before SIGKILL would" stops
podman rm -f "$name" >/dev/null 2>&1

start --restart=always
check "it gets ready under a restart policy" ready
kill -9 "$(about '{{.State.Pid}}')"
sleep 0.3
check "it is back after kill -9" ready
check "the restart was counted" at_least "$(about '{{.RestartCount}}')" 1
podman rm -f -t 1 "$name" >/dev/null 2>&1

port=9090
start -e PORT=9090
check "it listens where PORT says" ready
check "the health check follows PORT" inside podman healthcheck run "$name"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
