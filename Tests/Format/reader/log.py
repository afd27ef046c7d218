# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Write-ahead log: the commits that came after the manifest, and where the log ends."""

import struct
from collections import namedtuple

import lz4.block

from . import values
from .coverage import family, meet
from .cursor import Cursor, FileHeader, crc32c, placed_checksum, require
from .manifest import read_proof
from .segment import read_descriptor

LOG_HEADER_BYTES = 64
FRAME_HEADER_BYTES = 40
FRAME_PAYLOAD_BYTES_MAX = 16_777_168
PLAIN_BYTES_MAX = 64 << 20
COMPRESSED = 1
RECYCLED = 1
CONTINUATION = 4
NONE_ABSENT = 255

FRAME = family("frame kind", {1: "rows", 2: "catalog", 3: "bulk", 4: "continuation"})
FRAME_FLAGS = family("frame flags", {0: "plain", 1: "compressed"})
FORM = family(
    "form of rows",
    {
        1: "boolean",
        2: "integer",
        3: "float",
        4: "double",
        5: "decimal",
        6: "bytes",
        7: "dictionary",
        8: "uuid",
        9: "interval",
        10: "vector",
    },
)
DECIMAL_SCALES = family("scales of rows", {0: "one", 1: "one a row"})
CODE_BYTES = family("code bytes of rows", {1: "one", 2: "two", 4: "four"})
FORMS_OF_TYPE = {
    values.BOOLEAN: {1},
    values.REAL: {3},
    values.DOUBLE: {4},
    values.NUMERIC: {5},
    values.UUID: {8},
    values.INTERVAL: {9},
    values.VECTOR: {10},
    **dict.fromkeys([values.TEXT, values.CHARACTER, values.JSONB, values.BYTEA], {6, 7}),
    **dict.fromkeys(values.INTEGERS | values.TIMES, {2}),
}

Frame = namedtuple("Frame", "offset lsn epoch durable kind payload")
Rows = namedtuple("Rows", "table_id columns rows")  # columns: (column id, type) each
Bulk = namedtuple("Bulk", "table_id chunks segments")


class LogFile:
    def __init__(self, cursor):
        self.cursor, self.header = cursor, FileHeader(cursor, 1)
        cursor.heading("log header")
        start = cursor.at
        self.epoch = cursor.u64("epoch")
        self.first_lsn = cursor.u64("LSN of the first frame")
        self.durable = cursor.u64("LSN known durable when the file was begun")
        self.proof = read_proof(cursor)
        self.is_recycled = cursor.u32("flags") & RECYCLED != 0
        self.byte_count = cursor.u64("bytes of the file when it was begun")
        cursor.reserved(4)
        stored = cursor.checksum("placed checksum of bytes 40 to 7B")
        require(
            stored == placed_checksum(cursor.data[start : start + 60], self.header.file_id, start),
            f"{cursor.name}: checksum of the log header",
        )
        self.start = cursor.at

    def frames(self, epoch=None, lsn=None):
        """The frames from the first on, as long as they are whole, of one epoch and consecutive."""
        epoch, lsn = self.epoch if epoch is None else epoch, self.first_lsn if lsn is None else lsn
        # A dump shows what is there of a file.
        require(
            self.cursor.trace is not None or len(self.cursor.data) >= self.byte_count, f"{self.cursor.name} was cut"
        )
        cursor = self.cursor.part(self.start, self.cursor.end)
        self.end, self.successor = cursor.at, None
        while self.successor is None:
            frame = read_frame(cursor, epoch, lsn)
            if frame is None:
                break
            self.end = cursor.at
            if frame.kind == CONTINUATION:
                self.successor = frame.payload
            else:
                yield frame
                lsn += 1
        rest = bytes(cursor.data[cursor.at : cursor.end])
        cursor.take(cursor.left, "behind the end", "zeros" if not any(rest) else "left over")

    def witnesses(self, epoch, lsn, start):
        """The LSNs known durable of the frame headers behind the end, at any multiple of 8."""
        data, wanted = self.cursor.data, struct.pack("<Q", epoch)
        found = bytes(data).find(wanted, start + 16)
        while found >= 0:
            offset = found - 16
            if offset % 8 == 0 and offset >= start and offset + FRAME_HEADER_BYTES <= len(data):
                header = data[offset : offset + FRAME_HEADER_BYTES]
                checksum, _, own, _, durable = struct.unpack("<IIQQQ", header[:32])
                if own >= lsn and checksum == header_checksum(header):
                    yield own, durable
            found = bytes(data).find(wanted, found + 1)


def header_checksum(header):
    """Of the frame's epoch and LSN, which stand in it again, and of all behind the checksum."""
    lsn, epoch = struct.unpack("<QQ", header[8:24])
    return crc32c(header[4:FRAME_HEADER_BYTES], struct.pack("<QQ", epoch, lsn))


