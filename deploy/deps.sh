#!/bin/sh
# Installs what is missing to build, test and lint, from Debian's packages:
#
#     deploy/deps.sh build [test] [lint] [arm64] [afl]
#
# Says nothing when nothing is missing.  What counts is that a thing is there, not
# that it came from a package, so this is at ease on any system; only installing
# needs apt-get.  On a system without it the list is printed, and that is all.
set -eu

# group, package, and how to see that it is there
packages() {
    cat <<'LIST'
build gcc                  command gcc
build make                 command make
build libc6-dev            header stdio.h
build pkg-config           command pkg-config
build libmicrohttpd-dev    library libmicrohttpd
build libcjson-dev         library libcjson
build zlib1g-dev           library zlib
build libcurl4-openssl-dev library libcurl
test  libcmocka-dev        library cmocka
test  curl                 command curl
test  locales              file /usr/share/i18n/locales/de_DE
test  python3-jsonschema   python jsonschema
test  python3-numpy        python numpy
lint  clang                command clang
lint  libclang-rt-14-dev   fuzzer -
lint  clang-tidy           command clang-tidy
lint  clang-format         command clang-format
lint  cppcheck             command cppcheck
lint  shellcheck           command shellcheck
afl   afl++                command afl-clang-fast
arm64 gcc-aarch64-linux-gnu    command aarch64-linux-gnu-gcc
arm64 libc6-dev-arm64-cross    file /usr/aarch64-linux-gnu/include/stdio.h
arm64 qemu-user            command qemu-aarch64
LIST
}

is_there() {
    case $1 in
    command) command -v "$2" ;;
    file) test -e "$2" ;;
    header) echo "#include <$2>" | gcc -E -x c - ;;
    library) pkg-config --exists "$2" ;;
    python) /usr/bin/python3 -c "import $2" ;; # Debian's own: that is the one they are for
    fuzzer) echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang -fsanitize=fuzzer -x c -o /dev/null - ;;
    esac >/dev/null 2>&1
}

[ $# -gt 0 ] || {
    echo "usage: $0 build|test|lint|arm64|afl ..." >&2
    exit 2
}
for group in "$@"; do
    case $group in
    build | test | lint | arm64 | afl) ;;
    *)
        echo "$0: no group \"$group\"; there are build, test, lint, arm64 and afl" >&2
        exit 2
        ;;
    esac
done

missing=$(packages | while read -r group package kind what; do
    case " $* " in
    *" $group "*) is_there "$kind" "$what" || printf ' %s' "$package" ;;
    esac
done)
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing, by their Debian names:$missing" >&2
    echo "This system has no apt-get; please install them its own way." >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "Missing:$missing" >&2
        echo "Please run as root: apt-get install$missing" >&2
        exit 1
    }
    as_root="sudo"
fi
echo "Installing with $as_root${as_root:+ }apt-get:$missing"
apt() {
    # shellcheck disable=SC2086 # no word at all when we are root
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}
apt update
# shellcheck disable=SC2086 # one word a package
apt install -y --no-install-recommends $missing >/dev/null
