#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds what rootfs/sources/NAME/recipe.sh wants from Debian's source package NAME, inside the build root, and prints the
# directory of the result: `root` (what goes into the image) or `include` and `lib` (what our programs link), `record` (the
# source's files), `copyright`. Kept in the cache
# under the hash of all that goes in: source, recipe, compiler, C library (musl), options.
# usage: build-source.sh NAME, with HARDENING (compiler options) and LINKING (linker options) in the environment
#
# recipe.sh is sourced in the unpacked source, Debian's patches applied; its function `build` compiles with $CC (sources/cc.sh) and
# $CFLAGS and installs below $into. $recipe is its directory.
set -eu

name=${1:?usage: build-source.sh NAME}
here=$(cd "$(dirname "$0")" && pwd)
recipe=$here/sources/$name
cache=${BUILT_CACHE:-/cache/built}
source=$("$here/fetch-source.sh" "$name")

say() { printf '  %-8s%s\n' SOURCE "$1" >&2; }

# The patches are tried strictly: one that applies only nearly is an error.
unpack() {
	tar --strip-components=1 -xf "$source"/*.orig.tar.*
	tar -xf "$source"/*.debian.tar.*
	sed -e 's/[[:space:]]*#.*//' -e '/^$/d' debian/patches/series | while read -r patch _; do
		GIT_DIR=/nonexistent git apply --whitespace=nowarn "debian/patches/$patch"
	done
}

# Without glibc's, which lie beside them.
gather_kernel_headers() {
	KERNEL_HEADERS=$work/headers
	mkdir "$KERNEL_HEADERS"
	ln -s /usr/include/linux /usr/include/asm-generic /usr/include/mtd /usr/include/x86_64-linux-gnu/asm "$KERNEL_HEADERS/"
}

# As `make lint` demands it of our own programs.
check_program() {
	shown=$(readelf -Wlhd "$1")
	for wanted in 'Type: *DYN' GNU_RELRO '[( ]NOW' 'GNU_STACK.* RW '; do
		echo "$shown" | grep -q "$wanted" || { echo "build-source: $1 is built without: $wanted" >&2; exit 1; }
	done
	! echo "$shown" | grep -q INTERP || { echo "build-source: $1 is not static" >&2; exit 1; }
}

make_result() {
	rm -rf "$work" "$result.new"
	mkdir -p "$work/source" "$result.new"
	cd "$work/source"
	say "$name: build (about a minute, once)"
	unpack
	gather_kernel_headers
	export CC="$here/sources/cc.sh" CFLAGS="-Os $HARDENING -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD=."
	export KERNEL_HEADERS HARDENING LINKING recipe into="$result.new"
	# shellcheck disable=SC2016 # a shell of its own, so that the first command that fails ends it
	sh -euc '. "$recipe/recipe.sh"; build' >../log 2>&1 || { tail -n 20 ../log >&2; echo "build-source: $name failed" >&2; exit 1; }
	for program in $(find "$into/root" -type f 2>/dev/null); do
		strip "$program"
		check_program "$program"
	done
	cp "$source/record" "$into/record"
	cp debian/copyright "$into/copyright"
	mv "$into" "$result"
	cd / && rm -rf "$work"
}

# Our own make's variables are not meant for theirs.
unset MAKEFLAGS MFLAGS MAKELEVEL O V
LINKING=$(echo "$LINKING" | sed "s|-T,src/|-T,$here/../src/|")
key=$({
	cat "$source/record"
	dpkg-query -W gcc-14 binutils musl-dev libc6-dev linux-libc-dev make
	echo "$SOURCE_DATE_EPOCH $HARDENING $LINKING"
	cd "$here"
	find sources/"$name" sources/cc.sh build-source.sh ../src/no-unwind.ld -type f ! -name lock | LC_ALL=C sort | xargs sha256sum
} | sha256sum | cut -c1-16)
result=$cache/$name-$key
work=$cache/work-$name

mkdir -p "$cache"
exec 9>"$cache/$name.lock"
flock 9
[ -d "$result" ] || make_result
echo "$result"
