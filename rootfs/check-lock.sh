#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares the packages of a root with its lock file and says loudly what has drifted. Debian's stable suite takes security
# updates, so drift is expected from time to time; it must never be unnoticed, because the image then differs as well.
# usage: check-lock.sh KIND ROOT; status 0 the same, 1 drifted. `make lock` writes the lock files anew.
set -eu

kind=${1:?} root=${2:?}
lock=$(dirname "$0")/$kind-root.lock

[ -e "$root/.packages" ] || { echo "check-lock: $root has no record of its packages; remove it to make it anew" >&2; exit 1; }
[ -e "$lock" ] || { echo "check-lock: no $lock; make lock writes it" >&2; exit 1; }
cmp -s "$lock" "$root/.packages" && exit 0
{
	echo "*** DRIFT: the $kind root is not the one that $(basename "$lock") records (- locked, + in use):"
	diff -U0 "$lock" "$root/.packages" | sed -n -e 's/^\([-+]\)\([0-9a-f]\{12\}\)[0-9a-f]*  /***   \1 \2  /p'
	echo "*** Images built now differ from those of the locked packages. Review the changes, then: make lock"
} >&2
exit 1
