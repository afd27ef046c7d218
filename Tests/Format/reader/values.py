# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md, Types and values; Ids, chunks, schemas.

In Python a value of SQL is None for NULL and else
    bool            BOOLEAN
    int             SMALLINT, INTEGER, BIGINT, times and dates; REAL and DOUBLE PRECISION as their bit patterns; UUID
    (int, int)      NUMERIC: coefficient and scale
    bytes           TEXT, CHARACTER, JSONB, BYTEA
    (int, int, int) INTERVAL: months, days, microseconds
    [int, …]        VECTOR: bit patterns of 32 bits
"""

from collections import namedtuple

from .coverage import family, meet
from .cursor import FormatError, require

TYPES = {
    1: "boolean",
    2: "smallint",
    3: "integer",
    4: "bigint",
    5: "real",
    6: "double precision",
    7: "numeric",
    8: "text",
    9: "uuid",
    10: "timestamptz",
    11: "timestamptz(9)",
    12: "timestamp",
    13: "timestamp(9)",
    14: "date",
    15: "interval",
    16: "jsonb",
    17: "bytea",
    18: "vector",
    19: "character",
}
BOOLEAN, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, NUMERIC, TEXT, UUID = range(1, 10)
TIMESTAMPTZ, TIMESTAMPTZ9, TIMESTAMP, TIMESTAMP9, DATE, INTERVAL, JSONB, BYTEA, VECTOR, CHARACTER = range(10, 20)
INTEGERS = {SMALLINT, INTEGER, BIGINT}
TIMES = {TIMESTAMPTZ, TIMESTAMPTZ9, TIMESTAMP, TIMESTAMP9, DATE}

TYPE = family("type", TYPES)
MODIFIERS = {0: "none", 1: "length", 2: "fractional digits", 3: "interval"}
MODIFIER = family("type modifier", MODIFIERS)
FIELDS = {
    0: "all",
    1: "year",
    2: "month",
    3: "day",
    4: "hour",
    5: "minute",
    6: "second",
    7: "year to month",
    8: "day to hour",
    9: "day to minute",
    10: "day to second",
    11: "hour to minute",
    12: "hour to second",
    13: "minute to second",
}
NO_DIGITS = 255
VALUE = family(
    "value",
    {
        0: "NULL",
        1: "false",
        2: "true",
        3: "integer",
        4: "real",
        5: "double",
        6: "numeric",
        7: "text",
        8: "bytea",
        9: "uuid",
        10: "interval",
        11: "vector",
    },
)

Type = namedtuple("Type", "tag precision scale dimensions", defaults=(0, 0, 0))
Chunk = namedtuple("Chunk", "id start end")
Column = namedtuple("Column", "id name type modifier nullable default")
Schema = namedtuple("Schema", "table_id name columns primary_key chunking sort_key")


def read_type(cursor):
    tag = cursor.choice("type", TYPES)
    meet(TYPE, tag)
    require(tag != CHARACTER or cursor.version >= 2, f"{cursor.name}: type {tag} in version {cursor.version}")
    if tag == NUMERIC:
        precision = cursor.varint("precision")
        return Type(tag, precision, cursor.signed("scale") if precision else 0)
    if tag == VECTOR:
        return Type(tag, dimensions=cursor.varint("dimensions"))
    return Type(tag)


def read_modifier(cursor, kind):
    """(tag, length or digits, fields); None where the column has none."""
    tag = cursor.choice("type modifier", MODIFIERS)
    meet(MODIFIER, tag)
    if tag == 0:
        return None
    if tag == 1:
        length = cursor.varint("length")
        require(kind.tag in (TEXT, CHARACTER) and 1 <= length <= 10_485_760, f"{cursor.name}: a length of {length}")
        return tag, length, None
    if tag == 2:
        digits = cursor.u8("fractional digits")
        limits = {TIMESTAMPTZ: (0, 6), TIMESTAMP: (0, 6), TIMESTAMPTZ9: (7, 8), TIMESTAMP9: (7, 8)}.get(kind.tag)
        require(limits and limits[0] <= digits <= limits[1], f"{cursor.name}: {digits} digits of type {kind.tag}")
        return tag, digits, None
    fields, digits = cursor.choice("fields", FIELDS), cursor.u8("digits, 255 for none")
    require(
        kind.tag == INTERVAL and (digits <= 6 or (digits == NO_DIGITS and fields != 0)),
        f"{cursor.name}: fields {fields} with {digits} digits of type {kind.tag}",
    )
    return tag, digits, fields


def read_value(cursor, field):
    tag = cursor.u8(f"{field}, tag", show=lambda tag: f"{tag}: {meet(VALUE, tag)}")
    meet(VALUE, tag)
    if tag == 0:
        return None
    if tag in (1, 2):
        return tag == 2
    if tag == 3:
        return cursor.signed(field)
    if tag == 4:
        return cursor.u32(field, show=hex)
    if tag == 5:
        return cursor.u64(field, show=hex)
    if tag == 6:
        scale = cursor.u8(f"{field}, scale")
        return cursor.i128(field), scale
    if tag in (7, 8):
        return cursor.bytes(field)
    if tag == 9:
        return cursor.u128(field, show=lambda value: f"{value:032x}")
    if tag == 10:
        return tuple(cursor.signed(f"{field}, {unit}") for unit in ("months", "days", "microseconds"))
    if tag == 11:
        return [cursor.u32(field, show=hex) for _ in range(cursor.varint(f"{field}, count"))]
    raise FormatError(f"value {tag}")


def read_chunk(cursor):
    return Chunk(cursor.varint("chunk id"), cursor.signed("start"), cursor.signed("end"))


def read_column_ids(cursor, what):
    return [cursor.varint("column id") for _ in range(cursor.varint(f"{what}, count"))]


def read_schema(cursor):
    table_id = cursor.varint("table id")
    name = cursor.text("table name")
    cursor.varint("next column id")
    columns = []
    for _ in range(cursor.varint("column count")):
        column_id, column_name = cursor.varint("column id"), cursor.text("column name")
        kind = read_type(cursor)
        modifier = read_modifier(cursor, kind) if cursor.version >= 2 else None
        nullable = cursor.flag("nullable")
        default = cursor.text("default") if cursor.flag("has default") else None
        columns.append(Column(column_id, column_name, kind, modifier, nullable, default))
    primary_key = read_column_ids(cursor, "primary key")
    chunking = None
    if cursor.flag("has chunking"):
        chunking = cursor.varint("column id"), cursor.varint("interval"), cursor.flag("hypertable")
    sort_key = read_column_ids(cursor, "sort key") if cursor.flag("has sort key") else None
    return Schema(table_id, name, columns, primary_key, chunking, sort_key)


CHANGE = family("catalog change", {1: "put table", 2: "drop table"})


def read_catalog_change(cursor):
    """A schema that is put, or the id of a table that is dropped."""
    tag = cursor.choice("catalog change", {1: "put table", 2: "drop table"})
    meet(CHANGE, tag)
    return read_schema(cursor) if tag == 1 else cursor.varint("table id")


def put_table(tables, schema):
    """Where the table has a sort key and the schema put has none, the table's remains."""
    before = tables.get(schema.table_id)
    if before is not None and before.sort_key is not None and schema.sort_key is None:
        schema = schema._replace(sort_key=before.sort_key)
    tables[schema.table_id] = schema
