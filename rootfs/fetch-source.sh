#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches Debian's source package NAME inside the build root, from where the root's own packages came, and prints the
# directory with its files and `record` (hash and name of each). The hashes come from Debian's signed index. Kept in the cache
# under what rootfs/sources/NAME/lock says; that the suite has moved on is said, and does not stop the build.
# usage: fetch-source.sh NAME
set -eu

name=${1:?usage: fetch-source.sh NAME}
here=$(cd "$(dirname "$0")" && pwd)
lock=$here/sources/$name/lock
cache=${SOURCES_CACHE:-/cache/sources}
result=$cache/$name-$(sha256sum "$lock" | cut -c1-16)

# apt with the index of sources alone, in a place of its own: the root is shared and stays as it is.
apt() { # program of apt, arguments
	program=$1
	shift
	"$program" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
}

# "URI FILE SHA256" of each file; detached signatures of the first authors prove nothing beyond the index's hash.
list_files() {
	apt apt-get source --print-uris --only-source "$name" 2>/dev/null |
		sed -n "s/^'\([^']*\)' \([^ ]*\) [0-9]* SHA256:\([0-9a-f]*\)\$/\1 \2 \3/p" | grep -v '\.asc '
}

download() {
	while read -r uri file hash; do
		apt /usr/lib/apt/apt-helper download-file "$uri" "$result.new/$file" "SHA256:$hash" || return 1
		echo "$hash  $file" >>"$result.new/record.new"
	done
	sort -k 2 "$result.new/record.new" >"$result.new/record"
	rm "$result.new/record.new"
}

fetch() {
	printf '  %-8s%s\n' FETCH "$name: source package" >&2
	rm -rf "$result.new"
	mkdir -p "$result.new"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >"$work/sources.list"
	apt apt-get -q update >"$work/log" 2>&1 && list_files | download >>"$work/log" 2>&1 &&
		ls "$result.new"/*.dsc >/dev/null 2>&1 && (cd "$result.new" && sha256sum -c --quiet record) >>"$work/log" 2>&1 || {
		tail -n 15 "$work/log" >&2
		echo "fetch-source: could not fetch the source package $name" >&2
		exit 1
	}
	mv "$result.new" "$result"
}

mkdir -p "$cache"
exec 8>"$cache/$name.lock"
flock 8
[ -d "$result" ] || fetch
"$here/check-lock.sh" "$name" "$result" || :
echo "$result"
