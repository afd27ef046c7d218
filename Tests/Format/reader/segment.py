# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Segment files: from the tail to the rows, every checksum and every statistic verified."""

import struct
from collections import namedtuple

from . import pages, values
from .coverage import family, meet
from .cursor import Cursor, FileHeader, placed_checksum, require
from .doubles import double_of
from .integers import VECTOR_VALUES, wrap
from .key_index import KeyIndex

PHYSICAL_KINDS = {
    values.BOOLEAN: pages.BOOL,
    values.REAL: pages.FLOAT,
    values.DOUBLE: pages.DOUBLE,
    values.NUMERIC: pages.INT128,
    values.UUID: pages.UUID,
    values.INTERVAL: pages.INTERVAL,
    values.VECTOR: pages.FLOAT_VECTOR,
    **dict.fromkeys([values.TEXT, values.CHARACTER, values.JSONB, values.BYTEA], pages.BYTES),
    **dict.fromkeys(values.INTEGERS | values.TIMES, pages.INT64),
}
STORAGE = family("column storage", {0: "plain", 1: "dictionary"})
PROFILE = family("profile", {0: "warm", 1: "cold"})
FLAG = family("column chunk flag", {1: "uniform scale", 2: "scale pages", 4: "zone map", 8: "extremes", 16: "sum"})
ZONE_MAP = family(
    "zone map form", {0: "none", 1: "integers, codes", 2: "decimal coefficients", 3: "floats and doubles"}
)
SECTIONS = {1: "key index", 2: "vector index", 3: "sketches", 4: "series directory", 5: "partial states"}
SECTION = family("section", SECTIONS)
KEY_INDEX = 1

ROW_GROUP_ROWS_MAX = 65536
ROOT_MAGIC = {"segment footer": b"FSEG", "file tail": b"FTAL"}

Descriptor = namedtuple(
    "Descriptor",
    "table_id file_id offset byte_count row_count chunk_id times order first_lsn last_lsn " "raw_byte_count profile",
)
SegmentColumn = namedtuple("SegmentColumn", "id name type dictionary")


def read_descriptor(cursor):
    numbers = [
        cursor.varint(field) for field in ("table id", "file id", "byte offset", "byte count", "row count", "chunk id")
    ]
    times = (cursor.signed("smallest time"), cursor.signed("largest time")) if cursor.flag("has time") else None
    order = values.read_column_ids(cursor, "order")
    lsns = [cursor.varint(field) for field in ("first LSN", "last LSN", "raw byte count")]
    return Descriptor(*numbers, times, order, *lsns, read_profile(cursor))


def read_profile(cursor):
    profile = cursor.choice("profile", {0: "warm", 1: "cold"})
    meet(PROFILE, profile)
    return profile


class SegmentFile:
    def __init__(self, data, name, trace=None):
        self.data, self.name, self.trace = data, name, trace
        self.version = None
        self.header = FileHeader(self.cursor(0, len(data)), 3)
        self.version = self.header.version
        tail = self.root(len(data), "file tail")
        self.descriptors = [read_descriptor(tail) for _ in range(tail.varint("segment count"))]
        tail.finish("the file tail")
        end = FileHeader.byte_count
        for descriptor in self.descriptors:
            require(descriptor.offset == end, f"{name}: a segment at {descriptor.offset}, not at {end}")
            require(descriptor.file_id == self.header.file_id, f"{name}: a descriptor of file {descriptor.file_id}")
            end += descriptor.byte_count
        require(end == self.root_start, f"{name}: the last segment ends at {end}, the tail begins at {self.root_start}")

    def cursor(self, at, end):
        return Cursor(self.data, at, end, self.trace, self.name, self.version)

    def root(self, end, what):
        """A cursor over the payload of the segment footer or file tail that ends at `end`: they are read from there."""
        last = self.cursor(end - 12, end)
        last_checksum_at = last.at
        stored = last.checksum(f"placed checksum of the {what}")
        byte_count = last.u32("byte count of the payload")
        require(
            last.take(4, "magic", lambda taken: '"' + bytes(taken).decode("latin-1") + '"') == ROOT_MAGIC[what],
            f"{self.name}: no {what} ends at {end}",
        )
        start = last_checksum_at - byte_count
        require(start >= FileHeader.byte_count, f"{self.name}: the {what} of {byte_count} bytes does not fit")
        self.verify(start, last_checksum_at, stored, what)
        self.root_start = start
        payload = self.cursor(start, last_checksum_at)
        payload.heading(what)
        return payload

    def verify(self, start, end, stored, what):
        require(
            placed_checksum(self.data[start:end], self.header.file_id, start) == stored,
            f"{self.name}: checksum of the {what} at {start}",
        )

    def segments(self):
        return [Segment(self, descriptor) for descriptor in self.descriptors]

    def segment(self, descriptor):
        """The segment that a manifest's descriptor names."""
        found = [own for own in self.descriptors if own.offset == descriptor.offset]
        require(len(found) == 1, f"{self.name}: no segment at {descriptor.offset}")
        # A bulk load learns its LSNs when it commits: the manifest is right.
        without_lsns = [one._replace(first_lsn=0, last_lsn=0) for one in (found[0], descriptor)]
        require(without_lsns[0] == without_lsns[1], f"{self.name}: the descriptors of {descriptor.offset} differ")
        return Segment(self, descriptor)


