#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures the encodings on real columns beside pcodec, Zstandard and Parquet: make bench-encodings DATA=folder.
#
# Writes the table into docs/encodings.md, which says what the folder holds. The engine is built in .build-encodings,
# open to the program that measures it; the peers' packages go into .venv-bench.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${1:-}
if [ -z "$data" ] || [ ! -d "$data" ]; then
    echo "bench-encodings: DATA=folder names the folder of real columns that docs/encodings.md describes" >&2
    exit 1
fi

log=$(mktemp)
echo "bench-encodings: building firn-encodings" >&2
build=(swift build --package-path Benchmarks --scratch-path .build-encodings -c release --product firn-encodings
    -Xswiftc -enable-testing)
if ! "${build[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi

stamp=.venv-bench/requirements.txt
if ! cmp -s Benchmarks/requirements.txt "$stamp"; then
    echo "bench-encodings: installing the peers' packages in .venv-bench" >&2
    python3 -m venv .venv-bench >"$log" 2>&1
    .venv-bench/bin/pip install --quiet --disable-pip-version-check -r Benchmarks/requirements.txt >"$log" 2>&1
    cp Benchmarks/requirements.txt "$stamp"
fi

exec .venv-bench/bin/python Benchmarks/encodings.py .build-encodings/release/firn-encodings "$data" \
    --write docs/encodings.md
