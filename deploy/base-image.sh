#!/bin/sh
# An offline base image: what debian:bookworm-slim has, made from Debian's packages
# with the sources that this machine's apt uses already, for where no registry can be
# reached.  Needs root, mmdebstrap and podman.
#
#     deploy/base-image.sh NAME
#
# APT_SOURCES: a sources file other than the machine's.
set -eu
name=${1:?usage: deploy/base-image.sh NAME}
sources=${APT_SOURCES:-/etc/apt/sources.list.d/debian.sources}
[ -e "$sources" ] || sources=/etc/apt/sources.list
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# An image keeps no archives: apt removes what it has fetched, after each use.
cat >"$work/docker-clean" <<'APT'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT

# usr-is-merged comes with the hook that makes it true; alone, apt would take usrmerge
# instead, and perl with it (50 MB).  The last hook removes what mmdebstrap's own
# cleaning does not find once docker-clean has taken the caches' names away (73 MB).
# shellcheck disable=SC2016 # "$1" is for the hook's shell
mmdebstrap --quiet --mode=root --variant=apt \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include=usr-is-merged \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="upload $work/docker-clean /etc/apt/apt.conf.d/docker-clean" \
    --customize-hook='rm -f "$1"/var/cache/apt/*.bin' \
    bookworm "$work/base.tar" "$sources"
podman import --quiet --change 'CMD ["bash"]' "$work/base.tar" "$name"
