#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares an independent reader of the format, written from FORMAT.md (firn_reader.py), with the `firn` that is given: same
rows, from databases of every type and every encoding, closed, killed and compressed; and FORMAT.md with both.

    run.py FIRN [--only PART_OF_A_NAME] [--encodings]
    run.py --update-format      writes the annotated hex dump in FORMAT.md anew, from Tests/Golden/tiny

Prints a line a check and, at the end, the number that passed; exit code 1 where one failed. --encodings lists how often each
number that FORMAT.md defines was met.
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import environment

environment.enter()

import command  # noqa: E402 (the packages are there from here on)
import databases  # noqa: E402
import generate  # noqa: E402
import document  # noqa: E402
from reader import coverage, dump, text  # noqa: E402
from reader.cursor import Cursor, FormatError  # noqa: E402
from reader.database import Database  # noqa: E402
from reader.log import LogFile  # noqa: E402
from reader.segment import SegmentFile  # noqa: E402

CHECKS = []

# Whether a firn without compress_chunk() is a failure.
COMPRESSION_IS_MANDATORY = True

# Numbers that only cold data has, and why others need not be met.
COLD = {("scheme", 6), ("scheme", 7), ("compression", 2), ("profile", 1), ("vector", 35), ("record", 5)}
COLD_FAMILIES = {"meaning", "order"}
NOT_WRITTEN = {
    ("record", 12): "a flush writes it while another file is being written: a matter of luck",
    ("value", 0): "extremes, the only single values in files, are never NULL",
    ("value", 10): "intervals have no extremes",
    ("value", 11): "vectors have no extremes",
    **{("section", kind): "a later version's" for kind in (2, 3, 4, 5)},
}


def check(function):
    CHECKS.append(function)
    return function


class Context:
    """The command under test, a folder for databases, and whether a cold one was read."""

    def __init__(self, firn, folder):
        self.folder = pathlib.Path(folder)
        self.firn = command.Firn(firn, folder)
        self.cold = False


def reader_rows(database, table):
    return "\n".join(text.csv_lines(database.tables[table].columns, database.rows(table))) + "\n"


def compare(context, path, tables):
    """The reader, firn and the rows that were put in agree on every table."""
    copied = command.copy(path, context.folder / "copy")
    database, rows = Database(path), 0
    assert sorted(database.tables) == sorted(table.name for table in tables), sorted(database.tables)
    for table in tables:
        found = reader_rows(database, table.name)
        command.same_rows(f"{table.name}, reader and firn", found, context.firn.rows(copied, table.name))
        rows += command.same_rows(f"{table.name}, reader and what was put in", found, table.csv())
    context.firn.check(path)
    return f"{len(tables)} tables, {rows} rows"


@check
def numbers_of_the_document_are_those_of_the_reader(context):
    document.check_numbers()


@check
def dump_in_the_document_is_what_the_reader_finds(context):
    document.check_dump()


@check
def closed_database_of_every_type(context):
    path = context.folder / "closed"
    return compare(context, path, databases.closed(context.firn, path, 3000, 6000, 70_000))


@check
def segment_files_alone_hold_the_same_rows(context):
    """The tails serve those who have the files alone."""
    path = context.folder / "alone"
    tables = databases.closed(context.firn, path, 200, 2000)
    database, found = Database(path), {}
    for file in sorted(path.glob("data/*.seg")):
        for segment in SegmentFile(file.read_bytes(), file.name).segments():
            lines = list(text.csv_lines(segment.columns, segment.rows()))
            found.setdefault(segment.descriptor.table_id, [lines[0]]).extend(lines[1:])
    for table in tables:
        lines = found[database.tables[table.name].table_id]
        command.same_rows(table.name, "\n".join(lines) + "\n", table.csv())


@check
def killed_database_with_a_log(context):
    path = context.folder / "killed"
    tables = databases.killed(context.firn, path, 1000, 132_000)
    return compare(context, path, tables)


