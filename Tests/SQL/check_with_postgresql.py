#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Runs the .slt files in PostgreSQL and tells where its answers differ from what they say.
#
#     check_with_postgresql.py CONNECTION [FILE.slt …]      CONNECTION as psql takes it: "host=/tmp user=postgres"
#
# Each file runs in a schema of its own, by one psql; records marked `onlyif firn`, those that expect 0A000, those of
# other connections, and files that say `# Of Firn alone.` are left out.
# Exit code 1 when a record differs.

import pathlib
import re
import subprocess
import sys


def expand(lines):
    """The lines with loops written out; each line with its number."""
    output, index = [], 0
    while index < len(lines):
        number, text = lines[index]
        words = text.split()
        index += 1
        if not words or words[0] not in ("loop", "foreach") or len(words) < 3:
            output.append((number, text))
            continue
        depth, first = 1, index
        while depth:
            head = (lines[index][1].split() or [""])[0]
            depth += head in ("loop", "foreach")
            depth -= head == "endloop"
            index += 1
        values = words[2:] if words[0] == "foreach" else map(str, range(int(words[2]), int(words[3])))
        for value in values:
            output += expand([(n, t.replace("${%s}" % words[1], value)) for n, t in lines[first:index - 1]])
    return output


def records(path):
    """(line, words of the directive, SQL, expected rows) for each record that PostgreSQL runs."""
    lines = expand(list(enumerate(path.read_text().split("\n"), 1)))
    index, skipped = 0, False
    while index < len(lines):
        number, text = lines[index]
        words = text.split()
        index += 1
        if not words or words[0].startswith("#") or words[0] in ("restart", "skip-layouts"):
            continue
        if words[0] == "halt":
            return
        if words[0] in ("skipif", "onlyif"):
            skipped |= (words[1] == "postgresql") == (words[0] == "skipif")
            continue
        if words[0] == "connection":
            skipped = True
            continue
        sql, rows = [], []
        while index < len(lines) and lines[index][1] not in ("", "----"):
            sql.append(lines[index][1])
            index += 1
        if index < len(lines) and lines[index][1] == "----":
            index += 1
            while index < len(lines) and lines[index][1]:
                rows.append(lines[index][1])
                index += 1
        # What Firn does not have yet is an error of its own.
        if not skipped and words[1:3] != ["error", "0A000"]:
            yield number, words, "\n".join(sql), rows
        skipped = False


def same(found, expected, letter):
    if found == expected:
        return True
    try:
        return letter == "R" and abs(float(found) - float(expected)) <= 1e-14 * max(abs(float(found)), abs(float(expected)))
    except ValueError:
        return False


def difference(words, rows, found, errors):
    """What differs, or None."""
    if words[1] == "error":
        return None if words[2] in errors else f"{errors or found}, not an error {words[2]}"
    if errors:
        return f"error {errors}"
    if words[0] != "query":
        return None
    found = [[value if value else "(empty)" for value in row.split("\t")] for row in found]
    rows = [row.split("\t") for row in rows]
    order = words[2] if len(words) > 2 else "nosort"
    if order == "rowsort":
        found, rows = sorted(found), sorted(rows)
    elif order == "valuesort":
        found, rows = (sorted([value] for row in table for value in row) for table in (found, rows))
    letters = words[1] if order != "valuesort" else "T"
    if len(found) == len(rows) and all(
            len(a) == len(b) and all(same(x, y, letter) for x, y, letter in zip(a, b, letters)) for a, b in zip(found, rows)):
        return None
    return f"found {found}\n    not {rows}"


def check(connection, path):
    script = [r"\set VERBOSITY sqlstate", r"\pset null NULL", r"\pset format unaligned", r"\pset fieldsep '\t'",
              r"\pset tuples_only on", "SET client_min_messages = error;", "DROP SCHEMA IF EXISTS slt CASCADE;",
              "CREATE SCHEMA slt;", "SET search_path = slt;", "SET timezone = 'UTC';"]
    todo = list(records(path))
    for position, (_, _, sql, _) in enumerate(todo):
        script += [rf"\echo @@{position}", sql + "\n;"]
    script.append("\\echo @@end\nDROP SCHEMA slt CASCADE;")
    output = subprocess.run(
        ["psql", "-X", "-q", "-d", connection], input="\n".join(script), text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False).stdout
    differences = 0
    for position, (line, words, sql, rows) in enumerate(todo):
        part = output.split(f"@@{position}\n", 1)[1].split("@@", 1)[0] if f"@@{position}\n" in output else ""
        found = part.split("\n")[:-1]
        errors = [m.group(1) for row in found if (m := re.match(r"^(?:psql:.*?: )?ERROR:  (\w{5})$", row))]
        told = difference(words, rows, found, errors)
        if told:
            differences += 1
            print(f"{path}:{line}: {told}\n    {sql}")
    print(f"{path}: {len(todo)} records, {differences} differ")
    return differences


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: check_with_postgresql.py CONNECTION [FILE.slt …]")
    paths = [pathlib.Path(name) for name in sys.argv[2:]] or sorted(pathlib.Path(__file__).parent.glob("*.slt"))
    paths = [path for path in paths if "# Of Firn alone." not in path.read_text()]
    sys.exit(1 if sum(check(sys.argv[1], path) for path in paths) else 0)


if __name__ == "__main__":
    main()
