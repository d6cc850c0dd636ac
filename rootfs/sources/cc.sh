#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The compiler for what goes into the image from Debian's sources: gcc with musl instead of glibc, whose smallest static program
# is larger than all of mke2fs. It knows no shared libraries to look for at run time. Links with the options in $LINKING.
# usage: cc.sh, as gcc
set -eu

musl=/usr/lib/x86_64-linux-musl
include=$(gcc -print-file-name=include)
kernel=${KERNEL_HEADERS:?a directory with linux/, asm/ and asm-generic/ alone}
headers="-nostdinc -isystem /usr/include/x86_64-linux-musl -isystem $include -idirafter $kernel"

for option in "$@"; do
	# shellcheck disable=SC2086 # a list of options
	case $option in -c | -E | -S | -M | -MM) exec ccache gcc $headers "$@" ;; esac
done
# shellcheck disable=SC2086
exec gcc $headers $LINKING -nostdlib -nostartfiles "$musl/rcrt1.o" "$musl/crti.o" "$(gcc -print-file-name=crtbeginS.o)" \
	"$@" -Wl,--start-group "$musl/libc.a" -lgcc -Wl,--end-group "$(gcc -print-file-name=crtendS.o)" "$musl/crtn.o"