@check
def killed_database_after_a_recovery(context):
    """Recovery moves the log into segments; what comes then is in a new epoch, and killed again."""
    path = context.folder / "killed twice"
    tables = databases.killed(context.firn, path, 300)
    # The same rows again, but for keys.
    extra = {table.name: [] if table.primary_key else table.rows[:20] for table in tables}
    context.firn.sql_then_kill(
        path, *[statement for table in tables for statement in context.firn.copy_statements(table, extra[table.name])]
    )
    database = Database(path)
    for table in tables:
        command.same_rows(table.name, reader_rows(database, table.name), table.csv(table.rows + extra[table.name]))


@check
def a_log_of_several_files(context):
    """The last frame of a full log file names the next one."""
    path, choose = context.folder / "several", random.Random(41)
    pieces = [
        generate.Table("noise", [("text", "text", [choose.randbytes(500).hex() for _ in range(3300)])]) for _ in range(11)
    ]
    context.firn.sql(path, pieces[0].ddl())
    context.firn.sql_then_kill(path, *copies(context, pieces))
    assert len(list(path.glob("wal/*.wal"))) > 1, "the log has one file"
    rows = [row for table in pieces for row in table.rows]
    command.same_rows("noise", reader_rows(Database(path), "noise"), pieces[0].csv(rows))
    return f"{len(rows)} rows"


def copies(context, tables):
    """Statements that load each table's rows from a file of its own."""
    statements = []
    for number, table in enumerate(tables):
        path = context.folder / f"noise {number}.csv"
        path.write_text(table.csv(), newline="")
        statements.append(f"COPY {table.name} FROM '{path}' (FORMAT csv, HEADER)")
    return statements


@check
def compressed_database_of_every_type(context):
    if not COMPRESSION_IS_MANDATORY and not databases.can_compress(context.firn):
        return "NOT RUN: this firn has no compress_chunk(); encodings of cold data are not compared"
    path = context.folder / "compressed"
    note = compare(context, path, databases.compressed(context.firn, path, 3000))
    context.cold = True
    return note


@check
def damage_of_any_byte_is_found(context):
    """A changed byte in any file of the tiny database is refused, or takes the last commit as a torn tail does: the rows that
    are read are never others. At every seventh byte firn is asked, too, and says the same."""
    choose = random.Random(7)
    whole = command.records(reader_rows(Database(command.copy(document.TINY, context.folder / "whole")), "t"))
    outcomes = {"refused": 0, "torn tails": 0, "without effect": 0}
    for file in document.tiny_files():
        damaged = command.copy(document.TINY, context.folder / "damaged")
        target = damaged / file.relative_to(document.TINY)
        data = file.read_bytes()  # without the zeros behind the frames of a log
        for offset in range(len(data)):
            change_byte(target, offset, data[offset] ^ 1 << choose.randrange(8))
            place = f"byte {offset} of {file.name}"
            try:
                found = command.records(reader_rows(Database(damaged), "t"))
            except FormatError:
                found = None
            if found is not None and found != whole:
                assert file.suffix == ".wal" and set(found) < set(whole), f"{place} changed the rows"
            outcomes["refused" if found is None else "without effect" if found == whole else "torn tails"] += 1
            if offset % 7 == 0:
                agrees(context.firn, damaged, found, place)
            change_byte(target, offset, data[offset])
    assert outcomes["refused"] > 10 * outcomes["without effect"], outcomes
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())


def change_byte(path, offset, value):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes([value]))


def agrees(firn, database, found, place):
    """firn reads the same rows, or refuses as the reader did; what only its check reads, the check refuses."""
    done = firn.run("sql", database, "--read-only", "-c", "SELECT * FROM t", "--format", "csv")
    if found is not None:
        assert (
            done.returncode == 0 and command.records(done.stdout.decode()) == found
        ), f"{place}: firn says {done.stdout + done.stderr}"
    elif done.returncode == 0:
        assert firn.run("check", database).returncode == 1, f"{place}: the reader refuses it, firn does not"


