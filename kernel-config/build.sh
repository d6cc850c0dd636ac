#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the kernel of ARCH inside the build root, from Debian's source package and the fragments beside this script, and
# prints the directory of the result: the kernel (bzImage or linux), config, System.map. Results are kept in the cache
# under the hash of all that goes in. usage: build.sh x86_64|um
set -eu

arch=${1:?usage: build.sh x86_64|um}
here=$(cd "$(dirname "$0")" && pwd)
source=/usr/src/linux-source-6.12.tar.xz
cache=${KERNEL_CACHE:-/cache/kernel}

case $arch in
x86_64) fragments="base netfilter usb hardening x86_64" image=arch/x86/boot/bzImage target=bzImage rules="must-be-on must-be-off" ;;
um) fragments=uml image=linux target=linux rules= ;;
*) echo "build.sh: no kernel for $arch" >&2; exit 2 ;;
esac

say() { printf '  %-8s%s\n' KERNEL "$1" >&2; }

# The names that a fragment (or a list) sets, one a line: "on NAME=value" or "off NAME".
wishes() {
	sed -n -e 's/^# \(CONFIG_[A-Za-z0-9_]*\) is not set$/off \1/p' -e 's/^\(CONFIG_[A-Za-z0-9_]*\)=n$/off \1/p' \
		-e '/=n$/d' -e 's/^\(CONFIG_[A-Za-z0-9_]*=.*\)$/on \1/p' "$@"
}

# Kconfig drops without a word what it finds impossible, and turns on what something else selects. So every line of every
# fragment, and the two lists of what must be and must not be, are compared with what came out.
check_config() {
	wishes "$@" | {
		bad=0
		while read -r state wish; do
			if [ "$state" = on ]; then
				grep -qxF "$wish" .config && continue
				echo "kernel-config: $wish was asked for; the result: $(grep "${wish%%=*}[ =]" .config || echo nothing)" >&2
			else
				grep -q "^$wish=" .config || continue
				echo "kernel-config: $wish must be off; the result: $(grep "^$wish=" .config)" >&2
			fi
			bad=1
		done
		return $bad
	}
}

# Says from time to time how many files are done.
progress() {
	count=0
	while read -r _; do
		count=$((count + 1))
		[ $((count % 400)) -ne 0 ] || say "$arch: $count files"
	done
}

# User-mode Linux keeps a process's vector registers in a buffer that is too short on processors with AMX: there ptrace refuses
# to set them, and no process starts. A buffer that is too long is cut by the host.
widen_registers() {
	sed -i 's/DEFINE_LONGS(HOST_FP_SIZE, 2696)/DEFINE_LONGS(HOST_FP_SIZE, 12288)/' arch/x86/um/user-offsets.c
	grep -q 'HOST_FP_SIZE, 12288' arch/x86/um/user-offsets.c
}

build() {
	rm -rf "$work"
	mkdir -p "$work"
	cd "$work"
	say "$arch: unpack $(basename "$source")"
	tar --strip-components=1 -xJf "$source"
	[ "$arch" != um ] || widen_registers
	for f in $fragments; do cat "$here/$f.config"; done >all.fragments
	make -s KCONFIG_ALLCONFIG=all.fragments allnoconfig >log 2>&1 || { tail -n 20 log >&2; exit 1; }
	for f in $rules; do cat "$here/$f"; done >all.rules
	check_config all.fragments all.rules
	say "$arch: compile (about 5 minutes on 2 cores, once)"
	{ make -j"$(nproc)" CC="ccache gcc" "$target" 2>&1 || echo failed >failed; } | tee -a log | progress
	[ ! -e failed ] || { tail -n 20 log >&2; exit 1; }
	mkdir -p "$result.new"
	cp "$image" System.map "$result.new/"
	cp .config "$result.new/config"
	mv "$result.new" "$result"
	cd / && rm -rf "$work"
	say "$arch: $(stat -c %s "$result/$(basename "$image")") bytes"
}

# Our own make's variables are not meant for the kernel's.
unset MAKEFLAGS MFLAGS MAKELEVEL O V

# Everything that a kernel would tell of who built it, when and where, is fixed.
export KBUILD_BUILD_USER=sekisho KBUILD_BUILD_HOST=build KBUILD_BUILD_VERSION=1
KBUILD_BUILD_TIMESTAMP=$(LC_ALL=C date -u -d "@${SOURCE_DATE_EPOCH:?}")
export KBUILD_BUILD_TIMESTAMP
[ "$arch" != um ] || export ARCH=um

# What the result depends on; `recipe` counts changes of this script that alter it.
recipe=1
[ "$arch" != um ] || recipe=2
key=$({
	dpkg-query -W linux-source-6.12 gcc-14 binutils make
	echo "$SOURCE_DATE_EPOCH $recipe"
	cd "$here"
	for f in $fragments; do sha256sum "$f.config"; done
	for f in $rules; do sha256sum "$f"; done
} | sha256sum | cut -c1-16)
result=$cache/$arch-$key
work=$cache/work-$arch

mkdir -p "$cache"
if [ ! -d "$result" ]; then
	exec 9>"$cache/$arch.lock"
	flock 9
	[ -d "$result" ] || build
fi
echo "$result"