class Blocks:
    """Block locations count from the end of the block that was named before."""

    def __init__(self, file, start, end, named=None):
        self.file, self.start, self.end, self.at = file, start, end, start
        self.named = [] if named is None else named

    def from_start(self):
        """The same blocks for a section, whose locations count from the segment's start."""
        return Blocks(self.file, self.start, self.end, self.named)

    def location(self, cursor):
        distance, byte_count = cursor.signed("distance"), cursor.varint("byte count")
        offset = self.at + distance
        require(
            byte_count >= 5 and self.start <= offset and offset + byte_count <= self.end,
            f"{self.file.name}: a block at {offset} of {byte_count} bytes",
        )
        self.at = offset + byte_count
        self.named.append((offset, byte_count))
        return offset, byte_count

    def open(self, location, what):
        """A cursor over the block's payload, once its checksum holds."""
        offset, byte_count = location
        end = offset + byte_count - 4
        payload = self.file.cursor(offset, end)
        payload.heading(what)
        stored = self.file.cursor(end, end + 4).checksum("placed checksum of the block")
        self.file.verify(offset, end, stored, what)
        return payload


class Segment:
    """`columns` and `rows()`; opening it reads the footer and the dictionaries."""

    def __init__(self, file, descriptor):
        self.file, self.descriptor = file, descriptor
        self.name = f"{file.name}, segment at {descriptor.offset}"
        footer = file.root(descriptor.offset + descriptor.byte_count, "segment footer")
        self.blocks = Blocks(file, descriptor.offset, file.root_start)
        own = [footer.varint(field) for field in ("table id", "chunk id", "row count", "raw byte count")]
        profile = read_profile(footer)
        footer.varint("first LSN")  # zero in a bulk load, which learns its LSN when it commits: the manifest is right
        footer.varint("last LSN")
        order = values.read_column_ids(footer, "order")
        times = None
        if footer.flag("has time"):
            self.time_column = footer.varint("time column id")
            times = footer.signed("smallest time"), footer.signed("largest time")
        require(
            own == [descriptor.table_id, descriptor.chunk_id, descriptor.row_count, descriptor.raw_byte_count]
            and (profile, order, times) == (descriptor.profile, descriptor.order, descriptor.times),
            f"{self.name}: footer and descriptor differ",
        )
        self.columns = [self.read_column(footer) for _ in range(footer.varint("column count"))]
        self.groups = [self.read_row_group(footer, index) for index in range(footer.varint("row group count"))]
        self.sections = [
            (
                footer.varint("section kind", show=lambda kind: f"{kind}: {SECTIONS.get(kind, 'unknown')}"),
                self.blocks.location(footer),
            )
            for _ in range(footer.varint("section count"))
        ]
        footer.finish("the footer")
        self.key_index = None
        for kind, location in self.sections:
            if kind == KEY_INDEX:
                require(self.key_index is None, f"{self.name}: two key indexes")
                self.key_index = KeyIndex(self, location)
            else:  # A reader skips what it does not know; the checksum holds all the same.
                payload = self.blocks.open(location, f"section {kind}: {SECTIONS.get(kind, 'unknown')}")
                payload.take(payload.left, "payload")
            if kind in SECTIONS:
                meet(SECTION, kind)
        # Blocks that only an unknown section names cannot be told from bytes that nothing names.
        if all(kind == KEY_INDEX for kind, _ in self.sections):
            self.check_blocks()

    def check_blocks(self):
        """Blocks lie end to end: every byte belongs to one."""
        end = self.descriptor.offset
        for offset, byte_count in sorted(self.blocks.named):
            require(offset == end, f"{self.name}: a block at {offset}, not at {end}")
            end += byte_count
        require(end == self.file.root_start, f"{self.name}: the blocks end at {end}, not where the footer begins")

    # The footer.

    def read_pages_list(self, footer, value_count):
        """Locations and value counts of pages that hold `value_count` values."""
        count = footer.varint("page count")
        if count == 1:
            return [(self.blocks.location(footer), value_count)]
        listed = [(self.blocks.location(footer), footer.varint("value count")) for _ in range(count)]
        require(
            sum(values for _, values in listed) == value_count, f"{self.name}: pages do not hold {value_count} values"
        )
        require(all(values % VECTOR_VALUES == 0 for _, values in listed[:-1]), f"{self.name}: pages of broken vectors")
        return listed

    def read_column(self, footer):
        column_id, name = footer.varint("column id"), footer.text("column name")
        kind = values.read_type(footer)
        dictionary = None
        storage = footer.choice("storage", {0: "plain", 1: "dictionary"})
        meet(STORAGE, storage)
        if storage:
            entries, byte_count = footer.varint("entry count"), footer.varint("byte count of all entries")
            listed = self.read_pages_list(footer, entries)
            dictionary = self.read_pages(listed, pages.BYTES, f'dictionary of "{name}"')
            require(sum(map(len, dictionary)) == byte_count, f"{self.name}: the dictionary of {name} has other bytes")
            require(
                all(a < b for a, b in zip(dictionary, dictionary[1:])),
                f"{self.name}: the dictionary of {name} is not sorted",
            )
        return SegmentColumn(column_id, name, kind, dictionary)

    def read_row_group(self, footer, index):
        footer.heading(f"row group {index}")
        row_count = footer.varint("row count")
        require(row_count <= ROW_GROUP_ROWS_MAX, f"{self.name}: {row_count} rows in a group")
        return row_count, [ColumnChunk(self, footer, column, row_count, index) for column in self.columns]

    def read_pages(self, listed, kind, what):
        column = []
        for index, (location, value_count) in enumerate(listed):
            page = pages.read_page(self.blocks.open(location, f"page {index} of {what}"), kind)
            require(len(page) == value_count, f"{self.name}: a page of {len(page)} values for {value_count}")
            column += page
        return column

    # The rows.

    def rows(self):
        """The rows in the segment's order, each a list in the order of `columns`."""
        rows = [list(row) for row_count, chunks in self.groups for row in zip(*[chunk.values() for chunk in chunks])]
        require(len(rows) == self.descriptor.row_count, f"{self.name}: {len(rows)} rows")
        self.check_order(rows)
        if self.key_index is not None:
            self.key_index.check(self.columns, rows, self.file.header)
        return rows

    def check_order(self, rows):
        places = [
            next(index for index, column in enumerate(self.columns) if column.id == wanted)
            for wanted in self.descriptor.order
        ]
        keys = [[sort_key(row[place], self.columns[place].type.tag) for place in places] for row in rows]
        require(all(a <= b for a, b in zip(keys, keys[1:])), f"{self.name}: the rows are not in their order")


