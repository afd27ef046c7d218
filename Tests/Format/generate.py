# SPDX-License-Identifier: Apache-2.0
"""Tables of every type and every shape of data that an encoding was made for, from a seed.

Values are the texts that PostgreSQL prints, None for NULL: what goes in is what must come out."""
import random
import struct
import uuid

from reader import text

NULL = None


class Table:
    """`columns` are (name, type, texts); `chunking` makes a hypertable by the first column; `primary_key` names columns."""

    def __init__(self, name, columns, chunk_interval=None, primary_key=()):
        self.name, self.columns, self.chunk_interval, self.primary_key = name, columns, chunk_interval, primary_key
        assert len({len(texts) for _, _, texts in columns}) == 1, name

    @property
    def rows(self):
        return list(zip(*[texts for _, _, texts in self.columns]))

    def ddl(self):
        columns = ", ".join(f"{name} {kind}" + (" NOT NULL" if self.chunk_interval and index == 0 else "")
                            for index, (name, kind, _) in enumerate(self.columns))
        if self.primary_key:
            columns += f", PRIMARY KEY ({', '.join(self.primary_key)})"
        statements = [f"CREATE TABLE {self.name} ({columns})"]
        if self.chunk_interval:
            statements.append(f"SELECT create_hypertable('{self.name}', '{self.columns[0][0]}', "
                              f"chunk_time_interval => INTERVAL '{self.chunk_interval}')")
        return "; ".join(statements)

    def csv(self, rows=None):
        """Rows as CSV with a header."""
        lines = [",".join(name for name, _, _ in self.columns)]
        for row in self.rows if rows is None else rows:
            lines.append(",".join("" if field is None else text.quoted(field) for field in row))
        return "\n".join(lines) + "\n"


def double(value):
    return text.floating(struct.unpack("<Q", struct.pack("<d", value))[0], 64)


def real(value):
    return text.floating(struct.unpack("<I", struct.pack("<f", value))[0], 32)


def with_nulls(texts, chance, choose):
    return [NULL if choose.random() < chance else one for one in texts]


def echo(pool, count, choose):
    """Stretches of the pool again and again at odd distances: only a general compressor sees it."""
    values = []
    while len(values) < count:
        start = choose.randrange(len(pool) - 50)
        values += pool[start:start + choose.randrange(20, 50)]
    return values[:count]


