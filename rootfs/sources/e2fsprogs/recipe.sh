# SPDX-License-Identifier: GPL-2.0-or-later
# mke2fs and e2fsck for the data partition, as one program: half of each is the same library. It acts by the name that it is
# started under. Built-in defaults instead of mke2fs.conf; no translations, no threads, no multiple-mount protection.

# One relocatable object of a program's objects ($3...): of its symbols only $2, its `main`, is seen outside.
hide_all_but_main() { # object, new name of main, objects
	joined=$1 entry=$2
	shift 2
	ld -r -o "$joined" "$@"
	objcopy --redefine-sym "main=$entry" --keep-global-symbol="$entry" "$joined"
}

build() {
	./configure --enable-libuuid --enable-libblkid --without-pthread --without-libarchive --disable-nls --disable-tdb \
		--disable-mmp --disable-debugfs --disable-imager --disable-resizer --disable-defrag --disable-fsck --disable-fuse2fs \
		--disable-uuidd --disable-tls --disable-backtrace --disable-testio-debug --disable-bmap-stats \
		--with-udev-rules-dir=no --with-crond-dir=no --with-systemd-unit-dir=no
	make -j"$(nproc)" libs
	make -j"$(nproc)" -C misc mke2fs
	make -j"$(nproc)" -C e2fsck e2fsck
	hide_all_but_main mke2fs.o mke2fs_main misc/mke2fs.o misc/util.o misc/default_profile.o misc/mk_hugefiles.o \
		misc/create_inode.o misc/create_inode_libarchive.o
	hide_all_but_main e2fsck.o e2fsck_main $(make -C e2fsck -s --eval 'objects: ; @echo $(addprefix e2fsck/,$(OBJS))' objects)
	mkdir -p "$into/root/usr/sbin"
	# shellcheck disable=SC2086 # a list of options
	$CC $CFLAGS -o "$into/root/usr/sbin/mke2fs" "$recipe/by_name.c" mke2fs.o e2fsck.o \
		lib/libsupport.a lib/libext2fs.a lib/libe2p.a lib/libblkid.a lib/libuuid.a lib/libcom_err.a
	ln -s mke2fs "$into/root/usr/sbin/e2fsck"
}
