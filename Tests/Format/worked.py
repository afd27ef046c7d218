# SPDX-License-Identifier: Apache-2.0
"""Single values of Tests/Golden/pages, found step by step: a packed block, symbols, bins, the hash of a key. FORMAT.md shows
what this prints; every step is computed from the bytes, and the value at its end is compared with what the reader reads."""

import struct

from environment import ROOT
from reader import cold, dump, key_index, pages
from reader.cursor import Cursor, require, wrap
from reader.segment import SegmentFile

PAGES = ROOT / "Tests" / "Golden" / "pages"
LINES_OF_FIELD = 4


def files():
    """(path, bytes) of each segment file, in order."""
    return [(path, path.read_bytes()) for path in sorted(PAGES.glob("data/*.seg"), key=lambda path: int(path.stem))]


def page(heading):
    """(path, bytes, trace) of the one page with this heading: its fields from the heading to its checksum."""
    found = []
    for path, data in files():
        trace = dump.trace_of(data, path.name)[1]
        for start, entry in enumerate(trace):
            if entry[1] is None and entry[2] == heading:
                end = next(at for at in range(start, len(trace)) if trace[at][2] == "placed checksum of the block")
                found.append((path, data, trace[start : end + 1]))
    require(len(found) == 1, f"{len(found)} pages are called {heading}")
    return found[0]


def field(trace, name):
    """(offset, bytes) of the first field of that name."""
    return next((at, taken) for at, taken, found, _ in trace if taken is not None and found == name)


def shown(heading):
    """The page's dump, the bytes of its file, and its trace."""
    path, data, trace = page(heading)
    lines = dump.lines_of(trace, max(3, len(f"{len(data):X}")), LINES_OF_FIELD)
    return [f"{path.relative_to(PAGES)}:", *lines], data, trace


def hexadecimal(taken):
    return " ".join(f"{byte:02X}" for byte in taken)


