# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Whole pages: one stream of integers for all values of a page, and what the integers mean."""

import bisect
import itertools

from .coverage import family, meet
from .cursor import require, wrap
from .doubles import MASK64, alp_pattern, pattern_of, float_pattern_of, read_double_sequence
from .integers import read_integer_sequence, running_sums

MEANING = family("meaning", {0: "values", 1: "ALP", 2: "dictionary", 3: "decimals"})
ORDER = family("order", {0: "values", 1: "differences", 2: "differences of differences"})
LANES = 16


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


class Bits:
    """Bits of a small table, low first."""

    def __init__(self, cursor, field):
        self.cursor, self.field, self.held, self.bits = cursor, field, 0, 0

    def next(self, width):
        while self.held < width:
            self.bits |= self.cursor.take(1, self.field)[0] << self.held
            self.held += 8
        value = self.bits & ((1 << width) - 1)
        self.bits >>= width
        self.held -= width
        return value

    def number(self, width):
        below = self.next(width)
        return 1 << below | self.next(below)


class Lanes:
    """Sixteen queues of bits, low first, filled by the words of one stream; zeros behind its end."""

    def __init__(self, data):
        self.words, self.at = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)], 0
        self.bits, self.held = [self.word() for _ in range(LANES)], [16] * LANES

    def word(self):
        self.at += 1
        return self.words[self.at - 1] if self.at <= len(self.words) else 0

    def take(self, lane, width):
        value = self.bits[lane] & ((1 << width) - 1)
        self.bits[lane] >>= width
        self.held[lane] -= width
        if self.held[lane] <= 16:
            self.bits[lane] |= self.word() << self.held[lane]
            self.held[lane] += 16
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


def read_model(cursor, table_bits, bins, field):
    """Lower bounds, offset widths and the decoding table."""
    bits = Bits(cursor, f"{field}, model")
    width_bits, weight_bits, step_bits = (bits.next(3) for _ in range(3))
    require(max(width_bits, weight_bits, step_bits) <= 6, f"{field}: fields of a model are too wide")
    lower_bounds, widths, weights = [bits.next(64)], [], []
    for index in range(bins):
        widths.append(bits.next(width_bits))
        weights.append(bits.number(weight_bits))
        if index + 1 < bins:
            lower_bounds.append(lower_bounds[-1] + bits.number(step_bits) & MASK64)
    require(max(widths) <= 56, f"{field}: an offset of {max(widths)} bits")
    return lower_bounds, widths, decoding_table(table_bits, weights)


def read_binned_integers(cursor, count, field):
    frame = Frame(cursor, field)
    table_bits, bins = cursor.u8(f"{field}, table bits"), cursor.varint(f"{field}, bin count")
    require(table_bits <= 12 and 1 <= bins <= 1023, f"{field}: {table_bits} table bits, {bins} bins")
    lower_bounds, widths, table = read_model(cursor, table_bits, bins, field)
    word_counts = [cursor.varint(f"{field}, stream {index}, word count") for index in range(2)]
    symbols, offsets = (
        Lanes(cursor.take(2 * words, f"{field}, stream {index}")) for index, words in enumerate(word_counts)
    )
    states = [symbols.take(lane, table_bits) for lane in range(LANES)]
    latents = []
    while len(latents) < count:
        row = []
        for lane in range(LANES):
            bin, bits, base = table[states[lane]]
            states[lane] = base + symbols.take(lane, bits)
            row.append(bin)
        found = [0] * LANES
        for at in range(0, max(widths), 16):
            for lane, bin in enumerate(row):
                found[lane] |= offsets.take(lane, min(16, max(0, widths[bin] - at))) << at
        latents += [wrap(lower_bounds[bin] + offset) for bin, offset in zip(row, found)]
    latents = latents[:count]
    if frame.order:
        latents = [wrap(latent - (1 << 63)) for latent in latents]
    return frame.restore(latents)


def read_split(cursor, integers, field):
    """Integers whose remainders by a multiple are a stream of their own."""
    multiple = cursor.varint(f"{field}, multiple")
    require(multiple != 1, f"{field}: multiple 1")
    if multiple == 0:
        return integers
    remainders = read_binned_integers(cursor, len(integers), f"{field}, remainders")
    return [wrap(integer * multiple + remainder) for integer, remainder in zip(integers, remainders)]


class DecimalClass:
    """Integers that mean decimals of the same number of digits."""

    def __init__(self, cursor, field):
        self.digits, self.denominator = cursor.u8(f"{field}, digits"), cursor.u8(f"{field}, denominator")
        self.shift, self.least = cursor.u8(f"{field}, shift"), cursor.signed(f"{field}, least")
        self.span = cursor.varint(f"{field}, span")
        require(self.digits <= 17 and self.denominator and self.shift <= self.digits, f"{field}: not a class")
        require(1 <= self.span <= 1 << 56, f"{field}: span {self.span}")

    def double(self, place):
        k = place + self.least
        if self.denominator != 1:
            # To the nearest integer, halves away from zero.
            dividend = 2 * abs(k) * 10 ** (self.digits - self.shift) + self.denominator
            k = dividend // (2 * self.denominator) * (-1 if k < 0 else 1)
        return k / 10**self.digits


def read_decimals(cursor, integers, field):
    classes = [DecimalClass(cursor, f"{field}, class {index}") for index in range(cursor.u8(f"{field}, class count"))]
    require(1 <= len(classes) <= 64, f"{field}: {len(classes)} classes")
    starts = list(itertools.accumulate([one.span for one in classes], initial=0))
    doubles = []
    for integer in integers:
        index = bisect.bisect_right(starts, integer) - 1
        require(0 <= index < len(classes), f"{field}: {integer} is in no class")
        doubles.append(classes[index].double(integer - starts[index]))
    return doubles


def read_far(cursor, patterns, field):
    count = cursor.varint(f"{field}, far count")
    positions = read_integer_sequence(cursor, count, f"{field}, far positions")
    for position, pattern in zip(positions, read_integer_sequence(cursor, count, f"{field}, far patterns")):
        patterns[position] = pattern & MASK64


def read_whole_page(cursor, count, field, read_integers, is_floating, is_float):
    """The values of a page of scheme 6 or 7; `read_integers` is one of the two above."""
    integers = read_split(cursor, read_integers(cursor, count, field), field)
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
        doubles = read_decimals(cursor, integers, field)
        patterns = [float_pattern_of(double) if is_float else pattern_of(double) for double in doubles]
    read_far(cursor, patterns, field)
    return patterns
