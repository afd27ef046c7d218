# SPDX-License-Identifier: Apache-2.0
"""The databases that the tests read: closed, killed, compressed, tiny. Each builder gives the tables that are in it."""

import random
import shutil

import generate

COMPRESS = "SELECT compress_chunk(c) FROM show_chunks('{table}') c"


def load(firn, database, table, rows=None):
    firn.sql(database, *firn.copy_statements(table, rows))


def create(firn, database, tables):
    firn.sql(database, *[table.ddl() for table in tables])


def closed(firn, database, count, readings_count, long_count=0):
    """Every type, several chunks, several segments of a chunk, perhaps several row groups; closed in order."""
    tables = generate.every_type(count, 1) + [generate.zones(1100, 11), generate.readings(readings_count, 12)]
    tables += [generate.keyed(count // 2, 13), generate.identified(readings_count, 14)]
    if long_count:
        tables.append(generate.long(long_count))
    create(firn, database, tables)
    for table in tables:
        in_thirds = table.name in ("readings", "identified")
        thirds = [table.rows[index::3] for index in range(3)] if in_thirds else [table.rows]
        for rows in thirds:  # each opening flushes what it has: a segment of its own in every chunk
            load(firn, database, table, rows)
    firn.sql(database, "CREATE TABLE gone (number bigint)", "INSERT INTO gone VALUES (1)", "DROP TABLE gone")
    return tables


def killed(firn, database, count, long_count=0):
    """Half of the rows in segments; the other half, tables and a drop in the log alone, a bulk load, too. What is
    selected from segments comes with their dictionaries."""
    tables = generate.every_type(count, 2)
    texts = next(table for table in tables if table.name == "texts")
    selected = [("texts", generate.part(texts, "hosts", ["host", "document"], lambda index, row: index % 2 == 0), "")]
    flushed = [
        generate.part(table, table.name, [name for name, _, _ in table.columns], lambda index, row: index % 2 == 0)
        for table in tables
    ]
    late = [generate.readings(count, 22), generate.chatter(150, 23), generate.bulky(), generate.identified(count, 24)]
    if long_count:
        long = generate.long(long_count)
        flushed.append(long)
        selected += [
            ("long", generate.part(long, "words", ["word"], lambda index, row: True), ""),
            (
                "long",
                generate.part(long, "some_words", ["word"], lambda index, row: int(row[0]) < 20_000),
                "WHERE number < 20000",
            ),
        ]
    create(firn, database, [*flushed, generate.Table("gone", [("number", "bigint", ["1"])])])
    for table in flushed:
        load(firn, database, table)
    firn.sql(database, "INSERT INTO gone VALUES (1)")
    statements = ["DROP TABLE gone"]
    for source, table, condition in selected:
        names = ", ".join(name for name, _, _ in table.columns)
        statements += [table.ddl(), f"INSERT INTO {table.name} SELECT {names} FROM {source} {condition}"]
    for table in tables:
        statements += firn.copy_statements(table, table.rows[1::2])
    for table in late:
        statements += [*table.ddl().split("; "), *firn.copy_statements(table)]
    firn.sql_then_kill(database, *statements)
    return tables + late + flushed[len(tables) :] + [table for _, table, _ in selected]


def can_compress(firn):
    """Whether this firn has what COMPRESS calls."""
    probe = generate.readings(1, 1)
    done = firn.run("sql", "-c", probe.ddl(), "-c", COMPRESS.format(table=probe.name))
    assert done.returncode == 0 or b"(42883)" in done.stderr, done.stderr.decode()
    return done.returncode == 0


def compressed(firn, database, count):
    """Every type in chunks that were compressed: the encodings of cold data."""
    plain = generate.every_type(count, 3) + [generate.zones(1100, 31), generate.keyed(count // 3, 32)]
    tables = [generate.with_time(table, f"cold_{table.name}") for table in plain]
    create(firn, database, tables)
    for table in tables:
        load(firn, database, table)
        firn.sql(database, COMPRESS.format(table=table.name))
    return tables


def tiny(firn, database):
    """A few rows in a segment, one more in the log: small enough to be explained byte by byte."""
    shutil.rmtree(database, ignore_errors=True)
    table = generate.Table(
        "t",
        [
            ("time", "timestamptz", ["2026-01-01 00:00:00+00", "2026-01-01 00:00:01+00", "2026-01-01 00:00:02+00"]),
            ("host", "text", ["a", "b", "a"]),
            ("load", "double precision", ["0.5", None, "0.25"]),
        ],
        "7 days",
    )
    create(firn, database, [table])
    load(firn, database, table, table.rows[:2])
    firn.sql_then_kill(database, *firn.copy_statements(table, table.rows[2:]))
    return [table]


def pages(firn, database):
    """Pages and an index of which FORMAT.md explains single values: a patched block, symbols, bins, a key's hash."""
    shutil.rmtree(database, ignore_errors=True)
    choose = random.Random(7)
    sentences = [
        f"{number} " + " ".join(choose.choice(generate.WORDS) for _ in range(choose.randrange(4, 9)))
        for number in range(150)
    ]
    warm = generate.Table("texts", [("sentence", "text", sentences)])
    count = 256
    times = [f"2026-01-01 00:{second // 60:02}:{second % 60:02}+00" for second in range(count)]
    numbers = [choose.randrange(60) for _ in range(count)]
    numbers[9], numbers[30] = 70_000, 90_000
    hosts = [choose.choice(["kitchen", "cellar"]) for _ in range(count)]
    packed = generate.Table(
        "packed",
        [("time", "timestamptz", times), ("host", "text", hosts), ("number", "bigint", [str(n) for n in numbers])],
        "7 days",
        ["host", "time"],
    )
    levels = [1000 * choose.choice([1, 1, 1, 2, 5]) + choose.randrange(8) for _ in range(count)]
    cold = generate.Table(
        "cold", [("time", "timestamptz", times), ("level", "bigint", [str(level) for level in levels])], "7 days"
    )
    warm = [warm, packed]
    create(firn, database, [*warm, cold])
    for table in [*warm, cold]:
        load(firn, database, table)
    firn.sql(database, COMPRESS.format(table=cold.name))
    return [*warm, cold]
