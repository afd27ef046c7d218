# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Pages: up to 65,536 values of one physical kind, and which of them are not NULL."""

import lz4.block
import zstandard

from .cold import read_aligned_integers, read_binned_integers, read_whole_page
from .coverage import family, meet
from .cursor import Cursor, require, wrap
from .doubles import Cut, read_double_sequence, read_double_vector
from .integers import read_bitmap, read_integer_sequence, read_integer_vector, vector_counts

INT64, INT128, FLOAT, DOUBLE, BOOL, BYTES, CODES, UUID, INTERVAL, FLOAT_VECTOR = range(1, 11)
KINDS = {
    INT64: "int64",
    INT128: "int128",
    FLOAT: "float",
    DOUBLE: "double",
    BOOL: "bool",
    BYTES: "bytes",
    CODES: "codes",
    UUID: "uuid",
    INTERVAL: "interval",
    FLOAT_VECTOR: "float vector",
}
SCHEMES = {
    1: "vectors",
    2: "stepped runs",
    3: "dictionary",
    4: "bitmap",
    5: "ALP-RD",
    6: "binned entropy",
    7: "aligned integers",
    8: "constant bits",
    9: "symbols",
}
COMPRESSIONS = {0: "none", 1: "one LZ4 block", 2: "one Zstandard frame"}
NUMERIC_KINDS = {INT64, INT128, FLOAT, DOUBLE, CODES}
SCHEME_KINDS = {
    1: set(KINDS) - {BOOL},
    2: NUMERIC_KINDS,
    3: {INT64, INT128, FLOAT, DOUBLE, BYTES},
    4: {BOOL},
    5: {DOUBLE},
    6: NUMERIC_KINDS,
    7: NUMERIC_KINDS,
    8: {UUID},
    9: {BYTES},
}

KIND = family("page kind", KINDS)
COMPRESSION = family("compression", COMPRESSIONS)
SCHEME = family("scheme", SCHEMES)
SCHEME_OF_KIND = family(
    "scheme of kind",
    {(scheme, kind): f"{SCHEMES[scheme]} of {KINDS[kind]}" for scheme, kinds in SCHEME_KINDS.items() for kind in kinds},
)
STRUCTURED_VECTOR = family("vector", {32: "bytes", 33: "parts", 34: "floats", 35: "floats by bytes", 36: "symbols"})

PLAIN_BYTES_MAX = 64 << 20


def read_page(cursor, kind):
    """The values of a page; None where its bitmap says NULL. The cursor ends where the page ends."""
    found = cursor.choice("kind", KINDS)
    require(found == kind, f"{cursor.name}: a page of {KINDS[found]}, not {KINDS[kind]}")
    meet(KIND, kind)
    compression = cursor.choice("compression", COMPRESSIONS)
    meet(COMPRESSION, compression)
    count = cursor.varint("value count")
    require(count <= 65536, f"a page of {count} values")
    if compression:
        cursor = decompressed(cursor, compression)
    validity = read_bitmap(cursor, count, "validity")
    scheme = cursor.choice("scheme", SCHEMES)
    meet(SCHEME, scheme)
    meet(SCHEME_OF_KIND, (scheme, kind))
    values = BODIES[scheme](cursor, kind, count)
    cursor.finish("the page")
    require(len(values) == count, f"a page of {len(values)} values that says {count}")
    return [value if valid else None for value, valid in zip(values, validity)]


def decompressed(cursor, compression):
    plain_count = cursor.varint("plain byte count")
    require(plain_count <= PLAIN_BYTES_MAX, f"{plain_count} plain bytes")
    stored = bytes(cursor.take(cursor.left, "payload", COMPRESSIONS[compression]))
    if compression == 1:
        plain = lz4.block.decompress(stored, uncompressed_size=plain_count)
    else:
        require(zstandard.frame_content_size(stored) == plain_count, "a Zstandard frame of another size")
        plain = zstandard.ZstdDecompressor().decompress(stored)
    require(len(plain) == plain_count, f"{len(plain)} plain bytes for {plain_count}")
    return Cursor(plain, name=f"{cursor.name}, decompressed")


# Scheme 1: vectors.


def read_vectors(cursor, kind, count):
    dimensions = cursor.varint("dimensions") if kind == FLOAT_VECTOR else 0
    return read_directory(cursor, count, lambda part, values: read_vector(part, kind, values, dimensions))


def read_directory(cursor, count, read):
    counts = vector_counts(count)
    byte_counts = [cursor.varint(f"vector {index}, byte count") for index in range(len(counts))]
    values = []
    for index, (value_count, byte_count) in enumerate(zip(counts, byte_counts)):
        cursor.heading(f"vector {index}, {value_count} values")
        part = cursor.part(cursor.at, cursor.at + byte_count)
        values += read(part, value_count)
        part.finish(f"vector {index}")
        cursor.at = part.at
    return values


def read_vector(cursor, kind, count, dimensions):
    if kind in (INT64, CODES):
        return read_integer_vector(cursor, count, "values")
    if kind in (FLOAT, DOUBLE):
        return read_double_vector(cursor, count, "values", kind == FLOAT)
    if kind == INT128 and cursor.data[cursor.at] != 33:
        return read_integer_vector(cursor, count, "values")
    encoding = cursor.u8("encoding", show=lambda encoding: f"{encoding}: {meet(STRUCTURED_VECTOR, encoding)}")
    meet(STRUCTURED_VECTOR, encoding)
    allowed = {INT128: [33], UUID: [33], INTERVAL: [33], BYTES: [32], FLOAT_VECTOR: [34, 35]}[kind]
    require(encoding in allowed, f"{cursor.name}: vector encoding {encoding} of {KINDS[kind]}")
    if kind in (INT128, UUID):
        highs, lows = read_integer_vector(cursor, count, "high"), read_integer_vector(cursor, count, "low")
        mask = (1 << 128) - 1 if kind == UUID else -1
        return [((high << 64) + (low & (1 << 64) - 1)) & mask for high, low in zip(highs, lows)]
    if kind == INTERVAL:
        return list(zip(*[read_integer_vector(cursor, count, unit) for unit in ("months", "days", "microseconds")]))
    if kind == BYTES:
        return cut_up(cursor, read_integer_vector(cursor, count, "byte counts"))
    return read_float_vectors(cursor, count, dimensions, by_bytes=encoding == 35)


