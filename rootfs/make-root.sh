#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the Debian root that KIND names and prints its path:
#   build   compiler, libraries, kernel source, image tools      test    real peers, emulator, test harness
#   image   what the appliance's root takes from Debian: packages unpacked, not configured
# A root is kept in the cache under the hash of its package list: a changed list makes a new one. What went into it is
# written to .packages (hash, name, version of each package; for an unpacked root also .files, which file came from which)
# and compared with KIND-root.lock.
# A package written as `unpacked:NAME` is only unpacked into the root, without what it depends on.
# usage: make-root.sh build|test|image
set -eu

kind=${1:?usage: make-root.sh build|test|image}
here=$(cd "$(dirname "$0")" && pwd)
list=$here/$kind-root.packages
cache=${SEKISHO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sekisho}
suite=trixie

say() { printf '  %-8s%s\n' "$1" "$2" >&2; }

[ -r "$list" ] || { echo "make-root: no package list $list" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "make-root: must run as root (it makes a Debian root)" >&2; exit 1; }

words=$(sed -e 's/#.*//' "$list" | tr -s ' \n' ',,' | sed -e 's/^,//' -e 's/,$//')
packages=$(printf '%s' "$words" | tr , '\n' | grep -v '^unpacked:' | paste -s -d ,)
unpacked=$(printf '%s' "$words" | tr , '\n' | sed -n 's/^unpacked://p' | paste -s -d ' ')
key=$(printf '%s %s' "$suite" "$words" | sha256sum | cut -c1-16)
root=$cache/root-$kind-$key

# Hooks of mmdebstrap, run when all packages are there and the package lists still are: they write .packages.
# shellcheck disable=SC2016 # expanded by the hook's shell
record_unpacked='cd "$1/var/cache/apt/archives" && sha256sum *.deb | sed -e "s/%3a/:/" -e "s/\.deb$//" |
	sort -k 2 >"$1/.packages" && for deb in *.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n "s|^\./\(.*[^/]\)$|${deb%%_*} \1|p"
	done >"$1/.files"'
# shellcheck disable=SC2016
unpack='chroot "$1" sh -c "cd /tmp && for name in $UNPACKED; do
	apt-get download -q \$name && dpkg-deb -x \${name}_*.deb / && rm \${name}_*.deb || exit 1; done"'
# shellcheck disable=SC2016
record_installed='chroot "$1" sh -c '\''
	{ dpkg-query -W -f "\${Package}=\${Version}\n"; echo '\''"$UNPACKED"'\''; } |
	xargs apt-cache show --no-all-versions'\'' |
	awk '\''/^Package:/ { p = $2 } /^Version:/ { v = $2 } /^Architecture:/ { a = $2 }
	/^SHA256:/ { print $2 "  " p "_" v "_" a }'\'' | sort -u -k 2 >"$1/.packages"'

case $kind in
image) variant=extract; set -- --extract-hook="$record_unpacked" ;;
*) variant=apt; set -- --customize-hook="$unpack" --customize-hook="$record_installed" ;;
esac

mkdir -p "$cache"
exec 9>"$cache/root-$kind.lock"
flock 9
if [ ! -e "$root/.complete" ]; then
	say ROOT "$kind: Debian $suite with $(printf '%s' "$packages" | tr ',' '\n' | grep -c .) packages, once (up to a few minutes)"
	rm -rf "$root"
	log=$cache/root-$kind.log
	if ! UNPACKED=$unpacked mmdebstrap --mode=root --variant="$variant" \
		--aptopt='APT::Install-Recommends "false"' "$@" \
		--include="$packages" "$suite" "$root" >"$log" 2>&1; then
		rm -rf "$root"
		echo "make-root: making the $kind root failed; the end of $log:" >&2
		tail -n 15 "$log" >&2
		exit 1
	fi
	"$here/check-lock.sh" "$kind" "$root" || :
	: >"$root/.complete"
	say ROOT "$kind: done, $(du -sh "$root" | cut -f1)"
fi
printf '%s\n' "$root"