class ColumnChunk:
    """One column of one row group: where its pages are, and what the footer says of its values."""

    def __init__(self, segment, footer, column, row_count, group):
        self.segment, self.column, self.row_count = segment, column, row_count
        self.what = f'column {column.id} "{column.name}", row group {group}'
        footer.heading(self.what)
        self.pages = segment.read_pages_list(footer, row_count)
        flags = footer.u8(
            "flags",
            show=lambda flags: f"{flags}: "
            + ", ".join(
                name
                for bit, name in (
                    (1, "uniform scale"),
                    (2, "scale pages"),
                    (4, "zone map"),
                    (8, "extremes"),
                    (16, "sum"),
                )
                if flags & bit
            ),
        )
        require(flags < 32, f"{segment.name}: flags {flags}")
        for bit in (1, 2, 4, 8, 16):
            if flags & bit:
                meet(FLAG, bit)
        require(
            ((flags & 3) in (1, 2)) == (column.type.tag == values.NUMERIC) and flags & 3 != 3,
            f"{self.what}: flags {flags}",
        )
        self.scale = footer.u8("scale") if flags & 1 else None
        self.scale_pages = segment.read_pages_list(footer, row_count) if flags & 2 else None
        self.zone_map = segment.blocks.location(footer) if flags & 4 else None
        self.null_count = footer.varint("NULL count")
        self.extremes = None
        if flags & 8:
            self.extremes = values.read_value(footer, "smallest"), values.read_value(footer, "largest")
        self.sum = footer.i128("sum") if flags & 16 else None

    @property
    def kind(self):
        return pages.CODES if self.column.dictionary is not None else PHYSICAL_KINDS[self.column.type.tag]

    def values(self):
        stored = self.segment.read_pages(self.pages, self.kind, self.what)
        require(
            stored.count(None) == self.null_count, f"{self.what}: {stored.count(None)} NULLs, not {self.null_count}"
        )
        if self.zone_map is not None:
            ZoneMap(self.segment.blocks.open(self.zone_map, f"zone map of {self.what}"), stored, self.kind).check(
                self.what
            )
        found = stored
        if self.kind == pages.CODES:
            found = [None if code is None else self.column.dictionary[code] for code in stored]
        elif self.scale is not None:
            found = [None if coefficient is None else (coefficient, self.scale) for coefficient in stored]
        elif self.scale_pages is not None:
            scales = self.segment.read_pages(self.scale_pages, pages.INT64, f"scales of {self.what}")
            found = [
                None if coefficient is None else (coefficient, scale) for coefficient, scale in zip(stored, scales)
            ]
        self.check(found)
        return found

    def check(self, found):
        present = [value for value in found if value is not None]
        tag = self.column.type.tag
        if self.extremes is not None:
            keys = [sort_key(value, tag) for value in present]
            require(
                [sort_key(value, tag) for value in self.extremes] == [min(keys), max(keys)], f"{self.what}: extremes"
            )
        if self.sum is not None:
            require(sum(present) == self.sum, f"{self.what}: sum {self.sum}, not {sum(present)}")


