#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One target of run-fuzzers.sh. usage: run-fuzzer.sh PROGRAM-DIR RESULT-DIR SECONDS NAME
# RESULT-DIR gets NAME.log, NAME.passed where nothing was found, and otherwise the input that failed.
set -eu

programs=$1 results=$2 seconds=$3 name=$4
seeds=tests/fuzz/corpus/${name#fuzz_} log=$results/$name.log found=$results/$name.found
mkdir -p "$found"
set -- "$found"
[ ! -d "$seeds" ] || set -- "$found" "$seeds"
if nice "$programs/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -seed=1 \
	-artifact_prefix="$results/$name-" -print_final_stats=1 "$@" >"$log" 2>&1; then
	: >"$results/$name.passed"
	printf '  %-8s%s: %s runs\n' FUZZ "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
else
	printf '  %-8s%s: FAILED, see %s\n%s\n' FUZZ "$name" "$log" "$(tail -n 20 "$log")"
fi
rm -rf "$found"
