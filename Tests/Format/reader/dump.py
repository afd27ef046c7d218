# SPDX-License-Identifier: Apache-2.0
"""A file as an annotated hex dump: each field that the reader took, with its offset, its bytes and its meaning. A byte that
no field covers, or that two cover, is an error: the dump proves that nothing in a file is unexplained."""

from .cursor import MAGIC, Cursor, require
from .log import LogFile
from .manifest import CURRENT_MAGIC, Current, Manifest
from .segment import SegmentFile

BYTES_OF_LINE = 16


def trace_of(data, name):
    """(kind of file, trace): every field of the file, in order."""
    trace = []
    if data[:8] == CURRENT_MAGIC:
        kind, _ = "CURRENT", Current(Cursor(data, trace=trace, name=name))
    else:
        require(data[:8] == MAGIC, f"{name}: not a Firn file")
        kind = {1: "write-ahead log", 2: "manifest", 3: "segments"}.get(data[10], "unknown")
        if kind == "write-ahead log":
            for _ in LogFile(Cursor(data, trace=trace, name=name)).frames():
                pass
        elif kind == "manifest":
            Manifest(Cursor(data, trace=trace, name=name))
        else:
            for segment in SegmentFile(data, name, trace).segments():
                segment.rows()
    trace.sort(key=lambda entry: (entry[0], entry[1] is not None))
    end = 0
    for at, taken, field, _ in trace:
        if taken is not None:
            require(at == end, f"{name}: {field} at {at}, but the fields before it end at {end}")
            end += len(taken)
    require(end == len(data), f"{name}: the bytes from {end} on are not explained")
    return kind, trace


def dump_lines(data, name, lines_of_field=None):
    """`lines_of_field` limits how many lines of bytes a field shows."""
    _, trace = trace_of(data, name)
    yield from lines_of(trace, max(3, len(f"{len(data):X}")), lines_of_field)


def joined(trace):
    """The trace with fields that are read piece by piece, and mean something together alone, as one."""
    output = []
    for at, taken, field, meaning in trace:
        if output and taken is not None and meaning is None and output[-1][2:] == (field, None) and output[-1][1] is not None:
            output[-1] = (output[-1][0], bytes(output[-1][1]) + bytes(taken), field, None)
        else:
            output.append((at, taken, field, meaning))
    return output


def lines_of(trace, width, lines_of_field=None):
    """The fields of a trace; offsets have `width` digits."""
    for at, taken, field, meaning in joined(trace):
        if taken is None:
            yield ""
            yield f"{' ' * width}  {field}"
            continue
        rows = [taken[start : start + BYTES_OF_LINE] for start in range(0, len(taken), BYTES_OF_LINE)]
        shown = rows if lines_of_field is None or len(rows) <= lines_of_field + 1 else rows[:lines_of_field]
        for index, row in enumerate(shown):
            note = (field + (f": {meaning}" if meaning else "")) if index == 0 else ""
            hexadecimal = " ".join(f"{byte:02X}" for byte in row).ljust(BYTES_OF_LINE * 3 - 1)
            yield f"{at + index * BYTES_OF_LINE:0{width}X}  {hexadecimal}  {note}".rstrip()
        if len(shown) < len(rows):
            yield f"{' ' * width}  … {len(taken) - len(shown) * BYTES_OF_LINE} bytes more"
