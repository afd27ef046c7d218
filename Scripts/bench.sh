#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds firn-bench, makes sure of the peers' Python packages, and measures Firn beside them: make bench.
#
#     SCALE=0.05 ENGINES=firn,postgres RUNS=9 SEED=n BENCH_DIR=/var/tmp make bench
#
# A peer that cannot be had is skipped by name. PostgreSQL comes from apt (postgresql-15); nothing is installed outside
# of .venv-bench. The two packages are built in folders of their own, so nothing else is rebuilt.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "bench: building firn-bench" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! swift build --package-path Benchmarks -c release --product firn-bench >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi

python=python3
engines=${ENGINES:-firn,postgres,duckdb}
if [ "$engines" != firn ]; then
    stamp=.venv-bench/requirements.txt
    if ! cmp -s Benchmarks/requirements.txt "$stamp"; then
        echo "bench: installing the peers' packages in .venv-bench" >&2
        if python3 -m venv .venv-bench >"$log" 2>&1 &&
            .venv-bench/bin/pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt >"$log" 2>&1; then
            cp Benchmarks/requirements.txt "$stamp"
        else
            tail -n 3 "$log" >&2
            echo "bench: the packages could not be installed; the peers that need them are skipped" >&2
        fi
    fi
    if [ -x .venv-bench/bin/python ]; then python=.venv-bench/bin/python; fi
fi

exec "$python" Benchmarks/compare.py Benchmarks/.build/release/firn-bench --engines "$engines" \
    --scale "${SCALE:-1}" --runs "${RUNS:-9}" ${SEED:+--seed "$SEED"} ${BENCH_DIR:+--folder "$BENCH_DIR"} "$@"
