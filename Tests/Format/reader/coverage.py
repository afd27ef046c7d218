# SPDX-License-Identifier: Apache-2.0
"""Which of the numbers that FORMAT.md defines (encodings, forms, tags) a run has met.

A *family* is a table of numbers and names. Whoever reads such a number looks it up here, so that an unknown one is refused
and a known one counted."""

from .cursor import FormatError

FAMILIES = {}  # family name: {number: name}
MET = {}  # (family name, number): how often


def family(name, members):
    FAMILIES[name] = members
    return name


def meet(name, number):
    """Counts the number and gives its name; refuses one that FORMAT.md does not know."""
    members = FAMILIES[name]
    if number not in members:
        raise FormatError(f"{name} {number} is not known")
    MET[name, number] = MET.get((name, number), 0) + 1
    return members[number]
