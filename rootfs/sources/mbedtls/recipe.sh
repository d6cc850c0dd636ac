# SPDX-License-Identifier: GPL-2.0-or-later
# mbedTLS as src/tls needs it, and nothing else (ADR 106): a library for our own programs, so with their C library, and for speed.

build() {
	cat "$recipe/less.h" >>include/mbedtls/mbedtls_config.h
	cp "$recipe/gcm_alt.h" include/
	make -j"$(nproc)" -C library CC="ccache gcc" \
		CFLAGS="-O2 $HARDENING -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD=." \
		libmbedtls.a libmbedx509.a libmbedcrypto.a
	mkdir -p "$into/include" "$into/lib"
	cp -R include/mbedtls include/psa 3rdparty/everest/include/everest include/gcm_alt.h "$into/include/"
	cp library/*.a "$into/lib/"
}
