#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads all golden files with the `firn` that is given and with the reader of Tests/Format, and compares both with the rows
that were put in. `firn inspect` and `firn check` must accept every file; the files stay as they are (copies are opened).

    check.py FIRN
"""

import argparse
import hashlib
import pathlib
import sys
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(GOLDEN.parent / "Format"))
import environment  # noqa: E402

environment.enter()

import command  # noqa: E402
from reader import text  # noqa: E402
from reader.cursor import FORMAT_VERSION  # noqa: E402
from reader.database import Database  # noqa: E402


def fingerprint(database):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(database.rglob("*")) if path.is_file()
    }


def check(firn, database, scratch):
    """Both readers give the rows that stand beside the database."""
    copied = command.copy(database, scratch / "copy")
    before = fingerprint(copied)
    expected = {
        path.stem: path.read_bytes().decode("utf-8")
        for path in database.with_name(f"{database.name}.rows").glob("*.csv")
    }
    read, rows = Database(copied), 0
    assert sorted(read.tables) == sorted(expected), f"tables {sorted(read.tables)}, expected {sorted(expected)}"
    for table, text_of_rows in expected.items():
        found = "\n".join(text.csv_lines(read.tables[table].columns, read.rows(table))) + "\n"
        command.same_rows(f"{table}, the reader", found, text_of_rows)
        rows += command.same_rows(f"{table}, firn", firn.rows(copied, table), text_of_rows)
    assert fingerprint(copied) == before, "reading changed files"
    firn.check(database)
    return f"{len(expected)} tables, {rows} rows"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firn")
    options = parser.parse_args()
    found = sorted(path.with_name(path.name.removesuffix(".rows")) for path in GOLDEN.glob("**/*.rows"))
    failed = 0
    for database in found:
        with tempfile.TemporaryDirectory(prefix="firn-golden-") as folder:
            scratch = pathlib.Path(folder)
            name = database.relative_to(GOLDEN)
            try:
                print(f"  ok      {name} ({check(command.Firn(options.firn, folder), database, scratch)})", flush=True)
            except Exception as error:
                failed += 1
                print(f"  FAILED  {name}: {type(error).__name__} {error}", flush=True)
    wanted = [GOLDEN / "tiny"] + [
        GOLDEN / f"v{version}" / name
        for version in range(1, FORMAT_VERSION + 1)
        for name in ("closed", "killed", "compressed")
    ]
    for database in wanted:
        if database not in found:
            failed += 1
            print(f"  FAILED  {database.relative_to(GOLDEN)} is missing")
    print(f"golden files: {len(found) - min(failed, len(found))} of {len(found)} databases read")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
