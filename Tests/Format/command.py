# SPDX-License-Identifier: Apache-2.0
"""The `firn` command under test: statements, tables from CSV, a kill, and rows to compare with."""

import os
import pathlib
import shutil
import signal
import subprocess


class Firn:
    def __init__(self, path, folder):
        self.path, self.folder = os.path.abspath(path), pathlib.Path(folder)

    def run(self, *arguments):
        return subprocess.run([self.path, *map(str, arguments)], capture_output=True, timeout=600)

    def ok(self, *arguments):
        done = self.run(*arguments)
        assert (
            done.returncode == 0
        ), f"firn {' '.join(map(str, arguments))[:200]}: exit {done.returncode}: {done.stderr.decode()}"
        return done.stdout.decode("utf-8")

    def sql(self, database, *statements, options=()):
        return self.ok("sql", database, *[part for statement in statements for part in ("-c", statement)], *options)

    def rows(self, database, table):
        """The table's rows as CSV; the database is not changed."""
        return self.ok("sql", database, "--read-only", "-c", f"SELECT * FROM {table}", "--format", "csv")

    def copy_statements(self, table, rows=None):
        """Statements that load the table's rows from a file."""
        path = self.folder / f"{table.name}.csv"
        path.write_text(table.csv(rows), newline="")
        return [f"COPY {table.name} FROM '{path}' (FORMAT csv, HEADER)"]

    def sql_then_kill(self, database, *statements):
        """Runs statements, each acknowledged before the next, and kills the process: nothing is closed."""
        process = subprocess.Popen(
            [self.path, "sql", str(database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            for statement in statements:
                process.stdin.write(statement + ";\n")
                process.stdin.flush()
                answer = process.stdout.readline()
                assert answer and not answer.startswith(
                    "error"
                ), f"{statement[:200]}: {answer}{process.stdout.read() if not answer else ''}"
                while statement.startswith("SELECT") and not answer.startswith("("):  # a result, not a tag
                    answer = process.stdout.readline()
                    assert answer, statement
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def check(self, database):
        """Checks a copy of the database, for a check waits for nobody and this one may be in version control."""
        copied = copy(database, self.folder / "checked")
        self.ok("check", copied)
        for path in sorted(path for path in copied.rglob("*") if path.is_file()):
            self.ok("inspect", path)
        shutil.rmtree(copied)


def without_holes(database):
    """Cuts the zeros behind the frames of log files, which version control would keep as bytes."""
    for path in database.glob("wal/*.wal"):
        data = path.read_bytes().rstrip(b"\0")
        with path.open("r+b") as file:
            file.truncate((len(data) + 7) // 8 * 8)


def copy(database, to):
    """A copy of a database's folder. Version control keeps no empty folders and no holes: the folders that it lost are made
    again, and log files get the size that their headers say they had."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(database, to)
    for name in ("wal", "data"):
        (to / name).mkdir(exist_ok=True)
    for path in to.glob("wal/*.wal"):
        with path.open("r+b") as file:
            header = file.read(128)
            byte_count = int.from_bytes(header[112:120], "little", signed=True)
            if byte_count > path.stat().st_size:
                file.truncate(byte_count)
    return to


def records(text):
    """The records of a CSV text, sorted, as they are written (NULL and the quoted empty text differ); first the header."""
    found, open_lines = [], ""
    for line in text.split("\n")[:-1]:
        open_lines += line
        if open_lines.count('"') % 2:
            open_lines += "\n"
        else:
            found.append(open_lines)
            open_lines = ""
    assert not open_lines, "the last record is cut off"
    return found[:1] + sorted(found[1:])


def same_rows(what, found, expected):
    """Fails and shows the first record that differs."""
    found, expected = records(found), records(expected)
    for number, (one, other) in enumerate(zip(found, expected)):
        assert (
            one == other
        ), f"{what}, record {number} of the sorted ones:\n    found    {one[:600]}\n    expected {other[:600]}"
    assert len(found) == len(expected), f"{what}: {len(found) - 1} rows, expected {len(expected) - 1}"
    return len(found) - 1
