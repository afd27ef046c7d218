#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds firn in release and fails on any warning in our own sources.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
swift build -c release --product firn 2>&1 | tee "$log" | grep -E "error:|warning:|Compiling|Build" | tail -n 20
status=${PIPESTATUS[0]}
if grep -E "^$PWD/(Sources|Tests)/.*warning:" "$log"; then status=1; fi
rm -f "$log"
exit "$status"