def read_frame(cursor, epoch, lsn):
    """The frame at the cursor, which goes behind it; None where there is no whole one of this epoch and LSN."""
    if cursor.left < FRAME_HEADER_BYTES:
        return None
    offset = cursor.at
    header = cursor.data[offset : offset + FRAME_HEADER_BYTES]
    checksum, byte_count, own, own_epoch, durable, payload_checksum = struct.unpack("<IIQQQI", header[:36])
    if (own, own_epoch) != (lsn, epoch) or checksum != header_checksum(header):
        return None
    if byte_count > min(FRAME_PAYLOAD_BYTES_MAX, cursor.left - FRAME_HEADER_BYTES):
        return None
    start = offset + FRAME_HEADER_BYTES
    if crc32c(cursor.data[start : start + byte_count]) != payload_checksum:
        return None
    cursor.heading(f"frame, LSN {lsn}")
    cursor.checksum(f"CRC32C of epoch {epoch}, LSN {lsn}, and bytes {offset + 4:X} to {start - 1:X}")
    cursor.u32("byte count of the payload")
    cursor.u64("LSN")
    cursor.u64("epoch")
    cursor.u64("LSN known durable")
    cursor.checksum("CRC32C of the payload, not seeded")
    kind = cursor.choice("kind", {1: "rows", 2: "catalog", 3: "bulk", 4: "continuation"})
    flags = cursor.choice("flags", {0: "plain", 1: "compressed"})
    cursor.reserved(2)
    meet(FRAME, kind)
    meet(FRAME_FLAGS, flags)
    payload = cursor.part(start, start + byte_count)
    if flags & COMPRESSED:
        plain_count = payload.u32("plain byte count")
        require(plain_count <= PLAIN_BYTES_MAX, f"{cursor.name}: a frame of {plain_count} bytes")
        block = bytes(payload.take(payload.left, "payload", "one LZ4 block"))
        plain = lz4.block.decompress(block, uncompressed_size=plain_count)
        payload = Cursor(plain, name=f"{cursor.name}, LSN {lsn}", version=cursor.version)
    content = PAYLOADS[kind](payload)
    payload.finish("the payload")
    cursor.at = start + byte_count
    cursor.take(min(-cursor.at % 8, cursor.left), "up to a multiple of 8")
    return Frame(offset, lsn, epoch, durable, kind, content)


# Payloads.


def read_catalog(cursor):
    changes = []
    while cursor.left:
        changes.append(values.read_catalog_change(cursor))
    return changes


def read_bulk(cursor):
    return Bulk(
        cursor.varint("table id"),
        [values.read_chunk(cursor) for _ in range(cursor.varint("chunk count"))],
        [read_descriptor(cursor) for _ in range(cursor.varint("segment count"))],
    )


def read_rows(cursor):
    table_id, row_count = cursor.varint("table id"), cursor.varint("row count")
    columns, contents = [], []
    for _ in range(cursor.varint("column count")):
        column_id, kind = cursor.varint("column id"), values.read_type(cursor)
        form = cursor.u8("form", show=lambda form: f"{form}: {meet(FORM, form)}")
        meet(FORM, form)
        require(form in FORMS_OF_TYPE[kind.tag], f"{cursor.name}: form {form} of {values.TYPES[kind.tag]}")
        valid = [True] * row_count
        if cursor.flag("has validity"):
            words = [cursor.u64("validity", show=lambda word: f"{word:064b}") for _ in range(-(-row_count // 64))]
            valid = [words[row // 64] >> row % 64 & 1 == 1 for row in range(row_count)]
        contents.append(
            [value if there else None for value, there in zip(read_form(cursor, form, kind, row_count), valid)]
        )
        columns.append((column_id, kind))
    return Rows(table_id, columns, [list(row) for row in zip(*contents)] if contents else [[]] * row_count)


def read_form(cursor, form, kind, count):
    name = meet(FORM, form)
    if name == "boolean":
        return [cursor.u8("boolean") != 0 for _ in range(count)]
    if name == "integer":
        return [cursor.i64("integer") for _ in range(count)]
    if name == "float":
        return [cursor.u32("float", show=hex) for _ in range(count)]
    if name == "double":
        return [cursor.u64("double", show=hex) for _ in range(count)]
    if name == "decimal":
        scale = cursor.u8("scale", show=lambda scale: "one for each row" if scale == 255 else str(scale))
        meet(DECIMAL_SCALES, int(scale == 255))
        scales = [cursor.u8("scale") for _ in range(count)] if scale == 255 else [scale] * count
        return [(cursor.i128("coefficient"), scale) for scale in scales]
    if name == "bytes":
        return read_bytes(cursor, count)
    if name == "dictionary":
        entries = read_bytes(cursor, cursor.varint("entry count"))
        width = cursor.choice("code byte count", {1: "one", 2: "two", 4: "four"})
        meet(CODE_BYTES, width)
        codes = [
            int.from_bytes(cursor.take(width, "code", lambda taken: str(int.from_bytes(taken, "little"))), "little")
            for _ in range(count)
        ]
        return [entries[code] if code < len(entries) else None for code in codes]
    if name == "uuid":
        return [cursor.u128("uuid", show=lambda value: f"{value:032x}") for _ in range(count)]
    if name == "interval":
        return [
            struct.unpack(
                "<iiq", cursor.take(16, "months, days, microseconds", lambda taken: str(struct.unpack("<iiq", taken)))
            )
            for _ in range(count)
        ]
    return [[cursor.u32("float", show=hex) for _ in range(kind.dimensions)] for _ in range(count)]


def read_bytes(cursor, count):
    taken = cursor.take(
        (count + 1) * 4, "offsets", lambda taken: ", ".join(map(str, struct.unpack(f"<{count + 1}i", taken)))
    )
    offsets = struct.unpack(f"<{count + 1}i", taken)
    require(offsets[0] == 0 and all(a <= b for a, b in zip(offsets, offsets[1:])), f"{cursor.name}: offsets")
    return [
        bytes(cursor.take(end - start, "bytes", lambda taken: repr(bytes(taken))))
        for start, end in zip(offsets, offsets[1:])
    ]


def read_continuation(cursor):
    return cursor.u64("number of the log file in which the log goes on")


PAYLOADS = {1: read_rows, 2: read_catalog, 3: read_bulk, 4: read_continuation}
