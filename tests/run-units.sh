#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every unit test program and counts its cases. usage: run-units.sh PROGRAM-DIR RESULT-DIR NAME...
# RESULT-DIR/unit.count gets "PASSED FAILED"; a program that does not report (crash, sanitizer, time) counts as failed.
set -eu

programs=$1 results=$2
shift 2
mkdir -p "$results/unit"
passed=0 failed=0

# The number in attribute $1 of all <testsuite> elements of file $2, added up.
sum() { sed -n "s/.*<testsuite .*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

for name; do
	xml=$results/unit/$name.xml log=$results/unit/$name.log
	rm -f "$xml"
	status=0
	CMOCKA_MESSAGE_OUTPUT=XML CMOCKA_XML_FILE=$xml timeout 120 "$programs/$name" >"$log" 2>&1 || status=$?
	if [ -s "$xml" ]; then
		bad=$(($(sum failures "$xml") + $(sum errors "$xml")))
		good=$(($(sum tests "$xml") - bad - $(sum skipped "$xml")))
	else
		bad=0 good=0
	fi
	[ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
	[ $((bad + good)) -gt 0 ] || bad=1
	passed=$((passed + good)) failed=$((failed + bad))
	printf '  %-8s%s: %d passed, %d failed\n' UNIT "$name" "$good" "$bad"
	if [ "$bad" -gt 0 ]; then
		sed -n 's/.*<failure><!\[CDATA\[\(.*\)/\1/p' "$xml" 2>/dev/null || :
		grep -v '^$' "$log" | head -n 40
	fi
done
echo "$passed $failed" >"$results/unit.count"
echo "unit: $passed passed, $failed failed"
[ "$failed" = 0 ]
