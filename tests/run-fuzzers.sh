#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs each fuzz target over its corpus and then for a few seconds on inputs of its own. Each target is one check.
# usage: run-fuzzers.sh PROGRAM-DIR RESULT-DIR SECONDS NAME...
# RESULT-DIR/fuzz-smoke.count gets "PASSED FAILED"; a failing input stays in RESULT-DIR/fuzz/.
set -eu

programs=$1 results=$2 seconds=$3
shift 3
mkdir -p "$results/fuzz"
passed=0 failed=0

for name; do
	seeds=tests/fuzz/corpus/${name#fuzz_} log=$results/fuzz/$name.log
	found=$results/fuzz/$name.found
	rm -rf "$found"
	mkdir -p "$found"
	set -- "$found"
	[ ! -d "$seeds" ] || set -- "$found" "$seeds"
	if nice "$programs/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -seed=1 \
		-artifact_prefix="$results/fuzz/$name-" -print_final_stats=1 "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		printf '  %-8s%s: %s runs\n' FUZZ "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
	else
		failed=$((failed + 1))
		printf '  %-8s%s: FAILED, see %s\n' FUZZ "$name" "$log"
		tail -n 20 "$log"
	fi
	rm -rf "$found"
done
echo "$passed $failed" >"$results/fuzz-smoke.count"
echo "fuzz-smoke: $passed passed, $failed failed"
[ "$failed" = 0 ]