def integers(count, seed):
    choose = random.Random(seed)
    cycle = [choose.getrandbits(62) for _ in range(40)]
    spikes = [choose.randrange(100) + (choose.getrandbits(45) if choose.random() < 0.01 else 0) for _ in range(count)]
    climbing, speeding, speed, total = [], [], 0, 0
    for _ in range(count):
        total += choose.randrange(1000)
        climbing.append(total)
    total = 1 << 40
    for _ in range(count):
        speed += choose.randrange(-3, 4)
        total += speed + 100_000
        speeding.append(total)
    runs, value = [], 0
    while len(runs) < count:
        value = choose.getrandbits(50)
        runs += [value] * choose.randrange(1, 60)
    runs_of_steps = []
    while len(runs_of_steps) < count:
        first, step = choose.getrandbits(40), choose.randrange(-9, 10)
        runs_of_steps += [first + step * index for index in range(choose.randrange(700, 1500))]
    echoes = echo([choose.getrandbits(64) - (1 << 63) for _ in range(300)], count, choose)
    columns = [
        ("constant", "bigint", [42] * count),
        ("counter", "bigint", [7 + 3 * index for index in range(count)]),
        ("runs", "bigint", runs[:count]),
        ("ramps", "bigint", runs_of_steps[:count]),
        ("small", "bigint", [choose.randrange(-50, 50) for _ in range(count)]),
        ("wide", "bigint", [choose.getrandbits(64) - (1 << 63) for _ in range(count)]),
        ("edges", "bigint", [choose.choice([-(1 << 63), (1 << 63) - 1, 0, -1]) for _ in range(count)]),
        ("spikes", "bigint", spikes),
        ("climbing", "bigint", climbing),
        ("speeding", "bigint", speeding),
        ("scaled", "bigint", [7 + 250_000 * choose.randrange(500) for _ in range(count)]),
        ("few", "bigint", [choose.choice(cycle) for _ in range(count)]),
        ("echoes", "bigint", echoes),
        ("small_integer", "smallint", [choose.randrange(-32768, 32768) for _ in range(count)]),
        ("middle_integer", "integer", [choose.randrange(-1 << 31, 1 << 31) for _ in range(count)]),
    ]
    columns = [(name, kind, [str(value) for value in texts]) for name, kind, texts in columns]
    columns.append(("some_null", "bigint", with_nulls([str(choose.randrange(1000)) for _ in range(count)], 0.3, choose)))
    columns.append(("runs_of_null", "bigint", [NULL if index // 700 % 2 else str(index % 97) for index in range(count)]))
    columns.append(("all_null", "bigint", [NULL] * count))
    return Table("integers", columns)


def floats(count, seed):
    choose = random.Random(seed)
    special = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, -2.2250738585072009e-308, 1.7976931348623157e308]
    drifting, total = [], 0.0
    for _ in range(count):
        drifting.append(total)
        total += 0.1
    near = [round(choose.uniform(0, 100), 1) for _ in range(count)]
    near = [value + 2 ** -46 if choose.random() < 0.02 else value for value in near]
    near_all = [round(choose.uniform(20, 30), 2) + choose.randrange(-6, 7) * 2 ** -48 for _ in range(count)]
    far = [choose.choice(special) if choose.random() < 0.01 else round(choose.uniform(-50, 50), 2) for _ in range(count)]
    hold = [choose.random() for _ in range(count // 50 + 1)]
    rare = [choose.random() for _ in range(200)]
    doubles = [
        ("constant", [2.5] * count),
        ("decimals", [round(choose.uniform(-40, 60), 2) for _ in range(count)]),
        ("drifting", drifting),
        ("near", near),
        ("near_all", near_all),
        ("far", far),
        ("random", [choose.random() for _ in range(count)]),
        ("special", [choose.choice(special) for _ in range(count)]),
        ("patterns", [struct.unpack("<d", choose.randbytes(8))[0] for _ in range(count)]),
        ("held", [hold[index // 50] for index in range(count)]),
        ("few", [choose.choice(hold[:12]) for _ in range(count)]),
        ("few_rare", choose.choices(rare, [1 / (index + 1) for index in range(200)], k=count)),
        ("mixed_digits", [round(choose.uniform(0, 100), choose.choice([0, 1, 3, 6])) for _ in range(count)]),
        ("precise_digits", [round(choose.uniform(0, 1), choose.choice([2, 9, 15])) for _ in range(count)]),
        ("echoes", echo([choose.random() for _ in range(300)], count, choose)),
        ("subnormal", [choose.randrange(1 << 40) * 5e-324 for _ in range(count)]),
        ("whole", [float(choose.randrange(10 ** 15)) for _ in range(count)]),
        ("huge", [float(choose.randrange(1 << 62)) * 4 for _ in range(count)]),
        ("tiny", [choose.randrange(1000) * 1e-20 for _ in range(count)]),
    ]
    reals = [
        ("real_constant", [1.5] * count),
        ("real_decimals", [round(choose.uniform(-40, 60), 1) for _ in range(count)]),
        ("real_far", [choose.choice(special[:5] + [1e-45, 3.4e38]) if choose.random() < 0.02 else round(choose.uniform(0, 9), 3)
                      for _ in range(count)]),
        ("real_random", [choose.random() for _ in range(count)]),
        ("real_patterns", [struct.unpack("<f", choose.randbytes(4))[0] for _ in range(count)]),
        ("real_held", [hold[index // 50] for index in range(count)]),
        ("real_echoes", echo([choose.random() for _ in range(300)], count, choose)),
        ("real_few", [choose.choice(hold[:12]) for _ in range(count)]),
    ]
    columns = [(name, "double precision", [double(value) for value in values]) for name, values in doubles]
    columns += [(name, "real", [real(value) for value in values]) for name, values in reals]
    rounded = [double(round(choose.uniform(0, 9), 3)) for _ in range(count)]
    columns.append(("some_null", "double precision", with_nulls(rounded, 0.2, choose)))
    columns.append(("real_null", "real", with_nulls([real(choose.random()) for _ in range(count)], 0.2, choose)))
    return Table("floats", columns)


def decimals(count, seed):
    choose = random.Random(seed)

    def number(digits, scale):
        return text.decimal(choose.randrange(-10 ** digits, 10 ** digits), scale)
    dear = [number(37, 4) for _ in range(9)]
    held = [number(30, 8) for _ in range(count // 40 + 1)]
    return Table("decimals", [
        ("price", "numeric(12,2)", [number(5, 2) for _ in range(count)]),
        ("constant", "numeric(12,2)", ["12.50"] * count),
        ("ramp", "numeric(18,3)", [text.decimal(1000 + 25 * index, 3) for index in range(count)]),
        ("any_scale", "numeric", [number(choose.randrange(1, 12), choose.randrange(0, 12)) for _ in range(count)]),
        ("one_scale", "numeric", [number(7, 5) for _ in range(count)]),
        ("large", "numeric(38,4)", [number(38, 4) for _ in range(count)]),
        ("few_large", "numeric(38,4)", [choose.choice(dear) for _ in range(count)]),
        ("few_small", "numeric(18,6)", [choose.choice(["123456.123456", "0.000001", "-99.900000"]) for _ in range(count)]),
        ("held_large", "numeric(38,8)", [held[index // 40] for index in range(count)]),
        ("echoes", "numeric(18,6)", echo([number(18, 6) for _ in range(300)], count, choose)),
        ("some_null", "numeric(9,1)", with_nulls([number(6, 1) for _ in range(count)], 0.2, choose)),
    ])


WORDS = "snow firn ice névé glacier crevasse moraine sérac 冰川 ❄ valley ridge summit wind frost, \"melt\" line\nbreak".split(" ")


def texts(count, seed):
    choose = random.Random(seed)

    def sentence(words):
        return " ".join(choose.choice(WORDS) for _ in range(words))
    paragraphs = [sentence(40) for _ in range(20)]
    documents = [f'{{"tags": ["{choose.choice(WORDS[:8])}", null], "unit": "C", "serial": {choose.randrange(10 ** 6)}}}'
                 for _ in range(count)]
    blobs = ["\\x" + choose.randbytes(choose.randrange(0, 40)).hex() for _ in range(count)]
    times = [f"{0x018F00000000 + index * 250:012x}" for index in range(count)]

    def identifier(head, tail):
        digits = head + tail
        return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
    return Table("texts", [
        ("host", "text", [f"host-{choose.randrange(20):02}" for _ in range(count)]),
        ("constant", "text", ["always"] * count),
        ("empty", "text", [choose.choice(["", "x"]) for _ in range(count)]),
        ("held", "text", [f"run {index // 90}" for index in range(count)]),
        ("request", "text", [f"request-{choose.getrandbits(60):015x}" for _ in range(count)]),
        ("sentence", "text", [sentence(choose.randrange(1, 12)) for _ in range(count)]),
        ("paragraph", "text", [choose.choice(paragraphs) + str(choose.randrange(10)) * (choose.randrange(100) // 90)
                               for _ in range(count)]),
        ("noise", "text", ["".join(chr(choose.randrange(33, 127)) for _ in range(20)) for _ in range(count)]),
        ("some_null", "text", with_nulls([sentence(2) for _ in range(count)], 0.4, choose)),
        ("document", "jsonb", documents),
        ("few_documents", "jsonb", [choose.choice(documents[:5]) for _ in range(count)]),
        ("blob", "bytea", blobs),
        ("few_blobs", "bytea", with_nulls([choose.choice(blobs[:6]) for _ in range(count)], 0.1, choose)),
        ("identifier", "uuid", [identifier("", choose.randbytes(16).hex()) for _ in range(count)]),
        ("ordered_identifier", "uuid", with_nulls([identifier(time, "7" + choose.randbytes(9).hex() + "a") for time in times],
                                                  0.1, choose)),
    ])


def others(count, seed):
    choose = random.Random(seed)
    centuries = 3_200_000_000_000_000

    def vector(numbers):
        return "[" + ",".join(real(number) for number in numbers) + "]"
    points = [vector([choose.gauss(0, 1) for _ in range(3)]) for _ in range(5)]
    second = 1_760_000_000_000_000
    jitter = [second + 1_000_000 * index + choose.randrange(900) for index in range(count)]
    intervals = [text.interval(choose.randrange(-30, 30), choose.randrange(-40, 40), choose.randrange(-10 ** 11, 10 ** 11))
                 for _ in range(count)]
    ticks = [text.moment(second * 1000 + 1_234_567 * index, 9, "") for index in range(count)]
    ages = [text.moment(choose.randrange(-20 * centuries, 20 * centuries), 6, "+00") for _ in range(count)]
    return Table("others", [
        ("flag", "boolean", [choose.choice("tf") for _ in range(count)]),
        ("always", "boolean", ["t"] * count),
        ("never", "boolean", ["f"] * count),
        ("held", "boolean", ["tf"[index // 300 % 2] for index in range(count)]),
        ("perhaps", "boolean", with_nulls([choose.choice("tf") for _ in range(count)], 0.3, choose)),
        ("moment", "timestamptz", [text.moment(one, 6, "+00") for one in jitter]),
        ("whenever", "timestamptz", [choose.choice(["infinity", "-infinity", age]) for age in ages]),
        ("nanoseconds", "timestamptz(9)", [text.moment(one * 1000 + choose.randrange(1000), 9, "+00") for one in jitter]),
        ("local", "timestamp", [text.moment(second + 250_000 * index, 6, "") for index in range(count)]),
        ("local_nanoseconds", "timestamp(9)", with_nulls(ticks, 0.1, choose)),
        ("day", "date", [text.date(choose.randrange(-800_000, 800_000)) for _ in range(count)]),
        ("some_day", "date", with_nulls([choose.choice(["infinity", "-infinity", text.date(20_000 + index // 9)])
                                         for index in range(count)], 0.1, choose)),
        ("span", "interval", intervals),
        ("few_spans", "interval", with_nulls([choose.choice(intervals[:4]) for _ in range(count)], 0.2, choose)),
        ("embedding", "vector(8)", [vector([choose.gauss(0, 1) for _ in range(8)]) for _ in range(count)]),
        ("point", "vector(3)", with_nulls([choose.choice(points) for _ in range(count)], 0.2, choose)),
        ("whole_vector", "vector(4)", [vector([float(choose.randrange(9)) for _ in range(4)]) for _ in range(count)]),
        ("special_vector", "vector(2)", [vector([choose.choice([0.0, -0.0, 1e-45, 3.4028235e38]), 1.0]) for _ in range(count)]),
    ])


def declared(count, seed):
    """Types with length, digits and fields."""
    choose = random.Random(seed)
    second = 1_760_000_000_000_000
    return Table("declared", [
        ("word", "varchar(20)", with_nulls([choose.choice(WORDS)[:20] for _ in range(count)], 0.1, choose)),
        ("code", "char(6)", [f"{choose.randrange(1000):<6}" for _ in range(count)]),
        ("whole", "timestamptz(0)", [text.moment(second + 1_000_000 * index, 6, "+00") for index in range(count)]),
        ("milli", "timestamp(3)", [text.moment(second + 1_000 * index, 6, "") for index in range(count)]),
        ("fine", "timestamp(8)", [text.moment((second + index) * 1_000 + 10, 9, "") for index in range(count)]),
        ("brief", "interval(0)", [text.interval(0, index % 9, 1_000_000 * index) for index in range(count)]),
        ("age", "interval year to month", [text.interval(choose.randrange(-99, 99), 0, 0) for _ in range(count)]),
        ("span", "interval day to second(2)", [text.interval(0, 0, 10_000 * choose.randrange(10 ** 6)) for _ in range(count)]),
    ])


def readings(count, seed, series=9, chunk_interval="1 day"):
    """What the engine was made for: series of readings by time, in several chunks."""
    choose = random.Random(seed)
    start = 1_767_225_600_000_000
    level = [choose.uniform(10, 30) for _ in range(series)]
    rows = []
    for index in range(count):
        which = index % series
        level[which] += choose.uniform(-0.2, 0.2)
        rows.append((text.moment(start + index // series * 10_000_000, 6, "+00"), f"sensor-{which}",
                     double(round(level[which], 2)), NULL if choose.random() < 0.05 else str(choose.randrange(100))))
    names = [("time", "timestamptz"), ("sensor", "text"), ("level", "double precision"), ("quality", "smallint")]
    return Table("readings", [(name, kind, list(values)) for (name, kind), values in zip(names, zip(*rows))], chunk_interval)


def identified(count, seed):
    """Rows that a random identifier names, in several chunks."""
    choose = random.Random(seed)
    start = 1_767_225_600_000_000
    return Table("identified", [
        ("time", "timestamptz", [text.moment(start + index * 40_000_000, 6, "+00") for index in range(count)]),
        ("id", "uuid", [str(uuid.UUID(bytes=choose.randbytes(16))) for _ in range(count)]),
        ("amount", "smallint", [str(choose.randrange(100)) for _ in range(count)]),
    ], "7 days", ("id",))


def keyed(count, seed):
    """A key of every type, in another order than the columns; only all of them together name a row."""
    choose = random.Random(seed)

    def vector():
        return "[" + ",".join(real(choose.choice([0.0, -0.0, 0.5, -3.0])) for _ in range(2)) + "]"
    columns = [
        ("flag", "boolean", [choose.choice("tf") for _ in range(count)]),
        ("small", "smallint", [str(choose.randrange(-3, 3)) for _ in range(count)]),
        ("middle", "integer", [str(choose.randrange(-1 << 31, 1 << 31)) for _ in range(count)]),
        ("number", "bigint", [str(index // 2) for index in range(count)]),
        ("level", "real", [real(choose.choice([0.0, -0.0, float("nan"), 0.1, -2.5])) for _ in range(count)]),
        ("load", "double precision", [double(choose.choice([0.0, -0.0, float("nan"), float("inf"), 0.1])) for _ in range(count)]),
        ("price", "numeric(9,2)", [text.decimal(choose.randrange(-300, 300), 2) for _ in range(count)]),
        ("ratio", "numeric", [text.decimal(choose.randrange(-10 ** 25, 10 ** 25) * 100, choose.randrange(9)) for _ in range(count)]),
        ("host", "text", [choose.choice(["", "a", "host-ice", "névé", "a rather long name"]) for _ in range(count)]),
        ("request", "text", [f"{index // 2}-" + "x" * choose.randrange(20) for index in range(count)]),
        ("id", "uuid", [str(uuid.UUID(bytes=choose.randbytes(16))) for _ in range(count)]),
        ("moment", "timestamptz", [text.moment(choose.randrange(10 ** 15), 6, "+00") for _ in range(count)]),
        ("tick", "timestamp(9)", [text.moment(choose.randrange(10 ** 18), 9, "") for _ in range(count)]),
        ("day", "date", [text.date(choose.randrange(-9_000, 9_000)) for _ in range(count)]),
        ("span", "interval", [text.interval(choose.randrange(-2, 2), choose.randrange(-40, 40), choose.randrange(-10 ** 6, 10 ** 6))
                              for _ in range(count)]),
        ("blob", "bytea", ["\\x" + choose.randbytes(choose.randrange(12)).hex() for _ in range(count)]),
        ("point", "vector(2)", [vector() for _ in range(count)]),
    ]
    return Table("keyed", columns, primary_key=[name for name, _, _ in reversed(columns)])


def long(count):
    """Several row groups, and a dictionary of many words: each stands in two rows."""
    return Table("long", [
        ("number", "bigint", [str(index * 7 % count) for index in range(count)]),
        ("word", "text", [f"measurement-name-{index // 2:06}" for index in range(count)]),
    ])


def bulky(count=5300, absent=100):
    """So many bytes in memory that they are loaded in bulk (more than 8 MiB), and few on disk: a NULL has 16 of them, too."""
    return Table("bulky", [("number", "bigint", [str(index) for index in range(count)])]
                 + [(f"absent_{index}", "uuid", [NULL] * count) for index in range(absent)])


def chatter(count, seed):
    """Text without a dictionary that a log file compresses."""
    choose = random.Random(seed)
    return Table("chatter", [("line", "text", [f"{index} of {count}: " + "all quiet, nothing to report; " * choose.randrange(3, 9)
                                               for index in range(count)])])


def part(table, name, columns, keep):
    """Some columns of the rows for which `keep` holds, as a table of its own."""
    chosen = [index for index, row in enumerate(table.rows) if keep(index, row)]
    return Table(name, [(column, kind, [texts[index] for index in chosen])
                        for column, kind, texts in table.columns if column in columns])


def zones(count, seed):
    """What needs more than a vector, in little space: each kind of zone map, dictionaries of numbers."""
    choose = random.Random(seed)
    rare, weights = [choose.random() for _ in range(60)], [1 / (index + 1) for index in range(60)]
    dear = [text.decimal(choose.randrange(10 ** 36), 4) for _ in range(9)]
    speed, total, speeding = 0, 1 << 40, []
    for _ in range(count):
        speed += choose.randrange(-3, 4)
        total += speed + 100_000
        speeding.append(str(total))
    return Table("zones", [
        ("number", "bigint", [str(3 * index) for index in range(count)]),
        ("price", "numeric(9,2)", [text.decimal(choose.randrange(100), 2) for _ in range(count)]),
        ("level", "double precision", [double(choose.randrange(100) / 10) for _ in range(count)]),
        ("random", "double precision", [double(choose.random()) for _ in range(count)]),
        ("speeding", "bigint", speeding),
        ("few_integers", "bigint", [choose.choice(["1234567890123456789", "-77", "987654321987"]) for _ in range(count)]),
        ("few_decimals", "numeric(38,4)", [choose.choice(dear) for _ in range(count)]),
        ("few_doubles", "double precision", [double(one) for one in choose.choices(rare, weights, k=count)]),
        ("few_reals", "real", [real(choose.choice(rare)) for _ in range(count)]),
        ("word", "text", [choose.choice(WORDS) for _ in range(count)]),
        ("flag", "boolean", with_nulls(["tf"[index // 40 % 2] for index in range(count)], 0.01, choose)),
    ])


def with_time(table, name, chunk_interval="1 day"):
    """The same columns behind a time: a hypertable, which has chunks to compress."""
    start = 1_767_225_600_000_000
    times = [text.moment(start + 1_000_000 * index, 6, "+00") for index in range(len(table.rows))]
    return Table(name, [("time", "timestamptz", times), *table.columns], chunk_interval, table.primary_key)


def every_type(count, seed):
    """A table for each group of types, with every shape of data."""
    return [make(count, seed + index) for index, make in enumerate([integers, floats, decimals, texts, others, declared])]
