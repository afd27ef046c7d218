# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Conventions: how bytes become numbers and texts, and the header that begins every file.

Every read names its field. A cursor with a trace notes each field with its place, its bytes and its meaning: the
annotated hex dump (dump.py) is nothing but that list."""

import struct

# The newest version that this reader knows; it reads all from 1 on.
FORMAT_VERSION = 2
MAGIC = bytes([0x46, 0x49, 0x52, 0x4E, 0x0D, 0x0A, 0x1A, 0x0A])
FILE_KINDS = {1: "write-ahead log", 2: "manifest", 3: "segments"}


class FormatError(Exception):
    """The bytes are not what FORMAT.md says."""


class UnknownVersion(FormatError):
    """The file is of a version that this reader does not know."""


def read_version(cursor, what):
    """The format version, which every later read of the file may ask for."""
    version = cursor.u16("format version")
    if not 1 <= version <= FORMAT_VERSION:
        raise UnknownVersion(f"{what} has format version {version}; this reader knows 1 to {FORMAT_VERSION}")
    cursor.version = version


def require(condition, message):
    if not condition:
        raise FormatError(message)


class Cursor:
    """Reads the bytes from `at` to `end`; offsets are those of the file."""

    def __init__(self, data, at=0, end=None, trace=None, name="", version=None):
        self.data, self.at, self.end = data, at, len(data) if end is None else end
        self.trace, self.name, self.version = trace, name, version
        require(0 <= at <= self.end <= len(data), f"{name}: bytes {at} to {self.end} of {len(data)}")

    def part(self, at, end):
        """A cursor of the same file at another place."""
        return Cursor(self.data, at, end, self.trace, self.name, self.version)

    @property
    def left(self):
        return self.end - self.at

    def take(self, count, field, meaning=None):
        require(count <= self.left, f"{self.name}: {field} at {self.at} has {count} bytes, {self.left} are left")
        taken = self.data[self.at : self.at + count]
        if self.trace is not None and count:
            self.trace.append((self.at, taken, field, meaning(taken) if callable(meaning) else meaning))
        self.at += count
        return taken

    def heading(self, text):
        if self.trace is not None:
            self.trace.append((self.at, None, text, None))

    def finish(self, what):
        require(self.left == 0, f"{self.name}: {self.left} bytes behind {what}, at {self.at}")

    # Fixed width, little-endian.

    def _fixed(self, count, field, signed=False, show=str):
        def meaning(taken):
            return show(int.from_bytes(taken, "little", signed=signed))

        return int.from_bytes(self.take(count, field, meaning), "little", signed=signed)

    def u8(self, field, show=str):
        return self._fixed(1, field, show=show)

    def u16(self, field, show=str):
        return self._fixed(2, field, show=show)

    def u32(self, field, show=str):
        return self._fixed(4, field, show=show)

    def u64(self, field, show=str):
        return self._fixed(8, field, show=show)

    def u128(self, field, show=str):
        return self._fixed(16, field, show=show)

    def i64(self, field):
        return self._fixed(8, field, signed=True)

    def i128(self, field):
        return self._fixed(16, field, signed=True)

    def checksum(self, field):
        return self._fixed(4, field, show=lambda value: "")

    def choice(self, field, names):
        """A u8 that has a meaning: one of the names."""
        value = self.u8(field, show=lambda value: f"{value}: {names[value]}" if value in names else f"{value}: unknown")
        require(value in names, f"{self.name}: {field} {value} is not known")
        return value

    def flag(self, field):
        return bool(self.choice(field, {0: "no", 1: "yes"}))

    def reserved(self, count, field="reserved"):
        """Readers do not look at reserved bytes."""
        self.take(count, field)

    # Variable width.

    def _varint(self, field, meaning):
        """`meaning` gives the text of the value for the trace."""
        value, shift, start = 0, 0, self.at
        while True:
            require(self.at + (shift // 7) < self.end, f"{self.name}: {field} at {start} is cut off")
            byte = self.data[self.at + shift // 7]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            require(shift < 70, f"{self.name}: {field} at {start} has more than 10 bytes")
        require(value < 1 << 64, f"{self.name}: {field} at {start} has more than 64 bits")
        self.take(shift // 7, field, lambda _: meaning(value))
        return value

    def varint(self, field, show=str):
        return self._varint(field, show)

    def signed(self, field, show=str):
        """Zig-zag: 0, -1, 1, -2, 2 … are stored as 0, 1, 2, 3, 4 …"""
        value = self._varint(field, lambda value: show(unzigzag(value)))
        return unzigzag(value)

    def bytes(self, field, show=lambda taken: repr(bytes(taken))):
        """A byte count and the bytes: one field of a trace."""
        start, trace, self.trace = self.at, self.trace, None
        taken = bytes(self.take(self.varint(f"{field}, byte count"), field))
        self.trace = trace
        if trace is not None:
            trace.append((start, self.data[start : self.at], field, show(taken)))
        return taken

    def text(self, field):
        return self.bytes(field, show=lambda taken: '"' + bytes(taken).decode("utf-8", "replace") + '"').decode("utf-8")


def unzigzag(value):
    return (value >> 1) ^ -(value & 1)


def wrap(value):
    """A sum or product, wrapped to a signed integer of 64 bits."""
    return ((value + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


# Checksums.


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc32c_table()


def crc32c(data, seed=b""):
    value = 0xFFFFFFFF
    table = _TABLE
    for byte in seed:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def placed_checksum(data, file_id, offset):
    return crc32c(data, struct.pack("<QQ", file_id, offset))


# The header of logs, manifests and segment files.


class FileHeader:
    byte_count = 64

    def __init__(self, cursor, kind):
        start = cursor.at
        cursor.heading("file header")
        require(
            cursor.take(8, "magic", lambda taken: '"FIRN", both line ends') == MAGIC, f"{cursor.name}: not a Firn file"
        )
        read_version(cursor, cursor.name)
        self.version = cursor.version
        found = cursor.choice("file kind", FILE_KINDS)
        require(found == kind, f"{cursor.name}: a file of kind {FILE_KINDS[found]}, not {FILE_KINDS[kind]}")
        cursor.choice("cipher id", {0: "not encrypted"})
        cursor.reserved(4)
        self.database_id = cursor.u128("database id", show=lambda value: f"{value:032X}")
        self.file_id = cursor.u64("file id")
        cursor.u64("key id")
        self.epoch = cursor.u64("opening that wrote it") if FILE_KINDS[kind] == "segments" else cursor.reserved(8)
        cursor.reserved(4)
        stored = cursor.checksum("placed checksum of bytes 00 to 3B")
        require(
            stored == placed_checksum(cursor.data[start : start + 60], self.file_id, 0),
            f"{cursor.name}: checksum of the header",
        )
