# SPDX-License-Identifier: GPL-2.0-or-later
# FatFs (R0.13c), the library for FAT and exFAT that MicroPython carries: its sources, which are compiled with our programs, so
# with their hardening and, in tests and fuzzers, their sanitizers (ADR 0319). Nothing else of MicroPython is used.

build() {
	for patch in "$recipe"/*.patch; do GIT_DIR=/nonexistent git apply --whitespace=nowarn "$patch"; done
	mkdir -p "$into/include" "$into/src"
	sed 's/^#include FFCONF_H .*/#include "ffconf.h"/' lib/oofatfs/ff.h >"$into/include/ff.h"
	grep -q '^#include "ffconf.h"' "$into/include/ff.h"
	cp lib/oofatfs/diskio.h "$recipe/ffconf.h" "$into/include/"
	cp lib/oofatfs/ff.c lib/oofatfs/ffunicode.c "$into/src/"
}
