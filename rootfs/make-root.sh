#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the Debian root that KIND (build or test) names and prints its path.
# A root is kept in the cache under the hash of its package list: a changed list makes a new one.
set -eu

kind=${1:?usage: make-root.sh build|test}
here=$(cd "$(dirname "$0")" && pwd)
list=$here/$kind-root.packages
cache=${SEKISHO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sekisho}
suite=trixie

say() { printf '  %-8s%s\n' "$1" "$2" >&2; }

[ -r "$list" ] || { echo "make-root: no package list $list" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "make-root: must run as root (it makes a Debian root)" >&2; exit 1; }

packages=$(sed -e 's/#.*//' "$list" | tr -s ' \n' ',,' | sed -e 's/^,//' -e 's/,$//')
key=$(printf '%s %s' "$suite" "$packages" | sha256sum | cut -c1-16)
root=$cache/root-$kind-$key

mkdir -p "$cache"
exec 9>"$cache/root-$kind.lock"
flock 9
if [ ! -e "$root/.complete" ]; then
	say ROOT "$kind: Debian $suite with $(printf '%s' "$packages" | tr ',' '\n' | wc -l) packages, once (a few minutes)"
	rm -rf "$root"
	log=$cache/root-$kind.log
	if ! mmdebstrap --mode=root --variant=apt \
		--aptopt='APT::Install-Recommends "false"' \
		--include="$packages" "$suite" "$root" >"$log" 2>&1; then
		rm -rf "$root"
		echo "make-root: making the $kind root failed; the end of $log:" >&2
		tail -n 15 "$log" >&2
		exit 1
	fi
	: >"$root/.complete"
	say ROOT "$kind: done, $(du -sh "$root" | cut -f1)"
fi
printf '%s\n' "$root"
