# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Pages and Integer vectors: bitmaps, packed blocks, integer vectors, sequences of them."""

import struct

from .coverage import family, meet
from .cursor import require, unzigzag, wrap

VECTOR_VALUES = 1024
LANES = 16

BITMAP = family("bitmap", {0: "all ones", 1: "all zeros", 2: "bits", 3: "runs"})
PACKED = family("packed block", {0: "plain", 128: "patched"})
INTEGER_VECTOR = family(
    "integer vector",
    {1: "constant", 2: "raw", 3: "frame of reference", 4: "delta", 5: "delta of delta", 6: "scaled", 7: "runs"},
)


def vector_counts(count):
    """The value counts of the vectors that hold `count` values."""
    return [min(VECTOR_VALUES, count - start) for start in range(0, count, VECTOR_VALUES)]


def read_bits(cursor, count, width, field):
    """Plain bits: low bits first, filled up to a byte."""
    taken = cursor.take((count * width + 7) // 8, field, lambda _: f"{count} x {width} bits")
    number, mask = int.from_bytes(taken, "little"), (1 << width) - 1
    return [number >> (index * width) & mask for index in range(count)]


def read_bitmap(cursor, count, field):
    form = cursor.u8(f"{field}, form", show=lambda form: f"{form}: {meet(BITMAP, form)}")
    meet(BITMAP, form)
    if form < 2:
        return [form == 0] * count
    if form == 2:
        return [bit == 1 for bit in read_bits(cursor, count, 1, field)]
    bit, bits = cursor.u8(f"{field}, first bit") == 1, []
    for length in read_integer_sequence(cursor, cursor.varint(f"{field}, run count"), f"{field}, run lengths"):
        bits += [bit] * length
        bit = not bit
    require(len(bits) == count, f"{field}: runs of {len(bits)} bits for {count}")
    return bits


def read_packed_block(cursor, count, field):
    """
    The bits lie in 16 lanes, so that a processor unpacks 16 values at once:

        value i     row i / 16 of lane i % 16
        a lane      the bits of its rows, low bits first, cut into words of 64 bits
        word w of lane l  at byte (16 w + l) x 8
    """
    width = cursor.u8(
        f"{field}, width", show=lambda width: f"{width & 127} bits" + (", patched" if width & 128 else "")
    )
    patched, width = width & 128, width & 127
    meet(PACKED, patched)
    require(width <= 64, f"{field}: width {width}")
    base = cursor.signed(f"{field}, base")
    words_of_lane = (-(-count // LANES) * width + 63) // 64
    packed = cursor.take(
        words_of_lane * LANES * 8, f"{field}, packed", lambda _: f"{count} x {width} bits in {LANES} lanes"
    )
    words = struct.unpack(f"<{words_of_lane * LANES}Q", packed)
    values, mask = [0] * count, (1 << width) - 1
    for lane in range(min(LANES, count)):
        bits = int.from_bytes(struct.pack(f"<{words_of_lane}Q", *words[lane::LANES]), "little")
        for index in range(lane, count, LANES):
            values[index] = bits & mask
            bits >>= width
    if patched:
        patches = cursor.varint(f"{field}, patch count")
        high_width = cursor.u8(f"{field}, high width")
        positions = read_bits(cursor, patches, 10, f"{field}, positions")
        for position, high in zip(positions, read_bits(cursor, patches, high_width, f"{field}, highs")):
            values[position] += high << width
    return [wrap(base + value) for value in values]


def running_sums(start, steps):
    sums = []
    for step in steps:
        start = wrap(start + step)
        sums.append(start)
    return sums


def read_integer_vector(cursor, count, field, depth=1):
    encoding = cursor.u8(f"{field}, encoding", show=lambda encoding: f"{encoding}: {meet(INTEGER_VECTOR, encoding)}")
    name = meet(INTEGER_VECTOR, encoding)
    require(depth <= 3, f"{field}: integer vectors more than three deep")
    if name == "constant":
        return [cursor.signed(f"{field}, value")] * count
    if name == "raw":
        width, base = cursor.u8(f"{field}, byte width"), cursor.signed(f"{field}, base")
        taken = cursor.take(count * width, field, lambda _: f"{count} x {width} bytes")
        return [wrap(base + int.from_bytes(taken[at : at + width], "little")) for at in range(0, count * width, width)]
    if name == "frame of reference":
        return read_packed_block(cursor, count, field)
    if name == "delta":
        carry = cursor.signed(f"{field}, carry")
        return running_sums(carry, read_packed_block(cursor, count, field))
    if name == "delta of delta":
        carry, step_carry = cursor.signed(f"{field}, carry"), cursor.signed(f"{field}, step carry")
        return running_sums(carry, running_sums(step_carry, read_packed_block(cursor, count, field)))
    if name == "scaled":
        base, divisor = cursor.signed(f"{field}, base"), cursor.varint(f"{field}, divisor")
        return [wrap(base + divisor * value) for value in read_integer_vector(cursor, count, field, depth + 1)]
    if name == "runs":
        runs = cursor.varint(f"{field}, run count")
        lengths = read_packed_block(cursor, runs, f"{field}, lengths")
        values = []
        for length, value in zip(lengths, read_integer_vector(cursor, runs, f"{field}, values", depth + 1)):
            values += [value] * length
        require(len(values) == count, f"{field}: runs of {len(values)} values for {count}")
        return values


def read_integer_sequence(cursor, count, field):
    values = []
    for part in vector_counts(count):
        values += read_integer_vector(cursor, part, field)
    return values


def read_zigzag_bits(cursor, count, width, field):
    return [unzigzag(value) for value in read_bits(cursor, count, width, field)]
