#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the firmware a second time from nothing (no compiler cache, what comes from Debian's sources anew; with KERNEL=1 no
# kernel cache either) in another directory, and compares every file with the first one. Counts one check.
set -eu

first=$O/firmware/$BOARD
again=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-again.XXXXXX")
trap 'rm -rf "$again"' EXIT
mkdir -p "$O/check"

image=$(./rootfs/make-root.sh image)
echo "  AGAIN   firmware/$BOARD from clean"
./rootfs/enter.sh build . "$again" env CCACHE_DISABLE=1 BUILT_CACHE=/out/built ${KERNEL:+KERNEL_CACHE=/out/kernel} \
	make --no-print-directory IN_ROOT=1 O=/out BOARD="$BOARD" -j"$(nproc)" \
	IMAGE_ROOT="/cache/${image##*/}" firmware >"$O/check/reproducible.log" 2>&1 || {
	tail -n 20 "$O/check/reproducible.log"
	echo "0 1" >"$O/check/reproducible.count"
	exit 1
}
if differ=$(cd "$first" && find . -maxdepth 1 -type f -exec sha256sum {} + | (cd "$again/firmware/$BOARD" && sha256sum -c --quiet 2>&1)); then
	echo "1 0" >"$O/check/reproducible.count"
	echo "reproducible: two builds of firmware/$BOARD give the same bytes"
else
	echo "0 1" >"$O/check/reproducible.count"
	printf 'reproducible: two builds of firmware/%s differ:\n%s\n' "$BOARD" "$differ"
	exit 1
fi
