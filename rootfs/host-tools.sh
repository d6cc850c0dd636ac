#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs with apt what the build itself needs on the host: the maker of Debian roots, nothing else.
set -eu

[ "$(id -u)" = 0 ] || { echo "make: Sekisho is built as root (it makes Debian roots and namespaces); run: sudo make" >&2; exit 1; }

[ "$(uname -m)" = x86_64 ] || { echo "make: Sekisho is built on x86_64; this is $(uname -m)" >&2; exit 1; }

missing=
need() { # command, package, what for
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need mmdebstrap mmdebstrap
need unshare util-linux
need flock util-linux
need sha256sum coreutils
need setpriv util-linux
need ip iproute2
# the signatures of Debian's archive, which other distributions do not have
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 || {
	echo "make: needs these Debian packages, and there is no apt-get to install them:$missing" >&2
	exit 1
}
printf '  %-8s%s\n' APT "host tools:$missing" >&2
log=$(mktemp)
# shellcheck disable=SC2086 # a list of packages
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
	tail -n 15 "$log" >&2
	echo "make: apt-get could not install:$missing (mmdebstrap makes the build root; util-linux and iproute2 isolate it)" >&2
	exit 1
}
rm -f "$log"
