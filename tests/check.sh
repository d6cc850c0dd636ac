#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every suite, also after one has failed, and adds up their results. Each suite leaves what it counted in
# $O/check: NAME.count ("PASSED FAILED") or NAME.xml (JUnit). A suite that leaves neither did not run: that is a failure.
# The last line of the output is "N passed, N failed"; status 0 only when nothing failed.
set -eu

check=$O/check
rm -rf "$check"
mkdir -p "$check"
passed=0 failed=0 notes=

# The number in attribute $1 of the first <testsuite> of file $2.
attribute() { sed -n "s/.*<testsuite [^>]*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1; }

add() { # suite, status of its command
	if [ -s "$check/$1.count" ]; then
		read -r good bad <"$check/$1.count"
		skipped=0
	elif [ -s "$check/$1.xml" ]; then
		bad=$(($(attribute failures "$check/$1.xml") + $(attribute errors "$check/$1.xml")))
		skipped=$(attribute skipped "$check/$1.xml")
		good=$(($(attribute tests "$check/$1.xml") - bad - skipped))
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
