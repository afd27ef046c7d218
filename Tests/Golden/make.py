#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden files of a format version, with a `firn` that writes it. See README.md.

make.py FIRN tiny       the small databases that FORMAT.md explains byte by byte (tiny, pages), and the dumps in FORMAT.md
make.py FIRN VERSION    those, and v<VERSION>: databases closed, killed and compressed; refuses to replace a version
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(GOLDEN.parent / "Format"))
import environment  # noqa: E402

environment.enter()

import command  # noqa: E402
import databases  # noqa: E402
import document  # noqa: E402
from reader import coverage  # noqa: E402
from reader.cursor import FORMAT_VERSION  # noqa: E402
from reader.database import Database  # noqa: E402


def keep(folder, name, build):
    """Builds a database, and beside it the rows that were put in."""
    database = folder / name
    tables = build(database)
    command.without_holes(database)
    expected = folder / f"{name}.rows"
    shutil.rmtree(expected, ignore_errors=True)
    expected.mkdir()
    for table in tables:
        (expected / f"{table.name}.csv").write_text(table.csv(), newline="")
    bytes_on_disk = sum(path.stat().st_size for path in database.rglob("*") if path.is_file())
    print(f"{database.relative_to(GOLDEN)}: {len(tables)} tables, {bytes_on_disk:,} bytes")


def print_what_is_missing(folder, scratch):
    """The numbers that FORMAT.md defines and these files do not have, for whoever can do better."""
    for expected in folder.glob("*.rows"):
        database = Database(command.copy(expected.with_name(expected.name.removesuffix(".rows")), scratch / "copy"))
        for table in database.tables:
            database.rows(table)
    missing = [
        f"{family} {number} ({name})"
        for family, members in coverage.FAMILIES.items()
        for number, name in members.items()
        if (family, number) not in coverage.MET
    ]
    print(f"not in these files: {', '.join(missing) or 'nothing'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firn")
    parser.add_argument("version")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firn-golden-") as scratch:
        firn = command.Firn(options.firn, scratch)
        if options.version != "tiny":
            if int(options.version) != FORMAT_VERSION:
                sys.exit(
                    f"error: the reader knows version {FORMAT_VERSION} (FORMAT_VERSION in Tests/Format/reader/cursor.py)"
                )
            folder = GOLDEN / f"v{options.version}"
            if folder.exists():
                sys.exit(
                    f"error: {folder} is there; golden files are for ever. Remove it by hand if it was never released."
                )
            if not databases.can_compress(firn):
                sys.exit("error: this firn has no compress_chunk(): cold data would be missing")
            folder.mkdir()
            keep(folder, "closed", lambda database: databases.closed(firn, database, 400, 1500))
            keep(folder, "killed", lambda database: databases.killed(firn, database, 40))
            keep(folder, "compressed", lambda database: databases.compressed(firn, database, 150))
            print_what_is_missing(folder, pathlib.Path(scratch))
        keep(GOLDEN, "tiny", lambda database: databases.tiny(firn, database))
        keep(GOLDEN, "pages", lambda database: databases.pages(firn, database))
    document.update_format()


if __name__ == "__main__":
    main()
