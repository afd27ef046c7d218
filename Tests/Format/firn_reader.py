#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads Firn's files without Firn: an independent reader, written from FORMAT.md (see reader/).

    firn_reader.py rows DATABASE TABLE     the table's rows as CSV, in no particular order
    firn_reader.py rows FILE.seg [TABLE]   the rows of a segment file; TABLE is an id, needed where it holds several
    firn_reader.py list DATABASE           tables, segments and what the log adds
    firn_reader.py show FILE               the commits of a log, the edits of a manifest, the segments of a segment file
    firn_reader.py dump FILE               every byte, with its meaning

Exit code 1 where a file is not what FORMAT.md says. Needs the packages of requirements.txt.
"""

import argparse
import pathlib
import sys

from reader import dump, text, values
from reader.cursor import MAGIC, Cursor, FormatError, require
from reader.database import Database
from reader.log import Bulk, LogFile, Rows
from reader.manifest import CURRENT_MAGIC, Current, Manifest
from reader.segment import Descriptor, SegmentFile


def rows(path, table):
    """CSV lines of a table."""
    if path.is_dir():
        database = Database(path)
        require(table in database.tables, f"no table {table!r}; there are {sorted(database.tables)}")
        return text.csv_lines(database.tables[table].columns, database.rows(table))
    segments = SegmentFile(path.read_bytes(), path.name).segments()
    tables = {segment.descriptor.table_id for segment in segments}
    if table is None:
        require(len(tables) == 1, f"{path.name} holds tables {sorted(tables)}: choose one")
        table = tables.pop()
    chosen = [segment for segment in segments if segment.descriptor.table_id == int(table)]
    require(chosen, f"{path.name} has no segment of table {table}")
    found = [row for segment in chosen for row in segment.rows()]
    require(
        len({tuple(column[:3] for column in segment.columns) for segment in chosen}) == 1, "segments of several schemas"
    )
    return text.csv_lines(chosen[0].columns, found)


def list_database(path):
    database = Database(path)
    for name, schema in sorted(database.tables.items()):
        logged = len(database.logged.get(schema.table_id, []))
        yield f'table {schema.table_id} "{name}", {len(schema.columns)} columns, {logged} rows in the log'
        for descriptor in database.segments.values():
            if descriptor.table_id == schema.table_id:
                yield f"    {describe(descriptor)}"


def describe(descriptor):
    return (
        f"segment of table {descriptor.table_id}, chunk {descriptor.chunk_id}: file {descriptor.file_id}, "
        f"bytes {descriptor.offset} to {descriptor.offset + descriptor.byte_count - 1}, {descriptor.row_count} rows, "
        f"LSN {descriptor.first_lsn} to {descriptor.last_lsn}"
    )


def show(path):
    data = path.read_bytes()
    cursor = Cursor(data, name=path.name)
    if data[:8] == CURRENT_MAGIC:
        proof = Current(cursor).proof
        yield f"CURRENT: manifest-{proof.manifest}, durable to byte {proof.byte_count}"
    elif data[:8] == MAGIC and data[10] == 1:
        log = LogFile(cursor)
        yield f"log file {log.header.file_id}, epoch {log.epoch}, first LSN {log.first_lsn}"
        for frame in log.frames():
            yield f"LSN {frame.lsn} at {frame.offset}: " + describe_payload(frame.payload)
    elif data[:8] == MAGIC and data[10] == 2:
        manifest = Manifest(cursor)
        yield f"manifest-{manifest.header.file_id}"
        for edit in manifest.edits:
            yield f"edit {edit.number} at {edit.offset}, LSN {edit.lsn}"
            for name, fields in edit.records:
                yield f"    {name}: " + ", ".join(map(describe_field, fields))
    else:
        for segment in SegmentFile(data, path.name).segments():
            yield describe(segment.descriptor)
            for column in segment.columns:
                storage = "plain" if column.dictionary is None else f"dictionary of {len(column.dictionary)}"
                yield f'    column {column.id} "{column.name}" {values.TYPES[column.type.tag]}, {storage}'
            if index := segment.key_index:
                yield f"    key index of columns {index.column_ids}, {len(index.entries)} hashes of {index.hash_bits} bits"


def describe_field(field):
    if isinstance(field, Descriptor):
        return describe(field)
    if isinstance(field, values.Schema):
        columns = (f"{column.name} {values.TYPES[column.type.tag]}" for column in field.columns)
        return f'{field.table_id} "{field.name}" ({", ".join(columns)})'
    if isinstance(field, values.Chunk):
        return f"chunk {field.id} from {field.start} to {field.end}"
    return str(field)


def describe_payload(payload):
    if isinstance(payload, Rows):
        return f"{len(payload.rows)} rows of table {payload.table_id}"
    if isinstance(payload, Bulk):
        return f"{len(payload.segments)} segments of table {payload.table_id}, loaded in bulk"
    return "; ".join(
        f"put table {describe_field(change)}" if isinstance(change, values.Schema) else f"drop table {change}"
        for change in payload
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["rows", "list", "show", "dump"])
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("table", nargs="?")
    options = parser.parse_args()
    verbs = {
        "rows": lambda: rows(options.path, options.table),
        "list": lambda: list_database(options.path),
        "show": lambda: show(options.path),
        "dump": lambda: dump.dump_lines(options.path.read_bytes(), options.path.name),
    }
    try:
        for line in verbs[options.verb]():
            print(line)
    except (FormatError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
