#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every suite, also after one has failed, and adds up their results. Each suite leaves what it counted in
# $O/check: NAME.count ("PASSED FAILED"), or JUnit files NAME.xml or NAME.1.xml, NAME.2.xml and so on. A suite that
# leaves neither did not run: that is a failure.
# The last line of the output is "N passed, N failed"; status 0 only when nothing failed.
set -eu

check=$O/check
rm -rf "$check"
mkdir -p "$check"
passed=0 failed=0 notes=

# The numbers in attribute $2 of the <testsuite> of each JUnit file of suite $1, added up; nothing where there is no file.
attribute() {
	# Files straight to sed, which ends a line with each: they have no end of line of their own.
	sed -n "s/.*<testsuite [^>]*[[:space:]]$2=\"\([0-9]*\)\".*/\1/p" "$check/$1.xml" "$check/$1".[0-9]*.xml 2>/dev/null |
		awk '{ n += $1 } END { if (NR > 0) print n }'
}

add() { # suite, status of its command
	if [ -s "$check/$1.count" ]; then
		read -r good bad <"$check/$1.count"
		skipped=0
	elif [ -n "$(attribute "$1" tests)" ]; then
		bad=$(($(attribute "$1" failures) + $(attribute "$1" errors)))
		skipped=$(attribute "$1" skipped)
		good=$(($(attribute "$1" tests) - bad - skipped))
	else
		good=0 bad=1 skipped=0
		notes="$notes$1 did not run (status $2). "
	fi
	[ "$2" = 0 ] || [ "$bad" -gt 0 ] || { bad=1; notes="${notes}$1 ended with status $2. "; }
	[ "$skipped" = 0 ] || notes="${notes}$1: $skipped skipped. "
	passed=$((passed + good)) failed=$((failed + bad))
}

suite() { # name, make target
	begin=$(date +%s)
	echo "== $1"
	status=0
	$MAKE "$2" || status=$?
	add "$1" "$status"
	echo "== $1: $good passed, $bad failed ($(($(date +%s) - begin)) s)"
}

suite unit check-unit
suite prove check-prove
suite lint lint
suite golden check-golden
suite fuzz-smoke fuzz-smoke
suite netns check-netns
suite uml check-uml
suite firmware check-firmware
suite reproducible check-reproducible

[ -z "$notes" ] || echo "$notes"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