@check
def damage_inside_of_a_log_is_told_from_a_torn_tail(context):
    """Later frames prove that earlier ones were durable; the last has no witness."""
    path = context.folder / "log"
    context.firn.sql(path, "CREATE TABLE t (number bigint)")
    context.firn.sql_then_kill(path, *[f"INSERT INTO t VALUES ({number})" for number in range(3)])
    (file,) = path.glob("wal/*.wal")
    data = file.read_bytes()
    *earlier, last = [frame.offset for frame in LogFile(Cursor(data)).frames()]
    whole = command.records(reader_rows(Database(path), "t"))
    asked = range(earlier[0], len(data.rstrip(b"\0")), 9)
    for offset in asked:
        change_byte(file, offset, data[offset] ^ 0x40)
        place = f"byte {offset} of the log"
        try:
            found = command.records(reader_rows(Database(path), "t"))
        except FormatError:
            found = None
        assert (found is None) == (
            offset < last
        ) or found == whole, f"{place} is {'refused' if found is None else 'not refused'}"
        agrees(context.firn, path, found, place)
        change_byte(file, offset, data[offset])
    return f"{len(asked)} bytes"


@check
def script_prints_every_kind_of_file(context):
    """The face of the reader for people."""

    def script(*arguments):
        path = pathlib.Path(__file__).with_name("firn_reader.py")
        return subprocess.run([sys.executable, path, *map(str, arguments)], capture_output=True, text=True)

    tiny = command.copy(document.TINY, context.folder / "tiny")
    for file in document.tiny_files():
        assert script("show", tiny / file.relative_to(document.TINY)).stdout.count("\n") >= 1, file
        dumped = script("dump", file)
        assert dumped.stdout.splitlines() == list(dump.dump_lines(file.read_bytes(), file.name)), dumped.stderr
    expected = (document.TINY.with_name("tiny.rows") / "t.csv").read_text()
    command.same_rows("rows", script("rows", tiny, "t").stdout, expected)
    assert 'table 1 "t", 3 columns, 1 rows in the log' in script("list", tiny).stdout
    damaged = context.folder / "damaged CURRENT"
    damaged.write_bytes((document.TINY / "CURRENT").read_bytes()[:-1])
    refused = script("show", damaged)
    assert refused.returncode == 1 and refused.stderr.startswith("error: "), refused


@check
def every_number_of_the_format_was_met(context):
    """By the checks before this one."""
    missing = []
    for family, members in coverage.FAMILIES.items():
        for number, name in members.items():
            cold = (
                family in COLD_FAMILIES
                or (family, number) in COLD
                or family == "scheme of kind"
                and number[0] in (6, 7)
            )
            if (family, number) in coverage.MET or (family, number) in NOT_WRITTEN or (cold and not context.cold):
                continue
            missing.append(f"{family} {number} ({name})")
    assert not missing, f"not met: {', '.join(missing)}"
    stale = [key for key in NOT_WRITTEN if key in coverage.MET and key != ("record", 12)]
    assert not stale, f"met, but listed as not written: {stale}"
    return f"{len(coverage.MET)} met, {len(NOT_WRITTEN)} never written"


def print_encodings():
    for family, members in coverage.FAMILIES.items():
        print(f"  {family}")
        for number, name in members.items():
            note = coverage.MET.get((family, number), NOT_WRITTEN.get((family, number), "not met"))
            print(f"    {'' if isinstance(number, tuple) else number:>4} {name:32} {note}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firn", nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--encodings", action="store_true")
    parser.add_argument("--update-format", action="store_true")
    options = parser.parse_args()
    if options.update_format:
        document.update_format()
        return 0
    if options.firn is None:
        parser.error("FIRN is needed")
    failed, started = 0, time.time()
    chosen = [function for function in CHECKS if options.only in function.__name__]
    folder = tempfile.mkdtemp(prefix="firn-format-")
    context = Context(options.firn, folder)
    try:
        for function in chosen:
            before = time.time()
            try:
                note = function(context)
                print(
                    f"  ok      {function.__name__}"
                    + (f" ({note})" if note else "")
                    + f" {time.time() - before:.1f} s",
                    flush=True,
                )
            except Exception as error:
                failed += 1
                place = traceback.extract_tb(error.__traceback__)
                line = next((frame.lineno for frame in place if frame.name == function.__name__), 0)
                print(f"  FAILED  {function.__name__} (line {line}): {type(error).__name__} {error}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.encodings:
        print_encodings()
    print(f"format reader: {len(chosen) - failed} of {len(chosen)} passed ({time.time() - started:.0f} s)")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
