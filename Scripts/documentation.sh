#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the DocC documentation of the library Firn into .build-docs/Firn.doccarchive; any warning fails, and so does a
# public symbol that docs/public-symbols.txt does not list (--write-symbols writes the list anew).
# Uses the toolchain's own docc on the module that the tests built, so that users resolve no plugin.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build --target Firn --scratch-path .build-test >/dev/null
built=$(swift build --scratch-path .build-test --show-bin-path)
graphs=.build-docs/symbol-graphs
rm -rf "$graphs" && mkdir -p "$graphs"
target=$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)",.*/\1/p' | head -n 1)
includes=()
for map in "$built"/*.build/module.modulemap Sources/*/module.modulemap Sources/CKernels/include; do
    [ -f "$map" ] && includes+=(-Xcc "-fmodule-map-file=$map")
done
for folder in "$built/../checkouts"/*/Sources/*/include .build-test/checkouts/*/Sources/*/include; do
    [ -d "$folder" ] && includes+=(-I "$folder")
done
swift symbolgraph-extract -module-name Firn -I "$built/Modules" "${includes[@]}" -target "$target" \
    -minimum-access-level public -output-dir "$graphs" >/dev/null
find "$graphs" -name '*.symbols.json' ! -name 'Firn.symbols.json' ! -name 'Firn@*' -delete
if [ "${1:-}" = --write-symbols ]; then Scripts/public-symbols.sh "$graphs" --write; fi
Scripts/public-symbols.sh "$graphs"
log=$(mktemp)
docc convert Sources/Firn/Firn.docc --fallback-display-name Firn --fallback-bundle-identifier firn \
    --additional-symbol-graph-dir "$graphs" --output-path .build-docs/Firn.doccarchive 2>&1 | tee "$log"
if grep -q "warning:\|error:" "$log"; then
    echo "the documentation has warnings" >&2
    exit 1
fi
rm -f "$log"
