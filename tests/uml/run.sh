#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a command in a User-mode Linux guest whose root is the test root (made for this, see init.sh), and ends with its
# status. The guest has the kernel of kernel-config/uml.config: the queue expression, flow tables, VLANs and bonds, which the
# host's kernel may lack. Run inside the test root. usage: run.sh COMMAND [ARG...]
set -eu

seconds=${UML_SECONDS:-600}
work=/out/uml
quoted=
for word; do quoted="$quoted '$word'"; done
export -p >"$work/command"	# so COMMITS and the like mean there what they mean here
echo "$quoted" >>"$work/command"
rm -f "$work/status"
TMPDIR=/dev/shm timeout -k 5 "$seconds" "$work/linux" mem=768M root=none rootfstype=hostfs rootflags=/ rw \
	init=/src/tests/uml/init.sh con=null con0=null,fd:1 quiet loglevel=3 </dev/null || true
[ -s "$work/status" ] || { echo "run.sh: the guest did not come to its end in $seconds s" >&2; exit 1; }
exit "$(cat "$work/status")"
