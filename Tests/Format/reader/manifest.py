# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, CURRENT, LOCK and Manifest: which segments a database consists of."""

import re
from collections import namedtuple

from . import values
from .coverage import family, meet
from .cursor import FileHeader, crc32c, placed_checksum, read_version, require
from .segment import read_descriptor

CURRENT_MAGIC = b"FIRNCURR"
RECORDS = {
    1: "put table",
    2: "drop table",
    3: "add chunk",
    4: "add segment",
    5: "remove segment",
    6: "flushed",
    7: "table flushed",
    8: "identifiers",
    9: "epoch",
    10: "first log file",
    11: "retire file",
    12: "unfinished files",
    13: "closed",
}
RECORD = family("record", RECORDS)
EDIT_HEADER_BYTES = 24
EDIT_PAYLOAD_BYTES_MAX = 64 << 20

Proof = namedtuple("Proof", "manifest byte_count checksum")
Edit = namedtuple("Edit", "offset number lsn records")


def read_proof(cursor):
    """A manifest reaches at least to byte n, with these bytes."""
    return Proof(
        cursor.u64("proof: number of the manifest", show=lambda number: f"manifest-{number}"),
        cursor.i64("proof: n, bytes of it that were durable"),
        cursor.checksum("proof: CRC32C of bytes 0 to n - 1, not seeded"),
    )


class Current:
    def __init__(self, cursor):
        cursor.heading("CURRENT")
        require(cursor.take(8, "magic", lambda taken: '"FIRNCURR"') == CURRENT_MAGIC, "not a CURRENT")
        read_version(cursor, "CURRENT")
        cursor.reserved(6)
        self.database_id = cursor.u128("database id", show=lambda value: f"{value:032X}")
        self.proof = read_proof(cursor)
        cursor.reserved(8)
        stored = cursor.checksum("CRC32C of bytes 00 to 3B, not seeded")
        require(stored == crc32c(cursor.data[:60]), "checksum of CURRENT")
        cursor.finish("CURRENT")


def process_of_lock(data):
    """LOCK is for people: the process that wrote the database last; None where the file is empty."""
    found = re.fullmatch(rb"firn lock 0\npid ([0-9]+)\n", data)
    require(found or not data, f"LOCK holds {data!r}")
    return int(found[1]) if found else None


