#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs each fuzz target over its corpus and then for a few seconds on inputs of its own, one a processor at a time. Each
# target is one check.
# usage: run-fuzzers.sh PROGRAM-DIR RESULT-DIR SECONDS NAME...
# RESULT-DIR/fuzz-smoke.count gets "PASSED FAILED"; a failing input stays in RESULT-DIR/fuzz/.
set -eu

programs=$1 results=$2 seconds=$3
shift 3
rm -rf "$results/fuzz"
mkdir -p "$results/fuzz"
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "${0%s.sh}.sh" "$programs" "$results/fuzz" "$seconds" || :
passed=$(find "$results/fuzz" -name '*.passed' | wc -l)
failed=$(($# - passed))
echo "$passed $failed" >"$results/fuzz-smoke.count"
echo "fuzz-smoke: $passed passed, $failed failed"
[ "$failed" = 0 ]
