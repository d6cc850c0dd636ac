# SPDX-License-Identifier: GPL-2.0-or-later
# FatFs, from Debian's source package (rootfs/sources/micropython); others' code, so without our warnings.
modules += fatfs
fatfs-src := ff.c ffunicode.c
fatfs-cflags := -w
generated += $(O)/gen/fatfs/ff.c $(O)/gen/fatfs/ffunicode.c
$(O)/gen/fatfs/%.c: $(O)/fatfs/record
	@mkdir -p $(@D)
	@cp $(O)/fatfs/src/$*.c $@
