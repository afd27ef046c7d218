#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# public-symbols.sh GRAPHS [--write]: compares the public symbols in Firn's symbol graphs with docs/public-symbols.txt, so that
# nothing becomes public, or stops being so, by accident. --write writes the list anew.
set -euo pipefail
graphs=$(realpath "$1")
cd "$(dirname "$0")/.."
list=docs/public-symbols.txt
found=$(mktemp)
# Members that conformances bring along (synthesised ones) are not ours.
jq -r '.symbols[] | select(.accessLevel == "public") | select(.identifier.precise | test("::SYNTHESIZED::") | not)
    | .kind.identifier + " " + (.pathComponents | join("."))' "$graphs"/Firn*.symbols.json |
    sed 's/^swift\.//' | LC_ALL=C sort -u >"$found"
if [ "${2:-}" = --write ]; then
    mv "$found" "$list"
    chmod 644 "$list"
    exit
fi
if ! diff -u "$list" "$found"; then
    echo "the public symbols differ from $list; if that is meant: Scripts/documentation.sh --write-symbols" >&2
    exit 1
fi
rm -f "$found"
