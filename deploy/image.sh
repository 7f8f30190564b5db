#!/bin/sh
# Builds the container image and looks at it from outside.
#
#     deploy/image.sh build     the image lossd:VERSION
#     deploy/image.sh test      the unit tests in the build's system, the image, and
#                               the image run read-only, without capabilities, with
#                               64 MB and one core
#
# ENGINE      podman or docker (build only; the test needs podman, root and `ip`)
# BASE_IMAGE  what to build on.  Default: debian:bookworm-slim, or where that cannot be
#             had, deploy/base-image.sh's
# Where the test cannot run it says why and ends well.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^VERSION *:= *//p' Makefile)
revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
image=lossd:$version
offline_base=localhost/lossd-base:bookworm
log=build/image
mkdir -p "$log"

if [ ! -d /run/systemd/system ] && [ -z "${CONTAINERS_CONF:-}" ]; then
    export CONTAINERS_CONF="$PWD/deploy/podman/containers.conf"
fi

engine_find() {
    for engine in ${ENGINE:-podman docker}; do
        command -v "$engine" >/dev/null 2>&1 && return
    done
    echo "neither podman nor docker is here" >&2
    return 1
}

base_find() {
    base=${BASE_IMAGE:-debian:bookworm-slim}
    [ -z "${BASE_IMAGE:-}" ] || return 0
    "$engine" image inspect "$base" >/dev/null 2>&1 && return
    [ "$engine" = podman ] || return 0 # docker fetches by itself
    podman image exists "$offline_base" && base=$offline_base && return
    timeout 120 podman pull --quiet "$base" >"$log/pull.log" 2>&1 && return
    base=$offline_base
    echo "debian:bookworm-slim cannot be fetched; making $base from Debian's packages"
    deploy/base-image.sh "$base" >"$log/base.log" 2>&1 || {
        cat "$log/base.log" >&2
        return 1
    }
}

# The build's network is the machine's, so that apt works in it as it does here; the
# docker format is the one that keeps the health check.
stage_build() {
    case $engine in
    podman) set -- --network host --format docker --target "$@" ;;
    *) set -- --target "$@" ;;
    esac
    nice "$engine" build --build-arg BASE="$base" --build-arg VERSION="$version" \
        --build-arg REVISION="$revision" \
        --build-arg CREATED="$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$@" . >"$log/build.log" 2>&1 || {
        tail -n 60 "$log/build.log" >&2
        return 1
    }
}

image_build() {
    engine_find
    base_find
    stage_build runtime -t "$image"
    size=$("$engine" image inspect --format '{{.Size}}' "$image")
    echo "$image: $((size / 1000000)) MB"
}

skip() {
    echo "skipped: the image is not tested, because $*"
    exit 0
}

case ${1:-} in
build) image_build ;;
test)
    ENGINE=podman
    command -v podman >/dev/null 2>&1 || skip "podman is not here"
    command -v ip >/dev/null 2>&1 || skip "ip (package iproute2) is not here"
    [ "$(id -u)" = 0 ] || skip "that needs root"
    podman info >"$log/info.log" 2>&1 || skip "podman does not run here: $(tail -n 1 "$log/info.log")"
    image_build
    stage_build test -t "lossd-test:$version"
    grep -h ' passed, ' "$log/build.log" | sed 's/^/unit tests in the image: /' || true
    deploy/image-checks.sh "$image"
    ;;
*)
    echo "usage: $0 build|test" >&2
    exit 2
    ;;
esac
