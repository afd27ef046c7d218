# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line share: their list, the command under test, and comparisons."""
import os
import pathlib
import subprocess

TESTS = []
ROOT = pathlib.Path(__file__).resolve().parents[2]


def test(function):
    TESTS.append(function)
    return function


class Firn:
    """The command under test, and a folder of its own."""

    def __init__(self, path, folder):
        self.path, self.folder = os.path.abspath(path), pathlib.Path(folder)
        self.db = str(self.folder / "db")

    def run(self, *arguments, input=None, prefix=(), cwd=None):
        return subprocess.run([*prefix, self.path, *arguments], input=input, capture_output=True, text=True, timeout=120,
                              cwd=cwd or self.folder, env={**os.environ, "FIRN_HISTORY": str(self.folder / "history")})

    def ok(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"exit {done.returncode}: {done.stderr}"
        return done.stdout

    def sql(self, sql, *options, database=True):
        return self.ok("sql", *([self.db] if database else []), "-c", sql, *options)

    def csv(self, sql, *options):
        return self.sql(sql, "--format", "csv", *options)

    def fails(self, sql, code, message, *options, exit_code=1):
        done = self.run("sql", self.db, "-c", sql, *options)
        assert done.returncode == exit_code, f"exit {done.returncode}, stdout {done.stdout!r}, stderr {done.stderr!r}"
        first = done.stderr.splitlines()[0]
        assert first.startswith("error: ") and first.endswith(f"({code})"), first
        assert message in first, first
        return done.stderr


def equal(found, expected):
    assert found == expected, f"\n  found    {found!r}\n  expected {expected!r}"