class Manifest:
    def __init__(self, cursor):
        self.cursor, self.header = cursor, FileHeader(cursor, 2)
        self.edits = []
        while True:
            edit = self.read_edit(cursor.at, len(self.edits) + 1)
            if edit is None:
                break
            self.edits.append(edit)
        self.end = cursor.at
        self.refuse_damage()

    def read_edit(self, offset, number):
        """The edit at the offset, the cursor behind it; None where there is no whole one of this number."""
        cursor = self.cursor
        if cursor.left < EDIT_HEADER_BYTES:
            return None
        header = cursor.data[offset : offset + EDIT_HEADER_BYTES]
        byte_count = int.from_bytes(header[4:8], "little")
        if byte_count > min(EDIT_PAYLOAD_BYTES_MAX, cursor.left - EDIT_HEADER_BYTES):
            return None
        end = offset + EDIT_HEADER_BYTES + byte_count
        if placed_checksum(cursor.data[offset + 4 : end], self.header.file_id, offset) != int.from_bytes(
            header[:4], "little"
        ):
            return None
        if number is not None and int.from_bytes(header[8:16], "little") != number:
            return None
        edit = cursor.part(offset, end)
        edit.heading(f"edit {number}")
        edit.checksum(f"placed checksum of bytes {offset + 4:X} to {end - 1:X}, seeded with offset {offset:X}")
        edit.u32("byte count of the payload")
        found = edit.u64("number of the edit")
        lsn = edit.u64("holds every change up to this LSN")
        records = []
        while edit.left:
            records.append(read_record(edit))
        padding = min(-end % 8, cursor.end - end)
        cursor.at = end
        cursor.take(padding, "up to a multiple of 8")
        return Edit(offset, found, lsn, records)

    def refuse_damage(self):
        """A valid edit with a greater number behind the end: the end is damage, not a torn tail."""
        cursor = self.cursor
        next_number = len(self.edits) + 1
        quiet = cursor.part(self.end, cursor.end)
        quiet.trace = None
        for offset in range(-(-self.end // 8) * 8, cursor.end - EDIT_HEADER_BYTES + 1, 8):
            self.cursor = quiet.part(offset, cursor.end)
            edit = self.read_edit(offset, None)
            require(
                edit is None or edit.number <= next_number,
                f"{cursor.name}: edit {next_number} at {self.end} is damaged",
            )
        self.cursor = cursor
        if cursor.left:
            cursor.take(cursor.left, "torn tail")

    def prove(self, proof):
        if proof.manifest != self.header.file_id:
            return
        data = self.cursor.data
        require(
            self.end >= proof.byte_count,
            f"{self.cursor.name}: {proof.byte_count} bytes were durable, {self.end} are valid",
        )
        require(
            crc32c(data[: proof.byte_count]) == proof.checksum, f"{self.cursor.name}: not the bytes that were durable"
        )


def read_record(cursor):
    """(name, fields) of a record."""
    tag = cursor.choice("record", RECORDS)
    name = meet(RECORD, tag)
    if name == "put table":
        return name, (values.read_schema(cursor),)
    if name == "add chunk":
        return name, (cursor.varint("table id"), values.read_chunk(cursor))
    if name == "add segment":
        return name, (read_descriptor(cursor),)
    if name == "unfinished files":
        return name, ([cursor.varint("file id") for _ in range(cursor.varint("count"))],)
    fields = {
        "drop table": ["table id"],
        "remove segment": ["table id", "file id", "byte offset"],
        "flushed": ["LSN"],
        "table flushed": ["table id", "LSN"],
        "identifiers": ["next table id", "next chunk id", "next file id"],
        "epoch": ["epoch", "first LSN", "number of its first log file"],
        "first log file": ["number"],
        "retire file": ["file id"],
        "closed": ["LSN"],
    }[name]
    return name, tuple(cursor.varint(field) for field in fields)


class State:
    """What the edits of a manifest, applied in order to nothing, say."""

    def __init__(self, manifest):
        self.tables = {}  # table id: Schema
        self.chunks = {}  # (table id, chunk id): Chunk
        self.segments = {}  # (file id, byte offset): Descriptor
        self.flushed, self.table_flushed = 0, {}
        self.epoch = self.first_lsn = self.first_log_file = self.epoch_log_file = 0
        self.closed = None
        for edit in manifest.edits:
            for name, fields in edit.records:
                self.closed = None
                self.APPLY[name](self, *fields)

    def put_table(self, schema):
        values.put_table(self.tables, schema)

    def drop_table(self, table_id):
        require(table_id in self.tables, f"the manifest drops table {table_id}, which is not there")
        del self.tables[table_id]
        self.chunks = {key: chunk for key, chunk in self.chunks.items() if key[0] != table_id}
        self.segments = {key: segment for key, segment in self.segments.items() if segment.table_id != table_id}

    def add_chunk(self, table_id, chunk):
        require(table_id in self.tables, f"a chunk of table {table_id}, which is not there")
        self.chunks[table_id, chunk.id] = chunk

    def add_segment(self, descriptor):
        require(
            (descriptor.table_id, descriptor.chunk_id) in self.chunks,
            f"a segment of chunk {descriptor.chunk_id}, which is not there",
        )
        self.segments[descriptor.file_id, descriptor.offset] = descriptor

    def remove_segment(self, table_id, file_id, offset):
        require((file_id, offset) in self.segments, f"no segment {file_id}, {offset} to remove")
        del self.segments[file_id, offset]

    def set_flushed(self, lsn):
        self.flushed = max(self.flushed, lsn)

    def set_table_flushed(self, table_id, lsn):
        self.table_flushed[table_id] = max(self.table_flushed.get(table_id, 0), lsn)

    def set_epoch(self, epoch, first_lsn, first_log_file):
        self.epoch, self.first_lsn, self.epoch_log_file = epoch, first_lsn, first_log_file
        self.first_log_file = max(self.first_log_file, first_log_file)

    def set_first_log_file(self, number):
        self.first_log_file = max(self.first_log_file, number)

    def set_closed(self, lsn):
        self.closed = lsn

    def holds(self, table_id, lsn):
        """Whether the segments have the changes of this commit to the table."""
        return lsn <= max(self.flushed, self.table_flushed.get(table_id, 0))

    def nothing(self, *fields):
        """For writers alone."""

    APPLY = {
        "put table": put_table,
        "drop table": drop_table,
        "add chunk": add_chunk,
        "add segment": add_segment,
        "remove segment": remove_segment,
        "flushed": set_flushed,
        "table flushed": set_table_flushed,
        "identifiers": nothing,
        "epoch": set_epoch,
        "first log file": set_first_log_file,
        "retire file": nothing,
        "unfinished files": nothing,
        "closed": set_closed,
    }
