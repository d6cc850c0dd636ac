# SPDX-License-Identifier: GPL-2.0-or-later
# chronyd's engine as src/time-source needs it: a library of everything but what deals with the world around it (ADR 205). No
# command socket, no server's side of anything that has a switch, no NTS, no reference clocks, no keys but MD5, no resolver.

build() {
	CC="ccache gcc" CFLAGS="-O2 $HARDENING -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD=." \
		./configure --without-editline --disable-readline --without-nettle --without-gnutls --without-nss --without-tomcrypt \
		--disable-sechash --disable-nts --disable-refclock --disable-phc --disable-pps --disable-rtc --disable-privdrop \
		--without-libcap --without-seccomp --disable-asyncdns --disable-forcednsretry --disable-cmdmon --disable-timestamping
	# shellcheck disable=SC2016 # make expands it
	objects=$(make -s --eval 'objects: ; @echo $(filter-out main.o sys.o sys_%.o nameserv.o,$(OBJS)) sys_generic.o sys_null.o' objects)
	# shellcheck disable=SC2086 # a list of files
	make -j"$(nproc)" $objects
	mkdir -p "$into/include" "$into/lib"
	cp ./*.h "$into/include/"
	# shellcheck disable=SC2086
	ar rcsD "$into/lib/libchrony.a" $objects
}
