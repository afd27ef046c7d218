#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs all checks and closes with one line, "N passed, N failed": unit tests count one by one, every other check as one.
# A check that fails does not stop the ones behind it. Builds each configuration once: firn in .build (release), tests
# in .build-test (debug).
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
failures=()

check() { # check NAME COMMAND…
    local name=$1
    shift
    local started=$SECONDS
    printf '== %s\n' "$name"
    if "$@"; then
        passed=$((passed + 1))
        printf '== %s: passed (%d s)\n' "$name" $((SECONDS - started))
    else
        failed=$((failed + 1))
        failures+=("$name")
        printf '== %s: FAILED (%d s)\n' "$name" $((SECONDS - started))
    fi
}

unit_tests() {
    local log status ok bad
    log=$(mktemp)
    # A run takes minutes; one that hangs shall say where instead of using up all the time there is.
    timeout --kill-after=10 2400 swift test --disable-xctest --scratch-path .build-test >"$log" 2>&1
    status=$?
    grep -aE "error:|warning:|✘|recorded an issue|Test run with" "$log"
    if [ "$status" -ge 124 ]; then
        echo "the unit tests did not end; begun and not ended:"
        LC_ALL=C sed -nE 's/^[^[:alnum:]]*Test (.*) started\.$/\1/p' <(grep -avE 'Test (case|run)' "$log") | sort >"$log.begun"
        LC_ALL=C sed -nE 's/^[^[:alnum:]]*Test (.*) (passed|failed|skipped).*$/\1/p' "$log" |
            sed -E 's/ with [0-9]+ test cases?$//' | sort >"$log.ended"
        comm -23 "$log.begun" "$log.ended"
        rm -f "$log.begun" "$log.ended"
    fi
    # Swift Testing names each test once more when it ends: "✔ Test name() passed after 0.1 seconds."
    ok=$(LC_ALL=C grep -acE '^[^[:alnum:]]*Test .* passed after' <(grep -av 'Test run with' "$log"))
    bad=$(LC_ALL=C grep -acE '^[^[:alnum:]]*Test .* failed after' <(grep -av 'Test run with' "$log"))
    if [ "$ok" -eq 0 ]; then
        tail -n 40 "$log"
        echo "no unit test ran"
        status=1
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    # Every failed test is counted already; a run that died between tests has a failed process alone.
    if [ "$bad" -gt 0 ]; then
        failures+=("$bad unit tests")
        status=0
    fi
    rm -f "$log"
    return "$status"
}

check "formatting" swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Examples \
    fuzz/Package.swift fuzz/Harness fuzz/Targets
check "build of firn without warnings" Scripts/build-without-warnings.sh
check "unit tests" unit_tests
check "documentation without warnings" Scripts/documentation.sh
check "command line" python3 Tests/CommandLine/run.py .build/release/firn
check "format reader" python3 Tests/Format/run.py .build/release/firn
check "golden files" python3 Tests/Golden/check.py .build/release/firn
check "kill -9 of a synced ingest, 25 rounds" python3 Scripts/kill-loop.py .build/release/firn --rounds 25
check "example program" swift run --package-path Examples/Embed

for failure in "${failures[@]+"${failures[@]}"}"; do printf 'failed: %s\n' "$failure"; done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
