# SPDX-License-Identifier: Apache-2.0
"""What FORMAT.md itself is held to: its tables are the reader's, and its hex dump is what the reader finds in a file."""

import re

import worked
from environment import ROOT
from reader import coverage, dump

FORMAT = ROOT / "FORMAT.md"
TINY = ROOT / "Tests" / "Golden" / "tiny"

def marks(name):
    """What stands around a part of FORMAT.md that is written by this file."""
    return f"<!-- begin: dump of Tests/Golden/{name} -->", f"<!-- end: dump of Tests/Golden/{name} -->"


# The tables of FORMAT.md that define numbers: heading, family of the reader. A row begins `| 1 name |` or `| 1 | name |`.
TABLES = [
    ("### Records", "record"),
    ("### Rows", "form of rows"),
    ("## Pages", "scheme"),
    ("### Integer vectors", "integer vector"),
]

# Numbers that FORMAT.md explains without a name, and combinations.
UNNAMED = {
    "bitmap",
    "packed block",
    "ALP near form",
    "ALP far values",
    "order",
    "scheme of kind",
    "vector",
    "scales of rows",
    "code bytes of rows",
}


def section(text, heading):
    start = text.index(f"\n{heading}\n") + len(heading) + 2
    following = re.search(r"^#+ ", text[start:], re.MULTILINE)
    return text[start : start + following.start()] if following else text[start:]


def check_numbers():
    """Every number of the reader stands in FORMAT.md with its name, and no table of FORMAT.md has one more."""
    text = FORMAT.read_text()
    for heading, family in TABLES:
        rows = re.findall(r"^\| (\d+)(?: \|)? ([^|]+?) \|", section(text, heading), re.MULTILINE)
        found = {int(number): name for number, name in rows}
        assert (
            found == coverage.FAMILIES[family]
        ), f"FORMAT.md, {heading}: {found}\n    the reader: {coverage.FAMILIES[family]}"
    words = " ".join(re.sub(r"[|`\[\]─│]", " ", text).split())
    for family, members in coverage.FAMILIES.items():
        for number, name in members.items():
            assert (
                family in UNNAMED or f"{number} {name}" in words
            ), f'FORMAT.md does not say "{number} {name}" ({family})'


def tiny_files():
    """The files of the tiny database, in the order in which one is reached from the other."""
    return [
        TINY / "CURRENT",
        *sorted(TINY.glob("manifest-*")),
        *sorted(TINY.glob("data/*.seg")),
        *sorted(TINY.glob("wal/*.wal")),
    ]


def hex_dump():
    parts = []
    for path in tiny_files():
        name = str(path.relative_to(TINY))
        parts.append(f"{name}:\n")
        parts += [f"    {line}".rstrip() for line in dump.dump_lines(path.read_bytes(), name)][1:]
        parts.append("")
    return "\n".join(parts)


def with_dump(text):
    for name, dumped in (("tiny", hex_dump()), ("pages", worked.text())):
        begin, end = marks(name)
        before, rest = text.split(begin)
        text = f"{before}{begin}\n\n{dumped}\n{end}{rest.split(end)[1]}"
    return text


def check_dump():
    text = FORMAT.read_text()
    assert (
        with_dump(text) == text
    ), "the dump in FORMAT.md is not that of Tests/Golden: run Tests/Format/run.py --update-format"


def update_format():
    FORMAT.write_text(with_dump(FORMAT.read_text()))
