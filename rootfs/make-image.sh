#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the firmware of BOARD inside the build root: kernel, root.img (squashfs with its dm-verity tree appended), the
# kernel command line that names the tree's root hash, checksums and the bill of materials. The same inputs give the same
# bytes: sorted archive, one time stamp, fixed owner, salt and id.
# usage: make-image.sh BOARD KERNEL-DIR DEBIAN-ROOT OUTPUT LIBRARIES BUILT...
# OUTPUT has sekishod and libexec/, gets firmware/BOARD/; LIBRARIES: linker options of the programs, for the bill;
# BUILT: directories that build-source.sh made.
set -eu

board=${1:?} kernel=${2:?} debian=${3:?} output=${4:?} libraries=${5-}
shift 5
here=$(cd "$(dirname "$0")" && pwd)
board_dir=$here/../board/$board
firmware=$output/firmware/$board
work=$output/firmware/$board.work
block=4096
max_bytes=$((12 * 1024 * 1024))

[ -r "$board_dir/board.conf" ] || { echo "make-image: no board $board (board/*/board.conf)" >&2; exit 2; }
. "$board_dir/board.conf"
root=$work/root

copy_debian_file() {
	install -D -m "$(stat -L -c %a "$debian/$1")" "$debian/$1" "$root/$1"
}

copy_debian_files() {
	sed -e '/^#/d' -e '/^$/d' "$here/image.files" | while read -r path; do copy_debian_file "$path"; done
}

copy_built_files() { # of the directories $@
	for built in "$@"; do
		[ ! -d "$built/root" ] || cp -R "$built/root/." "$root/"
	done
}

make_links() { # of list $1
	sed -e '/^#/d' -e '/^$/d' "$1" | while read -r path arrow target; do
		case $arrow in
		'->') mkdir -p "$root/$(dirname "$path")"; ln -s "$target" "$root/$path" ;;
		*) mkdir -p "$root/$path" ;;
		esac
	done
}

copy_own_files() {
	cp -R "$here/tree/." "$root/"
	install -D -m 644 "$board_dir/ports" "$root/etc/sekisho/ports"
	echo "$DATA_DEVICE" >"$root/etc/sekisho/data-device"
	echo "/dev/$CONSOLE" >"$root/etc/sekisho/console"
	echo "${VERSION:-unknown}" >"$root/etc/sekisho/version"
	mkdir -p "$root/usr/lib/sekisho/libexec"
	install -m 755 "$output/sekishod" "$root/usr/lib/sekisho/"
	for program in "$output"/libexec/*; do
		case $program in *.debug) ;; *) install -m 755 "$program" "$root/usr/lib/sekisho/libexec/" ;; esac
	done
}

# The kernel opens /dev/console for process 1 before anything is mounted, and a shell /dev/null: the image's only nodes.
make_squashfs() { # compression level $1
	chmod -R go-w "$root"
	tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -cf - . |
		sqfstar -root-mode 0755 -quiet -no-progress -comp zstd -Xcompression-level "$1" -b 1M -no-xattrs -p "dev/console c 600 0 0 5 1" -p "dev/null c 666 0 0 1 3" "$image/root.img" \
			>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
	truncate -s "%$block" "$image/root.img"
}

# Appends the hash tree. The salt is public and fixed: it only separates our trees from those of others.
append_verity() {
	data_bytes=$(stat -c %s "$image/root.img")
	salt=$(printf 'sekisho %s' "$board" | sha256sum | cut -c1-64)
	hash=$(veritysetup format --no-superblock --salt="$salt" --hash-offset="$data_bytes" \
		--data-blocks=$((data_bytes / block)) "$image/root.img" "$image/root.img" |
		sed -n 's/^Root hash:[[:space:]]*//p')
	[ ${#hash} = 64 ] || { echo "make-image: veritysetup gave no root hash" >&2; exit 1; }
}

# A block that does not match its hash stops the kernel; it starts anew after panic= seconds and never runs on.
write_cmdline() {
	blocks=$((data_bytes / block))
	table="0 $((data_bytes / 512)) verity 1 $ROOT_DEVICE $ROOT_DEVICE $block $block $blocks $blocks sha256 $hash $salt"
	echo "$BOOT_PARAMETERS root=/dev/dm-0 ro rootfstype=squashfs init=/usr/lib/sekisho/libexec/init" \
		"dm-mod.waitfor=$ROOT_DEVICE dm-mod.create=\"root,,,ro,$table 1 panic_on_corruption\"" >"$image/cmdline"
}

# root.img and its command line, from what is in $root, into directory $1.
pack() { # directory, compression level
	image=$1
	mkdir -p "$image"
	rm -f "$image/root.img"
	make_squashfs "$2"
	append_verity
	write_cmdline
}

# The whole product in a small, inspectable size is a promise.
check_size() {
	bytes=$(($(stat -c %s "$work/$KERNEL_IMAGE") + $(stat -c %s "$work/root.img")))
	[ "$bytes" -le "$max_bytes" ] || { echo "make-image: $bytes bytes, more than $max_bytes" >&2; exit 1; }
	printf '  %-8s%s\n' IMAGE "firmware/$board: kernel and root $bytes bytes of $max_bytes"
}

rm -rf "$work"
mkdir -p "$root"
copy_debian_files
copy_built_files "$@"
make_links "$here/image.links"
copy_own_files
pack "$work" 22
cp "$kernel/$KERNEL_IMAGE" "$work/$KERNEL_IMAGE"
check_size
python3 "$here/sbom.py" "$board" "$root" "$debian" "$libraries" "$@" >"$work/sbom.spdx.json"
(cd "$work" && sha256sum "$KERNEL_IMAGE" root.img cmdline sbom.spdx.json >SHA256SUMS)
# The same root with a shell, for tests that look inside.
copy_debian_file usr/bin/busybox
make_links "$here/inspect.links"
pack "$work/inspect" 3
rm -rf "$root" "$work/log" "$firmware"
mv "$work" "$firmware"
