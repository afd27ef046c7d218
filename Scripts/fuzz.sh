#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets and fuzzes one: Scripts/fuzz.sh TARGET SECONDS. What it learns is kept in fuzz/.build/corpus,
# what it finds in fuzz/.build/findings, each under the target's name. Exits 1 with a finding.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
target=${1:?"give a target: make fuzz TARGET=page"}
seconds=${2:-60}

swift build -c release --sanitize fuzzer -Xswiftc -enable-testing
# Inputs larger than what a target needs to meet every branch cost executions.
case $target in
current) byteCountMax=64 ;;
column | csv | sql) byteCountMax=600 ;;
page | rows | manifest) byteCountMax=6000 ;;
*) byteCountMax=20000 ;;
esac
mkdir -p ".build/corpus/$target" ".build/findings/$target"
inputs=("corpus/$target")
[ -d "regressions/$target" ] && inputs+=("regressions/$target")
# A finding in the committed inputs must stop the run, too: libFuzzer reads them first.
# A trap must reach libFuzzer, which keeps the input, and not the backtracer.
SWIFT_BACKTRACE=enable=no FIRN_FUZZ_TARGET=$target timeout -k 5 $((seconds + 120)) .build/release/Fuzz \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=$byteCountMax -use_value_profile=1 \
    -artifact_prefix=".build/findings/$target/" -print_final_stats=1 ".build/corpus/$target" "${inputs[@]}"