def packed_block():
    """Values of a patched block: where their bits lie, and what a patch adds."""
    heading = 'page 0 of column 3 "number", row group 0'
    lines, data, trace = shown(heading)
    first = trace[1][0]
    values = pages.read_page(Cursor(data, first, trace[-1][0]), pages.INT64)
    width = field(trace, "values, width")[1][0] & 127
    base = Cursor(field(trace, "values, base")[1]).signed("base")
    start, packed = field(trace, "values, packed")
    patch_count = field(trace, "values, patch count")[1][0]
    positions = int.from_bytes(field(trace, "values, positions")[1], "little")
    high_width = field(trace, "values, high width")[1][0]
    highs = int.from_bytes(field(trace, "values, highs")[1], "little")
    patches = {
        positions >> 10 * index & 1023: highs >> high_width * index & (1 << high_width) - 1
        for index in range(patch_count)
    }
    words = struct.unpack(f"<{len(packed) // 8}Q", packed)
    lines.append("")
    crossing = [index for index in range(16, len(values)) if (index // 16 * width) % 64 + width > 64]
    for index in sorted([17, *crossing[:1], *patches]):
        row, lane = divmod(index, 16)
        bit = row * width
        low = words[bit // 64 * 16 + lane] >> bit % 64
        where = f"bits {bit % 64} to {min(63, bit % 64 + width - 1)} of its word {bit // 64}, at {start + (bit // 64 * 16 + lane) * 8:03X}"
        if bit % 64 + width > 64:
            low |= words[(bit // 64 + 1) * 16 + lane] << 64 - bit % 64
            where += f", and the low {bit % 64 + width - 64} of word {bit // 64 + 1}, at {start + ((bit // 64 + 1) * 16 + lane) * 8:03X}"
        low &= (1 << width) - 1
        told = f"value {index} is in row {row} of lane {lane}: {where}: {low}"
        value = low
        if index in patches:
            value += patches[index] << width
            told += f"; its patch adds {patches[index]} x 2^{width}"
        value = wrap(base + value)
        require(value == values[index], f"value {index}: {value}, the reader has {values[index]}")
        lines += [told + f"; base {base}: {value}"]
    return lines


def symbols():
    """One text, spelled by symbols."""
    heading = 'page 0 of dictionary of "sentence"'
    lines, data, trace = shown(heading)
    values = pages.read_page(Cursor(data, trace[1][0], trace[-1][0]), pages.BYTES)
    lengths = field(trace, "symbol lengths")[1]
    table, at = [], 0
    spelled = field(trace, "symbols")[1]
    for length in lengths:
        table.append(bytes(spelled[at : at + length]))
        at += length
    start, codes = field(trace, "codes")
    text, at, steps = b"", 0, []
    while len(text) < len(values[0]):
        code = codes[at]
        piece = bytes([codes[at + 1]]) if code == pages.SYMBOL_ESCAPE else table[code]
        steps.append(f"{hexadecimal(codes[at : at + 1 + (code == pages.SYMBOL_ESCAPE)])} {piece.decode()!r}")
        at += 1 + (code == pages.SYMBOL_ESCAPE)
        text += piece
    require(text[: len(values[0])] == values[0], "the first text")
    lines += ["", f"text 0 has {len(values[0])} bytes; the codes from {start:03X} on spell them:"]
    lines += ["    " + ", ".join(steps[index : index + 6]) for index in range(0, len(steps), 6)]
    lines.append(f"that is {values[0].decode()!r}")
    return lines


def bins():
    """The first two values of a binned page: states, bins, offsets."""
    heading = 'page 0 of column 2 "level", row group 0'
    lines, data, trace = shown(heading)
    values = pages.read_page(Cursor(data, trace[1][0], trace[-1][0]), pages.INT64)
    cursor = Cursor(data, field(trace, "values, order")[0], trace[-1][0])
    frame = cold.Frame(cursor, "values")
    require(frame.order == 0, "the example has no differences")
    table_bits, bin_count = cursor.u8("table bits"), cursor.varint("bin count")
    lower_bounds, widths, table = cold.read_model(cursor, table_bits, bin_count, "values")
    counts = [cursor.varint("word count") for _ in range(2)]
    states, offsets = (cold.Lanes(cursor.take(2 * count, "stream")) for count in counts)
    lines.append("")
    for index, (low, width) in enumerate(zip(lower_bounds, widths)):
        weight = sum(1 for entry in table if entry[0] == index)
        lines.append(f"bin {index}: from {wrap(low)} on, {width} bits of offset, {weight} of {1 << table_bits} states")
    state_of = [states.take(lane, table_bits) for lane in range(16)]
    first_row = []
    for lane in range(16):
        bin, bits, base = table[state_of[lane]]
        taken = states.take(lane, bits)
        first_row.append((state_of[lane], bin, bits, base, taken))
    for lane, (state, bin, bits, base, taken) in enumerate(first_row):
        require(max(widths) <= 16, "the example takes each offset at once")
        offset = offsets.take(lane, widths[bin])
        integer = wrap(frame.base + frame.divisor * wrap(lower_bounds[bin] + offset))
        require(integer == values[lane], f"value {lane}: {integer}, the reader has {values[lane]}")
        if lane < 3:
            lines.append(
                f"value {lane}: the first {table_bits} bits of lane {lane} are state {state}, of bin {bin}; it reads {bits} bits, "
                f"{taken}: the next state is {base} + {taken} = {base + taken};"
            )
            lines.append(
                f"    the offset is {offset}: {wrap(lower_bounds[bin])} + {offset}, times {frame.divisor}, plus {frame.base}: {integer}"
            )
    return lines


def key_hash():
    """The hash of one key, mixed value by value."""
    for path, data in files():
        for segment in SegmentFile(data, path.name).segments():
            index = segment.key_index
            if index is None:
                continue
            columns, rows, database = segment.columns, segment.rows(), segment.file.header.database_id
            row = 0
            lines = [f"{path.relative_to(PAGES)}, row {row}; the key's columns are " +
                     ", ".join(f'{id} "{next(c.name for c in columns if c.id == id)}"' for id in index.column_ids)]
            seed = state = key_index.seed_of(database)
            lines.append(f"database id  {database:032X}")
            lines.append(f"seed         {seed:016X}")
            for id in index.column_ids:
                place = next(place for place, column in enumerate(columns) if column.id == id)
                value, column = rows[row][place], columns[place]
                if isinstance(value, bytes):
                    inner = key_index.mix(seed, len(value))
                    lines.append(f"{value!r}: t = mix(seed, {len(value)}) = {inner:016X}")
                    whole = len(value) // 8 * 8
                    for at in range(0, whole, 8):
                        word = int.from_bytes(value[at : at + 8], "little")
                        inner = key_index.mix(inner, word)
                        lines.append(f"    t = mix(t, {word:016X}) = {inner:016X}")
                    rest = int.from_bytes(value[whole:], "big")
                    inner = key_index.mix(inner, rest)
                    lines.append(f"    t = mix(t, {rest:X}) = {inner:016X}")
                state = key_index.mix_value(state, seed, value, column.type.tag)
                what = "t" if isinstance(value, bytes) else str(value)
                lines.append(f"h = mix(h, {what}) = {state:016X}")
            stored = next(hash for hash, at in index.entries if at == row)
            require(state >> 64 - index.hash_bits == stored, "the hash is not the one that is stored")
            lines.append(f"stored       {stored:010X}, its uppermost {index.hash_bits} bits")
            return lines
    require(False, "no segment has a key index")


EXAMPLES = [
    ("A packed block with patches", packed_block),
    ("Symbols", symbols),
    ("Bins and their states", bins),
    ("The hash of a key", key_hash),
]


def text():
    parts = []
    for title, make in EXAMPLES:
        parts += [f"{title}:", "", *[f"    {line}".rstrip() for line in make()], ""]
    return "\n".join(parts)