def cut_up(cursor, byte_counts):
    return [bytes(cursor.take(byte_count, "bytes", lambda taken: repr(bytes(taken)))) for byte_count in byte_counts]


def read_float_vectors(cursor, count, dimensions, by_bytes):
    numbers = count * dimensions
    if by_bytes:
        planes = [cursor.take(numbers, f"byte {index} of each float") for index in range(4)]
        floats = [int.from_bytes(four, "little") for four in zip(*planes)]
    else:
        taken = cursor.take(numbers * 4, "floats")
        floats = [int.from_bytes(taken[at : at + 4], "little") for at in range(0, numbers * 4, 4)]
    return [floats[at * dimensions : (at + 1) * dimensions] for at in range(count)]


# The other schemes.


def read_number_sequence(cursor, kind, count, field):
    """First values and distinct values: doubles or floats where the page has them, else integers."""
    if kind in (FLOAT, DOUBLE):
        return read_double_sequence(cursor, count, field, kind == FLOAT)
    return read_integer_sequence(cursor, count, field)


def read_stepped_runs(cursor, kind, count):
    runs = cursor.varint("run count")
    counts = read_integer_sequence(cursor, runs, "value counts")
    firsts, steps = read_integer_sequence(cursor, runs, "first values"), read_integer_sequence(cursor, runs, "steps")
    mask = {FLOAT: (1 << 32) - 1, DOUBLE: (1 << 64) - 1}.get(kind, -1)
    return [
        wrap(first + step * index) & mask
        for length, first, step in zip(counts, firsts, steps)
        for index in range(length)
    ]


def read_dictionary(cursor, kind, count):
    distinct = cursor.varint("distinct count")
    require(distinct <= 32768, f"{distinct} distinct values")
    if kind == BYTES:
        values = cut_up(cursor, read_integer_sequence(cursor, distinct, "byte counts"))
    else:
        values = read_number_sequence(cursor, kind, distinct, "distinct values")
    return [
        values[code]
        for code in read_directory(cursor, count, lambda part, codes: read_integer_vector(part, codes, "codes"))
    ]


def read_constant_bits(cursor, kind, count):
    """UUIDs without the bits that all of the page share."""
    mask, shared = cursor.u128("mask", show="{:032x}".format), cursor.u128("bits", show="{:032x}".format)
    high, low = mask >> 64, mask & (1 << 64) - 1
    stored = read_directory(cursor, count, lambda part, values: read_vector(part, UUID, values, 0))
    return [shared | deposit(value >> 64, high) << 64 | deposit(value & (1 << 64) - 1, low) for value in stored]


def deposit(bits, mask):
    """The bits of a half, from the low end on, at the places where the mask is 0."""
    half, taken = 0, 0
    for place in range(64):
        if not mask >> place & 1:
            half |= (bits >> taken & 1) << place
            taken += 1
    return half


SYMBOL_ESCAPE = 255


def read_symbols(cursor, kind, count):
    """Texts spelled with a table of frequent pieces."""
    lengths = cursor.take(cursor.u8("symbol count"), "symbol lengths")
    require(all(1 <= length <= 8 for length in lengths), f"{cursor.name}: symbol lengths")
    spelled = Cursor(cursor.take(sum(lengths), "symbols", lambda taken: repr(bytes(taken[:40]))[:-1] + "…'"))
    symbols = cut_up(spelled, lengths)

    def read(part, values):
        encoding = part.u8("encoding", show=lambda encoding: f"{encoding}: {meet(STRUCTURED_VECTOR, encoding)}")
        meet(STRUCTURED_VECTOR, encoding)
        require(encoding == 36, f"{part.name}: vector encoding {encoding} of symbols")
        byte_counts = read_integer_vector(part, values, "byte counts")
        codes = iter(part.take(part.left, "codes"))
        spelled = b"".join(bytes([next(codes)]) if code == SYMBOL_ESCAPE else symbols[code] for code in codes)
        spelled = Cursor(spelled, name=f"{part.name}, spelled")
        found = cut_up(spelled, byte_counts)
        spelled.finish("the texts")
        return found

    return read_directory(cursor, count, read)


def read_bitmap_body(cursor, kind, count):
    return read_bitmap(cursor, count, "values")


def read_alp_rd_body(cursor, kind, count):
    cut = Cut(cursor)
    return read_directory(cursor, count, lambda part, values: read_double_vector(part, values, "values", False, cut))


def read_binned(cursor, kind, count):
    return read_whole_page(cursor, count, "values", read_binned_integers, kind in (FLOAT, DOUBLE), kind == FLOAT)


def read_aligned(cursor, kind, count):
    return read_whole_page(cursor, count, "values", read_aligned_integers, kind in (FLOAT, DOUBLE), kind == FLOAT)


BODIES = {
    1: read_vectors,
    2: read_stepped_runs,
    3: read_dictionary,
    4: read_bitmap_body,
    5: read_alp_rd_body,
    6: read_binned,
    7: read_aligned,
    8: read_constant_bits,
    9: read_symbols,
}
