#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares the packages of a root, or the files of a source package, with their lock file and says loudly what has drifted.
# Debian's stable suite takes security updates, so drift is expected from time to time; it must never be unnoticed, because
# the image then differs as well.
# usage: check-lock.sh KIND ROOT | check-lock.sh NAME SOURCE; status 0 the same, 1 drifted. `make lock` writes the locks anew.
set -eu

kind=${1:?} what=${2:?}
here=$(dirname "$0")
lock=$here/$kind-root.lock record=$what/.packages
[ ! -d "$here/sources/$kind" ] || lock=$here/sources/$kind/lock record=$what/record

[ -e "$record" ] || { echo "check-lock: $what has no record of its packages; remove it to make it anew" >&2; exit 1; }
[ -e "$lock" ] || { echo "check-lock: no $lock; make lock writes it" >&2; exit 1; }
cmp -s "$lock" "$record" && exit 0
{
	echo "*** DRIFT: $kind is not what ${lock#"$here/"} records (- locked, + in use):"
	diff -U0 "$lock" "$record" | sed -n -e 's/^\([-+]\)\([0-9a-f]\{12\}\)[0-9a-f]*  /***   \1 \2  /p'
	echo "*** Images built now differ from those of what is locked. Review the changes, then: make lock"
} >&2
exit 1
