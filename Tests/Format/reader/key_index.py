# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Key index: the directory, the pages it names, and for every row whether it stands under its key."""

import re
import struct

from . import pages, values
from .cursor import require
from .doubles import double_of

BLOCK_ENTRIES_MAX = 16_384
WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
NAN = 0x7FF8000000000000


class KeyIndex:
    """`entries` are (hash, row), ascending; `check` compares them with the rows."""

    def __init__(self, segment, location):
        self.name = f"{segment.name}, key index"
        directory = segment.blocks.open(location, "key index")
        self.hash_bits = directory.u8("hash bits")
        require(1 <= self.hash_bits <= 40, f"{self.name}: hashes of {self.hash_bits} bits")
        self.column_ids = values.read_column_ids(directory, "key")
        require(self.column_ids, f"{self.name}: a key without columns")
        row_count = directory.varint("row count")
        require(row_count == segment.descriptor.row_count, f"{self.name}: {row_count} rows")
        blocks = segment.blocks.from_start()
        listed, first = [], 0
        for _ in range(directory.varint("block count")):
            first += directory.varint("first hash, distance")
            count = directory.varint("entry count")
            require(1 <= count <= BLOCK_ENTRIES_MAX, f"{self.name}: a block of {count} entries")
            listed.append((first, count, blocks.location(directory), blocks.location(directory)))
        directory.finish("the directory")
        require(sum(block[1] for block in listed) == row_count, f"{self.name}: entries for other than {row_count} rows")
        self.entries = []
        for first, count, *locations in listed:
            hashes, rows = (
                pages.read_page(segment.blocks.open(where, f"{what} of the key index"), pages.INT64)
                for where, what in zip(locations, ("hashes", "rows"))
            )
            require(len(hashes) == len(rows) == count, f"{self.name}: a block of other than {count} entries")
            require(hashes[0] == first, f"{self.name}: a block begins with {hashes[0]}, not with {first}")
            self.entries += zip(hashes, rows)
        require(
            all(a < b for a, b in zip(self.entries, self.entries[1:])),
            f"{self.name}: entries are out of order",
        )
        require(sorted(row for _, row in self.entries) == list(range(row_count)), f"{self.name}: a row stands twice")

    def check(self, columns, rows, header):
        """Every row is where the hash of its key says."""
        places = [next(place for place, one in enumerate(columns) if one.id == wanted) for wanted in self.column_ids]
        for hash_found, row in self.entries:
            state = seed = seed_of(header.database_id)
            for place in places:
                value, tag = rows[row][place], columns[place].type.tag
                if tag == values.JSONB and header.version >= 2:
                    value = without_zeros(value)
                state = mix_value(state, seed, value, tag)
            require(state >> 64 - self.hash_bits == hash_found, f"{self.name}: row {row} is not under its key")


# A string, or the digits behind a point up to the last that is not 0, and the zeros behind them.
JSON_PARTS = re.compile(rb'("(?:[^"\\]|\\.)*")|\.(\d*?)0*(?!\d)', re.DOTALL)


def mix(state, value):
    bits = ((state ^ value & WORD) + GOLDEN) & WORD
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & WORD
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & WORD
    return bits ^ bits >> 31


def mix_wide(state, value):
    return mix(mix(state, value), value >> 64)


def seed_of(database_id):
    return mix_wide(GOLDEN, database_id)


def mix_value(state, seed, value, tag):
    if tag in (values.REAL, values.DOUBLE):
        return mix(state, canonical_double(value, tag == values.REAL))
    if tag == values.VECTOR:
        for element in value:
            state = mix(state, canonical_double(element, True))
        return state
    if tag == values.NUMERIC:
        coefficient, scale = value
        while scale > 0 and coefficient % 10 == 0:
            coefficient, scale = coefficient // 10, scale - 1
        return mix(mix_wide(state, coefficient), scale)
    if tag == values.UUID:
        return mix_wide(state, value)
    if tag == values.INTERVAL:
        months, days, microseconds = value
        return mix_wide(state, (months * 30 + days) * 86_400_000_000 + microseconds)
    if isinstance(value, bytes):
        whole = len(value) // 8 * 8
        inner = mix(seed, len(value))
        for (word,) in struct.iter_unpack("<Q", value[:whole]):
            inner = mix(inner, word)
        return mix(state, mix(inner, int.from_bytes(value[whole:], "big")))
    return mix(state, int(value))


def without_zeros(document):
    """Numbers of a JSON text without zeros at their end behind the point."""
    return JSON_PARTS.sub(lambda part: part[1] or (b"." + part[2] if part[2] else b""), document)


def canonical_double(pattern, is_float):
    number = struct.unpack("<f", struct.pack("<I", pattern))[0] if is_float else double_of(pattern)
    if number == 0:
        return 0
    return NAN if number != number else struct.unpack("<Q", struct.pack("<d", number))[0]
