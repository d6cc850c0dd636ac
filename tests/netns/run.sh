#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests of this directory in RUNS runs at once, each inside a test root of its own, that divide the files among
# them (tests/lib/sharing.py). The first one's output is seen as it comes, the others' when all have ended.
# Leaves OUTPUT/check/netns.N.xml for each run. Status 0 only if all passed and every test was run by one of them.
# usage: run.sh OUTPUT-DIR RUNS [PYTEST-ARG...]
set -eu

usage="usage: run.sh OUTPUT-DIR RUNS [PYTEST-ARG...]"
output=${1:?$usage} runs=${2:?$usage}
shift 2
check=$output/check shared=$output/check/netns.shared
rm -rf "$shared" "$check"/netns.*xml "$check"/netns.*log
mkdir -p "$shared"

run() { # number, arguments
	number=$1
	shift
	exec ./rootfs/enter.sh test . "$output" python3 -B -m pytest -q --rootdir tests --share=/out/check/netns.shared \
		--junitxml="/out/check/netns.$number.xml" tests/netns "$@"
}

pids=
trap 'kill $pids 2>/dev/null || :' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
number=1
while [ "$number" -le "$runs" ]; do
	if [ "$number" = 1 ]; then
		run 1 "$@" &
	else
		run "$number" "$@" >"$check/netns.$number.log" 2>&1 &
	fi
	pids="$pids $!"
	number=$((number + 1))
done

status=0
for pid in $pids; do
	wait "$pid" || status=$?
done
pids=
cat "$check"/netns.*.log 2>/dev/null || :
[ "$status" = 0 ] || exit "$status"

taken=$(cat "$shared"/* | awk '{ n += $1 } END { print n + 0 }')
reported=$(sed -n 's/.*<testsuite [^>]*[[:space:]]tests="\([0-9]*\)".*/\1/p' "$check"/netns.*.xml | awk '{ n += $1 } END { print n + 0 }')
[ "$taken" = "$reported" ] || { echo "run.sh: of $taken tests $reported were reported" >&2; exit 1; }
