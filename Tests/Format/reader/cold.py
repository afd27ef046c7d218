# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Whole pages: one stream of integers for all values of a page, and what the integers mean."""

from .coverage import family, meet
from .cursor import require, wrap
from .doubles import MASK64, alp_pattern, pattern_of, float_pattern_of, read_double_sequence
from .integers import read_integer_sequence, running_sums

MEANING = family("meaning", {0: "values", 1: "ALP", 2: "dictionary", 3: "decimals"})
ORDER = family("order", {0: "values", 1: "differences", 2: "differences of differences"})
STATES = 8


class Frame:
    """What aligned and binned integers share: how often differences were taken, and the divisor."""

    def __init__(self, cursor, field):
        self.order = cursor.u8(f"{field}, order")
        meet(ORDER, self.order)
        self.divisor, self.base = cursor.varint(f"{field}, divisor"), cursor.signed(f"{field}, base")
        self.carries = [cursor.signed(f"{field}, carry") for _ in range(self.order)]

    def restore(self, integers):
        for carry in reversed(self.carries):
            integers = running_sums(carry, integers)
        return [wrap(self.base + self.divisor * integer) for integer in integers]


def read_aligned_integers(cursor, count, field):
    frame = Frame(cursor, field)
    least, width = cursor.signed(f"{field}, least"), cursor.u8(f"{field}, byte width")
    require(1 <= width <= 8, f"{field}: byte width {width}")
    taken = cursor.take(count * width, field, lambda _: f"{count} x {width} bytes")
    return frame.restore(
        [wrap(least + int.from_bytes(taken[at : at + width], "little")) for at in range(0, count * width, width)]
    )


class BitStream:
    """Bits, low first; zeros behind the end."""

    def __init__(self, data):
        self.data, self.at, self.held, self.bits = data, 0, 0, 0

    def next(self, width):
        while self.held < width:
            self.bits |= int.from_bytes(self.data[self.at : self.at + 32], "little") << self.held
            self.at += 32
            self.held += 256
        value = self.bits & ((1 << width) - 1)
        self.bits >>= width
        self.held -= width
        return value


def decoding_table(table_bits, weights):
    """For each state its bin, the number of bits to read, and the base to which they are added."""
    total = 1 << table_bits
    require(sum(weights) == total and min(weights) >= 1, f"weights of {len(weights)} bins do not sum to {total}")
    stride = total // 2 + total // 8 + 3 if total > 8 else 1
    bin_of, position = [0] * total, 0
    for index, weight in enumerate(weights):
        for _ in range(weight):
            bin_of[position] = index
            position = (position + stride) % total
    rank, table = list(weights), []
    for index in bin_of:
        x = rank[index]
        rank[index] += 1
        bits = table_bits - (x.bit_length() - 1)
        table.append((index, bits, (x << bits) - total))
    return table


def read_binned_integers(cursor, count, field):
    frame = Frame(cursor, field)
    table_bits, bins = cursor.u8(f"{field}, table bits"), cursor.varint(f"{field}, bin count")
    require(table_bits <= 13 and bins <= 4095, f"{field}: {table_bits} table bits, {bins} bins")
    lower_bounds = read_integer_sequence(cursor, bins, f"{field}, lower bounds")
    widths = read_integer_sequence(cursor, bins, f"{field}, widths")
    table = decoding_table(table_bits, read_integer_sequence(cursor, bins, f"{field}, weights"))
    states = [cursor.u16(f"{field}, state") for _ in range(STATES)]
    byte_counts = [cursor.varint(f"{field}, stream {index}, byte count") for index in range(3)]
    streams = [BitStream(cursor.take(bytes, f"{field}, stream {index}")) for index, bytes in enumerate(byte_counts)]
    latents = []
    for index in range(count):
        lane = index % STATES
        bin, bits, base = table[states[lane]]
        states[lane] = base + streams[0 if lane < STATES // 2 else 1].next(bits)
        latents.append(wrap(lower_bounds[bin] + streams[2].next(widths[bin])))
    if frame.order:
        latents = [wrap(latent - (1 << 63)) for latent in latents]
    return frame.restore(latents)


def read_far(cursor, patterns, field):
    count = cursor.varint(f"{field}, far count")
    positions = read_integer_sequence(cursor, count, f"{field}, far positions")
    for position, pattern in zip(positions, read_integer_sequence(cursor, count, f"{field}, far patterns")):
        patterns[position] = pattern & MASK64


def read_whole_page(cursor, count, field, read_integers, is_floating, is_float):
    """The values of a page of scheme 6 or 7; `read_integers` is one of the two above."""
    integers = read_integers(cursor, count, field)
    meaning = cursor.u8(f"{field}, meaning", show=lambda meaning: f"{meaning}: {meet(MEANING, meaning)}")
    name = meet(MEANING, meaning)
    if name == "values":
        mask = (0xFFFFFFFF if is_float else MASK64) if is_floating else None
        return [value & mask for value in integers] if is_floating else integers
    if name == "dictionary":
        distinct = cursor.varint(f"{field}, distinct count")
        if is_floating:
            values = read_double_sequence(cursor, distinct, f"{field}, distinct values", is_float)
        else:
            values = read_integer_sequence(cursor, distinct, f"{field}, distinct values")
        return [values[code] for code in integers]
    if name == "ALP":
        exponent, factor = cursor.u8(f"{field}, exponent"), cursor.u8(f"{field}, factor")
        near = [0] * count
        if cursor.flag(f"{field}, near"):
            near = read_binned_integers(cursor, count, f"{field}, distances")
        patterns = [
            alp_pattern(integer, exponent, factor, distance, is_float) for integer, distance in zip(integers, near)
        ]
    else:
        digits = read_binned_integers(cursor, count, f"{field}, digit counts")
        doubles = [integer / 10**digit for integer, digit in zip(integers, digits)]
        patterns = [float_pattern_of(double) if is_float else pattern_of(double) for double in doubles]
    read_far(cursor, patterns, field)
    return patterns
