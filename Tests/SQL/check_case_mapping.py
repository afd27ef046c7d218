#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lower and upper of every character with towlower and towupper of the C library in a locale of UTF-8, which is
what PostgreSQL calls. Characters that the C library does not know are of a newer Unicode, and listed as such.

    python3 Tests/SQL/check_case_mapping.py .build/release/firn
"""

import csv
import ctypes
import io
import pathlib
import subprocess
import sys
import tempfile

LC_ALL = 6
# What a line of CSV, or its reader, takes for the end of a line.
LINE_ENDS = {0x0A, 0x0D, 0x85, 0x2028, 0x2029}


def main(firn):
    libc = ctypes.CDLL(None)
    if not libc.setlocale(LC_ALL, b"C.UTF-8"):
        sys.exit("there is no locale C.UTF-8 here")
    for function in (libc.towlower, libc.towupper):
        function.argtypes, function.restype = [ctypes.c_uint], ctypes.c_uint
    codes = [c for c in range(0x21, 0x110000) if not 0xD800 <= c <= 0xDFFF and c not in LINE_ENDS]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "characters.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows((c, chr(c)) for c in codes)
        statements = (
            "CREATE TABLE c (code integer, t text)",
            f"COPY c FROM '{path}' WITH (FORMAT csv)",
            "SELECT code, lower(t), upper(t) FROM c ORDER BY code",
        )
        command = [firn, "sql", "--format", "csv"]
        for statement in statements:
            command += ["-c", statement]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line for line in output.split("\n") if "," in line]
    wrong, newer, seen = [], [], 0
    for row in csv.reader(io.StringIO("\n".join(lines[1:]))):
        seen += 1
        code = int(row[0])
        for found, wanted in ((row[1], chr(libc.towlower(code))), (row[2], chr(libc.towupper(code)))):
            if found != wanted:
                (newer if wanted == chr(code) else wrong).append((code, found, wanted))
    print(f"{seen} characters, {len(wrong)} differ, {len(newer)} have a case here alone")
    for code, found, wanted in wrong + newer:
        print(f"U+{code:04X}: {found!r}, the C library says {wanted!r}")
    return 1 if wrong or seen != len(codes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