def sort_key(value, tag):
    """Something that compares as FORMAT.md orders values: NULL last, NaN above all numbers, -0.0 as 0.0."""
    if value is None:
        return (1,)
    if tag in (values.REAL, values.DOUBLE):
        number = as_double(value, tag == values.REAL)
        return (0, 1, 0) if number != number else (0, 0, number)
    if tag == values.NUMERIC:
        coefficient, scale = value
        return (0, coefficient * 10 ** (255 - scale))
    if tag == values.INTERVAL:
        months, days, microseconds = value
        return (0, (months * 30 + days) * 86_400_000_000 + microseconds)
    return (0, value)


def as_double(pattern, is_float):
    if not is_float:
        return double_of(pattern)
    return struct.unpack("<f", struct.pack("<I", pattern))[0]


class ZoneMap:
    """Statistics for each 1,024 rows; checked against the rows, for that is all that this reader can use them for."""

    def __init__(self, cursor, stored, kind):
        self.stored, self.kind = stored, kind
        count = cursor.varint("value count")
        require(count == len(stored), f"{cursor.name}: a zone map of {count} values for {len(stored)}")
        zones = -(-count // VECTOR_VALUES)
        form = cursor.choice(
            "form", {0: "none", 1: "integers, codes", 2: "decimal coefficients", 3: "floats and doubles"}
        )
        meet(ZONE_MAP, form)

        def part(field):
            return pages.read_number_sequence(
                cursor, pages.DOUBLE if form == 3 and field != "NULL counts" else pages.INT64, zones, field
            )

        self.null_counts, self.smallest, self.largest, self.sums = part("NULL counts"), None, None, None
        if form == 1:
            self.smallest = part("smallest")
            self.largest = [wrap(low + distance) for low, distance in zip(self.smallest, part("largest - smallest"))]
            self.sums = wide(part("sums, low"), part("sums, high"))
        elif form == 2:
            self.smallest = wide(part("smallest, low"), part("smallest, high"))
            self.largest = wide(part("largest, low"), part("largest, high"))
        elif form == 3:
            self.smallest, self.largest = part("smallest"), part("largest")
        cursor.finish("the zone map")

    def check(self, what):
        for zone, nulls in enumerate(self.null_counts):
            rows = self.stored[zone * VECTOR_VALUES : (zone + 1) * VECTOR_VALUES]
            present = [value for value in rows if value is not None]
            require(len(rows) - len(present) == nulls, f"{what}, zone {zone}: {nulls} NULLs")
            if not present or self.smallest is None:
                continue
            bounds = self.smallest[zone], self.largest[zone]
            if self.kind in (pages.FLOAT, pages.DOUBLE):
                present = [
                    sort_key(value, values.REAL if self.kind == pages.FLOAT else values.DOUBLE) for value in present
                ]
                bounds = tuple(sort_key(pattern, values.DOUBLE) for pattern in bounds)
            require(bounds == (min(present), max(present)), f"{what}, zone {zone}: {bounds}")
            if self.sums is not None and self.sums[zone]:
                require(self.sums[zone] == sum(present), f"{what}, zone {zone}: sum {self.sums[zone]}")


def wide(lows, highs):
    return [(high << 64) + (low & (1 << 64) - 1) for low, high in zip(lows, highs)]
