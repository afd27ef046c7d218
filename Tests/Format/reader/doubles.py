# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Double vectors. Floating-point numbers stay bit patterns, so that every NaN and zero survives."""

import struct

from .coverage import family, meet
from .cursor import require
from .integers import read_bits, read_integer_vector, read_packed_block, read_zigzag_bits, vector_counts

MASK64 = (1 << 64) - 1
DOUBLE_VECTOR = family("double vector", {16: "bit patterns", 17: "ALP", 18: "ALP-RD"})
NEAR = family("ALP near form", {0: "none", 1: "some", 2: "every value"})
FAR = family("ALP far values", {0: "none", 1: "some"})


def double_of(pattern):
    return struct.unpack("<d", struct.pack("<Q", pattern & MASK64))[0]


def pattern_of(double):
    return struct.unpack("<Q", struct.pack("<d", double))[0]


def float_pattern_of(double):
    """The bit pattern of the float that is nearest to the double."""
    try:
        return struct.unpack("<I", struct.pack("<f", double))[0]
    except OverflowError:
        return 0xFF800000 if double < 0 else 0x7F800000


def exact_double(integer):
    """`d as double`: exact inside of 2^51; outside, what adding 1.5 x 2^52 to the bits makes of it."""
    if abs(integer) < 1 << 51:
        return float(integer)
    return double_of(0x4338000000000000 + integer) - 1.5 * 2.0**52


def alp_pattern(integer, exponent, factor, near, is_float):
    """(d x 10^factor) x 10^-exponent, moved by `near` bit patterns, and rounded to a float where one is meant."""
    pattern = pattern_of(exact_double(integer) * float(f"1e{factor}") * float(f"1e-{exponent}")) + near & MASK64
    return float_pattern_of(double_of(pattern)) if is_float else pattern


def read_alp(cursor, count, field, is_float):
    exponent, factor = cursor.u8(f"{field}, exponent"), cursor.u8(f"{field}, factor")
    require(exponent <= 22 and factor <= 22, f"{field}: exponent {exponent}, factor {factor}")
    integers = read_integer_vector(cursor, count, f"{field}, d")
    near = cursor.u8(f"{field}, near form", show=lambda form: f"{form}: {meet(NEAR, form)}")
    meet(NEAR, near)
    distances = [0] * count
    if near == 1:
        nears, width = cursor.varint(f"{field}, near count"), cursor.u8(f"{field}, near width")
        positions = read_bits(cursor, nears, 10, f"{field}, near positions")
        for position, distance in zip(positions, read_zigzag_bits(cursor, nears, width, f"{field}, distances")):
            distances[position] = distance
    elif near == 2:
        distances = read_packed_block(cursor, count, f"{field}, distances")
    patterns = [
        alp_pattern(*pair, is_float=is_float) for pair in zip(integers, [exponent] * count, [factor] * count, distances)
    ]
    fars = cursor.varint(f"{field}, far count")
    meet(FAR, min(fars, 1))
    if fars:
        positions = read_bits(cursor, fars, 10, f"{field}, far positions")
        for position, pattern in zip(positions, read_integer_vector(cursor, fars, f"{field}, far patterns")):
            patterns[position] = pattern & MASK64
    return patterns


class Cut:
    """Where ALP-RD cuts a page's patterns in two, and the left parts that have codes."""

    def __init__(self, cursor):
        self.right_width = cursor.u8("right width")
        require(48 <= self.right_width <= 63, f"right width {self.right_width}")
        self.left_parts = [cursor.u16("left part", show=hex) for _ in range(cursor.u8("left count"))]
        require(1 <= len(self.left_parts) <= 8, f"{len(self.left_parts)} left parts")


def read_alp_rd(cursor, count, field, cut):
    codes = read_packed_block(cursor, count, f"{field}, codes")
    rights = read_packed_block(cursor, count, f"{field}, right parts")
    lefts = [cut.left_parts[code] if code < len(cut.left_parts) else 0 for code in codes]
    exceptions = cursor.varint(f"{field}, exception count")
    positions = read_bits(cursor, exceptions, 10, f"{field}, positions")
    for position, left in zip(positions, read_bits(cursor, exceptions, 16, f"{field}, left parts")):
        lefts[position] = left
    return [(left << cut.right_width) + right & MASK64 for left, right in zip(lefts, rights)]


def read_double_vector(cursor, count, field, is_float, cut=None):
    encoding = cursor.u8(f"{field}, encoding", show=lambda encoding: f"{encoding}: {meet(DOUBLE_VECTOR, encoding)}")
    name = meet(DOUBLE_VECTOR, encoding)
    if name == "bit patterns":
        mask = 0xFFFFFFFF if is_float else MASK64
        return [value & mask for value in read_integer_vector(cursor, count, field)]
    if name == "ALP":
        return read_alp(cursor, count, field, is_float)
    require(cut is not None, f"{field}: ALP-RD outside of its scheme")
    return read_alp_rd(cursor, count, field, cut)


def read_double_sequence(cursor, count, field, is_float):
    values = []
    for part in vector_counts(count):
        values += read_double_vector(cursor, part, field, is_float)
    return values
