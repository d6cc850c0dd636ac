# SPDX-License-Identifier: GPL-2.0-or-later
# chronyd as a client of NTP: no NTS, no reference clocks, no keys but MD5, no resolver, no change of user. The supervisor starts
# it inside walls of its own. Its monitoring socket is kept; on which paths and ports it listens is for its configuration to say.

build() {
	./configure --sysconfdir=/etc --localstatedir=/run --without-editline --disable-readline --without-nettle --without-gnutls \
		--without-nss --without-tomcrypt --disable-sechash --disable-nts --disable-refclock --disable-phc --disable-pps \
		--disable-rtc --disable-privdrop --without-libcap --without-seccomp --disable-asyncdns --disable-forcednsretry
	make -j"$(nproc)" chronyd
	install -D -m 755 chronyd "$into/root/usr/lib/sekisho/libexec/chronyd"
}
