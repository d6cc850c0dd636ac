#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs fuzz targets one after the other at the lowest priority, each until RUNS executions or SECONDS, whichever comes first.
# usage: fuzz-long.sh PROGRAM-DIR RESULT-DIR RUNS SECONDS NAME...
# What a target has learnt stays in RESULT-DIR/fuzz-long/NAME and is where its next run begins. Each run adds a line to
# RESULT-DIR/fuzz-long.tsv: target, executions, seconds, edges covered, features, inputs kept, failed (0 or 1).
set -eu

programs=$1 results=$2 runs=$3 limit=$4
shift 4
mkdir -p "$results/fuzz-long"
failed=0

for name; do
	seeds=tests/fuzz/corpus/${name#fuzz_} log=$results/fuzz-long/$name.log learnt=$results/fuzz-long/$name
	mkdir -p "$learnt"
	set -- "$learnt"
	[ ! -d "$seeds" ] || set -- "$learnt" "$seeds"
	bad=0
	nice -n 19 "$programs/$name" -runs="$runs" -max_total_time="$limit" -timeout=20 -rss_limit_mb=1024 \
		-artifact_prefix="$results/fuzz-long/$name-" -print_final_stats=1 "$@" >"$log" 2>&1 || bad=1
	count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	took=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second.*/\1/p' "$log")
	reached=$(sed -n 's/.*cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1\t\2\t\3/p' "$log" | tail -n 1)
	printf '%s\t%s\t%s\t%s\t%s\n' "$name" "${count:-0}" "${took:-0}" "$reached" "$bad" | tee -a "$results/fuzz-long.tsv"
	if [ "$bad" = 1 ]; then
		failed=$((failed + 1))
		tail -n 20 "$log"
	fi
done
[ "$failed" = 0 ]
