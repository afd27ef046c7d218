#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Firn beside PostgreSQL 15 and DuckDB on the same rows in the same run, and writes RESULTS.md and results.json.

    compare.py FIRN_BENCH [--engines firn,postgres,duckdb] [--scale 1] [--runs 9] [--seed N] [--folder DIR] [--output DIR]

What is measured, on sensor_readings (1,000 sensors, every 10 s of a day, 8.64 million rows at scale 1):
  load     all rows into a new table: Firn in durable batches of 10,000, the peers by their bulk path in one transaction
  query    five-minute average, deviation and count of each sensor, warm, engines interleaved; the answers are compared
  append   durable batches of 1,000 rows: one producer for 20 s, then a burst of 16 million rows by 16 producers
  bytes    on disk in the state that is queried
Beside them what the machine itself can do: reading memory, writing a file, a durable write of 20 kB (a batch's bytes).

Every engine runs with fsync on. A peer that is not there is a named skip. Exit code 1: answers differ, or an engine
failed. Needs the packages in requirements.txt for the peers; Firn alone needs none.
"""
import argparse
import contextlib
import datetime
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

DEFAULT_SEED = 20260101
STEP_MICROSECONDS = 10_000_000
FIRST_MICROSECOND = 1_451_606_400_000_000      # 2016-01-01T00:00:00Z
POSTGRES_EPOCH_MICROSECOND = 946_684_800_000_000
SENSORS = 1_000
GOALS = {"query_milliseconds": 60, "load_peak_bytes": 512 << 20, "append_1": 2e6, "append_16": 8e6}


class Skip(Exception):
    """A peer cannot take part; the message says why."""


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def folder_bytes(folder):
    return sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)


def quantile(values, share):
    """Nearest rank, as firn-bench computes it."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)
    return ordered[min(max(rank - 1, 0), len(ordered) - 1)]


def run_producers(producers, seconds, rows, make_sender):
    """Sends batches of 1,000 rows from threads until the time or the rows are used up; returns what firn-bench reports."""
    lock = threading.Lock()
    following = 0
    steps = rows // SENSORS if rows else None
    latencies = []
    failures = []
    ready = threading.Barrier(producers + 1)

    def produce():
        nonlocal following
        mine = []
        try:
            with make_sender() as send:
                ready.wait()
                while not failures:
                    with lock:
                        step, following = following, following + 1
                    if (steps is not None and step >= steps) or time.perf_counter() >= end:
                        break
                    sent = time.perf_counter()
                    send(step)
                    mine.append((time.perf_counter() - sent) * 1e6)
        except BaseException as error:             # the main thread raises it again
            failures.append(error)
            ready.abort()
        with lock:
            latencies.extend(mine)

    threads = [threading.Thread(target=produce) for _ in range(producers)]
    end = float("inf")
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        began = time.perf_counter()
        end = began + seconds
        ready.wait()
        began = time.perf_counter()
        end = began + seconds
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    if failures:
        raise failures[0]
    count = len(latencies) * SENSORS
    return {"producers": producers, "batch_rows": SENSORS, "rows": count, "seconds": elapsed,
            "rows_per_second": count / elapsed,
            "append": {"p50_microseconds": quantile(latencies, 0.5), "p99_microseconds": quantile(latencies, 0.99),
                       "max_microseconds": max(latencies), "count": len(latencies)}}


class Rows:
    """The generated rows, read as they lie in the column files, and the steps that producers append."""

    def __init__(self, folder):
        import numpy
        self.time = numpy.memmap(os.path.join(folder, "time.i64"), "<i8", "r")
        self.sensor = numpy.memmap(os.path.join(folder, "sensor_id.u32"), "<u4", "r")
        self.value = numpy.memmap(os.path.join(folder, "value.f64"), "<f8", "r")
        with open(os.path.join(folder, "sensor_id.dictionary"), encoding="utf-8") as lines:
            self.names = lines.read().splitlines()
        self.count = len(self.time)
        self.steps = self.count // SENSORS

    def step(self, number):
        """Time and values of an appended step: values go round, times go on."""
        first = number % self.steps * SENSORS
        return FIRST_MICROSECOND + number * STEP_MICROSECONDS, self.value[first:first + SENSORS]


class Firn:
    name = "firn"
    title = "Firn"
    settings = {"all": "defaults: synced appends, 64 MiB memtables, 256 MiB cache, a query thread a core"}
    client = "its public Swift API, to the last result batch, in a process of its own"
    bulk = "10,000-row batches, each made durable before the next, rows generated meanwhile"

    def __init__(self, executable, folder, options):
        self.executable, self.folder, self.options = executable, folder, options
        self.database = os.path.join(folder, "firn")
        self.process = None

    def bench(self, *arguments):
        done = subprocess.run([self.executable, *arguments, "--json"], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"firn-bench {arguments[0]} ended with {done.returncode}")
        return json.loads(done.stdout)

    def load(self, rows):
        loaded = self.bench("load", "sensor_readings", "--database", self.database, "--scale", str(self.options.scale),
                            "--seed", str(self.options.seed))
        return {"rows": loaded["rows"], "seconds": loaded["append_seconds"] + loaded["checkpoint_seconds"],
                "disk_bytes": loaded["disk_bytes_of_data"], **{"details": loaded}}

    def open_query(self):
        self.process = subprocess.Popen([self.executable, "query", "--database", self.database, "--interactive"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self.read()["version"]

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"firn-bench query ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.read()

    def query(self):
        return self.ask("run")["milliseconds"]

    def answer(self):
        import numpy
        import pyarrow.csv
        path = os.path.join(self.folder, "answer.csv")
        self.ask(f"answer {path}")
        table = pyarrow.csv.read_csv(path)
        os.unlink(path)
        columns = [column.to_numpy() for column in table.columns]
        return (columns[0].astype("U"), columns[1].astype("i8"), columns[2].astype("f8"), columns[3].astype("f8"),
                columns[4].astype("i8"))

    def close_query(self):
        if self.process:
            self.process.stdin.close()
            self.process.stdout.close()
            code, self.process = self.process.wait(), None
            if code != 0:
                raise RuntimeError(f"firn-bench query ended with {code}")

    def append(self, producers, seconds, rows, data):
        folder = os.path.join(self.folder, f"firn-append-{producers}")
        bound = ["--rows", str(rows)] if rows else ["--seconds", str(seconds)]
        result = self.bench("append", "--database", folder, "--producers", str(producers), *bound, "--seed",
                            str(self.options.seed))
        shutil.rmtree(folder)
        return result

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()


class Postgres:
    name = "postgres"
    title = "PostgreSQL"
    client = "psycopg 3 (C), binary results, to the last row in the client's memory"
    bulk = "one binary COPY, then VACUUM (FREEZE, ANALYZE) and CHECKPOINT"
    query_text = ("SELECT sensor_id, date_bin('5 minutes', time, TIMESTAMPTZ '2000-01-01 00:00:00Z'), avg(value), "
                  "stddev(value), count(*) FROM sensor_readings GROUP BY 1, 2")
    columns = "(time TIMESTAMPTZ NOT NULL, sensor_id TEXT NOT NULL, value DOUBLE PRECISION)"

    def __init__(self, folder):
        try:
            import numpy                                     # noqa: F401  the rows are laid out with it
            import psycopg
        except ImportError as error:
            raise Skip(f"{error.name} is not installed for Python")
        self.psycopg = psycopg
        self.binaries = os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin")
        if not os.path.exists(os.path.join(self.binaries, "initdb")):
            raise Skip(f"no PostgreSQL 15 in {self.binaries} (apt install postgresql-15, or set PG_BIN)")
        self.folder = os.path.join(folder, "postgres")
        self.user = {}
        os.mkdir(self.folder, 0o700)
        if os.geteuid() == 0:                                # PostgreSQL refuses to run as root
            try:
                shutil.chown(self.folder, "postgres", "postgres")
            except LookupError:
                raise Skip("running as root, and there is no user postgres")
            self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
        cores = os.cpu_count()
        # The documentation's advice: a quarter of memory as shared buffers, three quarters as the cache to expect, WAL
        # enough that a load does not force checkpoints, parallel workers for all cores, pages of an SSD.
        self.settings = {
            "shared_buffers": f"{memory // 4}MB", "effective_cache_size": f"{memory * 3 // 4}MB", "work_mem": "256MB",
            "maintenance_work_mem": "1GB", "max_wal_size": "4GB", "wal_buffers": "64MB", "random_page_cost": "1.1",
            "effective_io_concurrency": "200", "max_parallel_workers": str(cores),
            "max_parallel_workers_per_gather": str(cores), "fsync": "on", "synchronous_commit": "on",
            "full_page_writes": "on", "timezone": "UTC"}
        self.running = False
        self.connection = None

    def start(self):
        data = os.path.join(self.folder, "data")
        log = os.path.join(self.folder, "log")
        self.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        self.run("pg_ctl", "-D", data, "-l", log, "-w", "-o", f"-c listen_addresses= -k {self.folder} {options}", "start")
        self.running = True
        self.connection = self.connect()
        self.version = self.connection.execute("SHOW server_version").fetchone()[0].split()[0]

    def run(self, name, *arguments):
        done = subprocess.run([os.path.join(self.binaries, name), *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder, **self.user)
        if done.returncode != 0:
            raise RuntimeError(f"{name} ended with {done.returncode}: {done.stdout[-2000:]}")

    def connect(self):
        return self.psycopg.connect(host=self.folder, user="postgres", dbname="postgres", autocommit=True)

    def layout(self, rows, count):
        """Rows as COPY BINARY takes them, big-endian, sensors filled in turn; times and values are for the caller."""
        import numpy
        width = len(rows.names[0])
        block = numpy.zeros(count, numpy.dtype([
            ("fields", ">i2"), ("time_bytes", ">i4"), ("time", ">i8"), ("sensor_bytes", ">i4"), ("sensor", f"S{width}"),
            ("value_bytes", ">i4"), ("value", ">f8")]))
        block["fields"], block["time_bytes"], block["sensor_bytes"], block["value_bytes"] = 3, 8, width, 8
        block["sensor"] = numpy.resize(numpy.array(rows.names, f"S{width}"), count)
        return block

    HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    TRAILER = b"\xff\xff"

    def load(self, rows):
        self.start()
        self.connection.execute(f"CREATE TABLE sensor_readings {self.columns}")
        pieces = []
        for first in range(0, rows.count, 1_000_000):
            part = slice(first, first + 1_000_000)
            block = self.layout(rows, len(rows.time[part]))
            block["time"] = rows.time[part] - POSTGRES_EPOCH_MICROSECOND
            block["value"] = rows.value[part]
            pieces.append(block.tobytes())
        began = time.perf_counter()
        with self.connection.cursor().copy("COPY sensor_readings FROM STDIN (FORMAT binary)") as copy:
            copy.write(self.HEADER)
            for piece in pieces:
                copy.write(piece)
            copy.write(self.TRAILER)
        copied = time.perf_counter()
        self.connection.execute("VACUUM (FREEZE, ANALYZE) sensor_readings")
        self.connection.execute("CHECKPOINT")
        bytes_on_disk = self.connection.execute("SELECT pg_total_relation_size('sensor_readings')").fetchone()[0]
        return {"rows": rows.count, "seconds": time.perf_counter() - began, "disk_bytes": bytes_on_disk,
                "details": {"copy_seconds": copied - began}}

    def open_query(self):
        pass

    def query(self):
        began = time.perf_counter()
        with self.connection.cursor(binary=True) as cursor:
            cursor.execute(self.query_text)
            assert cursor.rowcount > 0
            return (time.perf_counter() - began) * 1e3

    def answer(self):
        import numpy
        text = self.query_text.replace("date_bin(", "(extract(epoch FROM date_bin(", 1).replace("00Z'),", "00Z')) * 1000000)::bigint,", 1)
        columns = list(zip(*self.connection.execute(text).fetchall()))
        return (numpy.array(columns[0], "U"), numpy.array(columns[1], "i8"), numpy.array(columns[2], "f8"),
                numpy.array([float("nan") if value is None else value for value in columns[3]], "f8"),
                numpy.array(columns[4], "i8"))

    def close_query(self):
        pass

    def append(self, producers, seconds, rows, data):
        table = f"append_{producers}"
        self.connection.execute(f"CREATE TABLE {table} {self.columns}")

        @contextlib.contextmanager
        def sender():
            block = self.layout(data, SENSORS)
            with self.connect() as connection:
                cursor = connection.cursor()

                def send(step):
                    at, values = data.step(step)
                    block["time"] = at - POSTGRES_EPOCH_MICROSECOND
                    block["value"] = values
                    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                        copy.write(self.HEADER + block.tobytes() + self.TRAILER)
                yield send

        result = run_producers(producers, seconds, rows, sender)
        found = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if found != result["rows"]:
            raise RuntimeError(f"{result['rows']} rows were acknowledged, {found} are there")
        result["disk_bytes"] = self.connection.execute(f"SELECT pg_total_relation_size('{table}')").fetchone()[0]
        self.connection.execute(f"DROP TABLE {table}")
        self.connection.execute("CHECKPOINT")
        return result

    def close(self):
        if self.connection:
            self.connection.close()
        if self.running:
            self.run("pg_ctl", "-D", os.path.join(self.folder, "data"), "-m", "immediate", "stop")
            self.running = False


class DuckDB:
    name = "duckdb"
    title = "DuckDB"
    client = "its Python package in the bench process, results as an Arrow table"
    bulk = "one INSERT … SELECT from an Arrow table in memory, then CHECKPOINT"
    query_text = ("SELECT sensor_id, time_bucket(INTERVAL '5 minutes', time), avg(value), stddev(value), count(*) "
                  "FROM sensor_readings GROUP BY 1, 2")
    columns = "(time TIMESTAMP NOT NULL, sensor_id VARCHAR NOT NULL, value DOUBLE)"
    source = "SELECT * FROM batch"

    def __init__(self, folder):
        try:
            import duckdb
            import pyarrow
        except ImportError as error:
            raise Skip(f"{error.name} is not installed for Python")
        self.duckdb, self.pyarrow = duckdb, pyarrow
        self.version = duckdb.__version__
        self.path = os.path.join(folder, f"{self.name}.db")
        self.settings = {"threads": str(os.cpu_count()), "preserve_insertion_order": "false"}
        self.connection = None

    def open(self, path):
        return self.duckdb.connect(path, config=self.settings)

    def arrow(self, rows, times, values, sensors):
        pyarrow = self.pyarrow
        return pyarrow.table({
            "time": pyarrow.array(times).cast(pyarrow.timestamp("us")), "sensor_id": sensors,
            "value": pyarrow.array(values)})

    def sensors(self, rows, codes):
        return self.pyarrow.DictionaryArray.from_arrays(
            self.pyarrow.array(codes.astype("i4")), self.pyarrow.array(rows.names))

    def load(self, rows):
        self.connection = self.open(self.path)
        self.create(self.connection, rows)
        batch = self.arrow(rows, rows.time, rows.value, self.sensors(rows, rows.sensor))
        began = time.perf_counter()
        self.connection.register("batch", batch)
        self.connection.execute(f"INSERT INTO sensor_readings {self.source}")
        self.connection.unregister("batch")
        self.connection.execute("CHECKPOINT")
        return {"rows": rows.count, "seconds": time.perf_counter() - began, "disk_bytes": os.path.getsize(self.path)}

    def create(self, connection, rows, table="sensor_readings"):
        connection.execute(f"CREATE TABLE {table} {self.columns}")

    def open_query(self):
        pass

    def query(self):
        began = time.perf_counter()
        assert self.connection.sql(self.query_text).to_arrow_table().num_rows > 0
        return (time.perf_counter() - began) * 1e3

    def answer(self):
        text = self.query_text.replace("time_bucket(", "epoch_us(time_bucket(", 1).replace("time),", "time)),", 1)
        columns = self.connection.execute(text.replace("SELECT sensor_id", "SELECT sensor_id::VARCHAR", 1)).fetchnumpy()
        columns = list(columns.values())
        return (columns[0].astype("U"), columns[1].astype("i8"), columns[2].astype("f8"),
                self.filled(columns[3]), columns[4].astype("i8"))

    @staticmethod
    def filled(column):
        return column.filled(float("nan")) if hasattr(column, "filled") else column.astype("f8")

    def close_query(self):
        self.connection.close()
        self.connection = None

    def append(self, producers, seconds, rows, data):
        path = f"{self.path}-append"
        connection = self.open(path)
        self.create(connection, data, "readings")
        import numpy
        sensors = self.sensors(data, numpy.arange(SENSORS, dtype="i4"))

        @contextlib.contextmanager
        def sender():
            cursor = connection.cursor()

            def send(step):
                at, values = data.step(step)
                cursor.register("batch", self.arrow(data, numpy.full(SENSORS, at, "i8"), values, sensors))
                cursor.execute(f"INSERT INTO readings {self.source}")
            yield send
            cursor.close()

        try:
            result = run_producers(producers, seconds, rows, sender)
            found = connection.execute("SELECT count(*) FROM readings").fetchone()[0]
            if found != result["rows"]:
                raise RuntimeError(f"{result['rows']} rows were acknowledged, {found} are there")
        finally:
            connection.close()
        result["disk_bytes"] = os.path.getsize(path)
        os.unlink(path)
        return result

    def close(self):
        if self.connection:
            self.connection.close()


class DuckDBTuned(DuckDB):
    """The best layout that was found by hand: sensors as an ENUM, rows sorted by sensor and time."""
    name = "duckdb-tuned"
    title = "DuckDB, by hand"
    bulk = "as DuckDB, sensors as an ENUM, and rows sorted by sensor and time"
    columns = "(time TIMESTAMP NOT NULL, sensor_id sensor NOT NULL, value DOUBLE)"
    source = "SELECT * FROM batch ORDER BY sensor_id::VARCHAR, time"

    def __init__(self, folder):
        super().__init__(folder)
        self.settings = {**self.settings, "preserve_insertion_order": "true"}

    def create(self, connection, rows, table="sensor_readings"):
        connection.execute("CREATE TYPE sensor AS ENUM (" + ", ".join(f"'{name}'" for name in rows.names) + ")")
        super().create(connection, rows, table)

    append = None


def compare_answers(answers):
    """Raises when two engines differ: groups and counts exactly, doubles beyond 1e-9 relative (or 1e-12, around zero)."""
    import numpy
    ordered = {}
    for name, columns in answers.items():
        order = numpy.lexsort((columns[1], columns[0]))
        ordered[name] = [column[order] for column in columns]
    (first, expected), *others = ordered.items()
    report = {"groups": len(expected[0]), "rows": int(expected[4].sum()), "reference": first, "largest_relative_difference": {}}
    for name, found in others:
        for index, what in ((0, "sensors"), (1, "buckets"), (4, "counts")):
            if not numpy.array_equal(expected[index], found[index]):
                raise RuntimeError(f"{first} and {name} answer with different {what}")
        largest = 0.0
        for index, what in ((2, "averages"), (3, "deviations")):
            left, right = expected[index], found[index]
            if not numpy.array_equal(numpy.isnan(left), numpy.isnan(right)):
                raise RuntimeError(f"{first} and {name} answer with different NULL {what}")
            size = numpy.nan_to_num(numpy.maximum(numpy.abs(left), numpy.abs(right)))
            difference = numpy.nan_to_num(numpy.abs(left - right))
            if (difference > numpy.maximum(1e-9 * size, 1e-12)).any():
                raise RuntimeError(f"{first} and {name} answer with different {what}")
            largest = max(largest, float((difference[size > 0] / size[size > 0]).max(initial=0)))
        report["largest_relative_difference"][name] = largest
    return report


def machine(folder):
    """The machine and what ran on it, as far as Linux tells."""
    found = {"system": f"{platform.system()} {platform.release()} {platform.machine()}", "cores": os.cpu_count(),
             "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "cpu": platform.processor(),
             "folder": folder}
    with contextlib.suppress(OSError):
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            found["cpu"] = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), found["cpu"])
    with contextlib.suppress(OSError):
        with open("/proc/mounts", encoding="utf-8") as lines:
            mounts = [line.split()[:3] for line in lines]
        place = max((mount for mount in mounts if os.path.realpath(folder).startswith(mount[1])), key=lambda mount: len(mount[1]))
        found["file_system"] = place[2]
    return found


def commit():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    try:
        name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "Sources"], cwd=root, capture_output=True, text=True, check=True)
        return name.stdout.strip() + (" with changes" if changed.stdout.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


# The report

def amount(value, unit):
    if value is None:
        return "–"
    if unit == "ms":
        return f"{value:,.1f} ms"
    if unit == "s":
        return f"{value:,.2f} s"
    if unit == "rows/s":
        return f"{value / 1e6:,.2f} M/s"
    if unit == "MiB":
        return f"{value / (1 << 20):,.1f} MiB"
    raise ValueError(unit)


def report(results):
    """RESULTS.md from results.json's content alone."""
    engines = results["engines"]
    names = list(engines)
    peers = [name for name in names if name != "firn"]
    lines = ["# Benchmark results", "",
             f"Measured {results['date']} at commit {results['commit']} by `{results['command']}`; do not edit, run it again. "
             "[docs/performance.md](../docs/performance.md) says what the figures mean.", ""]
    place = results["machine"]
    lines += [f"- Machine: {place['cpu']}, {place['cores']} cores, {place['memory_bytes'] / (1 << 30):.0f} GiB, {place['system']}, "
              f"{place.get('file_system', 'unknown file system')}; load average {results['load_average'][0]:.1f} before, "
              f"{results['load_average'][1]:.1f} after the run.",
              f"- Rows: sensor_readings at scale {results['scale']:g}, {results['rows']:,} rows, seed {results['seed']}."]
    for name in names:
        lines.append(f"- {engines[name]['title']} {engines[name]['version']}.")
    for name, reason in results["skipped"].items():
        lines.append(f"- Skipped: {name}, {reason}.")
    answers = results.get("answers")
    if answers:
        largest = max(answers["largest_relative_difference"].values(), default=0)
        lines.append(f"- Answers agree: {answers['groups']:,} groups of {answers['rows']:,} rows, counts exactly, averages and "
                     f"deviations within {largest:.0e} relative.")
    if results["load_average"][0] > place["cores"] / 2:
        lines.append("- **Other work ran on the machine when this run began**: absolute figures are pessimistic, for all engines.")
    lines.append("")

    def value(name, *path):
        found = engines[name]
        for key in path:
            found = found.get(key) if found else None
        return found

    items = [("query, median", "ms", True, ("query", "median_milliseconds"), GOALS["query_milliseconds"]),
             ("load and checkpoint", "s", True, ("load", "seconds"), None),
             ("bytes on disk", "MiB", True, ("load", "disk_bytes"), None),
             ("durable appends of 1,000 rows, 1 producer", "rows/s", False, ("append_1", "rows_per_second"), GOALS["append_1"]),
             ("durable appends of 1,000 rows, 16 producers", "rows/s", False, ("append_16", "rows_per_second"), GOALS["append_16"])]
    header = ["", *(engines[name]["title"] for name in names)]
    if "firn" in names:
        header += [f"Firn against {engines[name]['title']}" for name in peers] + ["goal"]
    lines += ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    for title, unit, small_is_good, path, goal in items:
        cells = [title, *(amount(value(name, *path), unit) for name in names)]
        if "firn" in names:
            own = value("firn", *path)
            for name in peers:
                other = value(name, *path)
                ratio = (other / own if small_is_good else own / other) if own and other else None
                cells.append("–" if ratio is None else f"{ratio:.1f}x")
            met = "–"
            if goal and own:
                reached = own <= goal if small_is_good else own >= goal
                met = f"{amount(goal, unit)}: {'met' if reached else 'missed'}"
            cells.append(met)
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "A ratio above 1 means that Firn is faster or smaller.", ""]

    if "firn" in names:
        details = engines["firn"]["load"]["details"]
        peak, goal = details["peak_resident_bytes"], GOALS["load_peak_bytes"]
        lines += [f"Firn's load: {details['rows'] / details['append_seconds'] / 1e6:.2f} M rows/s in batches of "
                  f"{details['batch_rows']:,}, {details['append_seconds']:.1f} s of appends (of which "
                  f"{details['of_which_generating_seconds']:.1f} s made the rows) and {details['checkpoint_seconds']:.1f} s of checkpoint; "
                  f"peak resident memory {amount(peak, 'MiB')} (goal {amount(goal, 'MiB')}: {'met' if peak <= goal else 'missed'}).", ""]
    lines += ["## Query runs", "", "Milliseconds, warm, engines in turn.", ""]
    for name in names:
        runs = value(name, "query", "runs_milliseconds")
        lines.append(f"- {engines[name]['title']}: " + ", ".join(f"{run:.1f}" for run in runs))
    lines += ["", "## Durable appends", "",
              "Latency of one append of 1,000 rows until it is durable, beside a bare durable write (pwrite and fdatasync of "
              "20 kB, a batch's bytes, to a file filled before) measured just before.", "",
              "| | rows | seconds | append p50 | append p99 | bare write p50 | bare write p99 |", "| --- |" + " ---: |" * 6]
    for mode, title in (("append_1", "1 producer"), ("append_16", "16 producers")):
        for name in names:
            found = engines[name].get(mode)
            if found:
                bare = found["durable_write_before"]
                times = [found["append"]["p50_microseconds"], found["append"]["p99_microseconds"], bare["p50_microseconds"],
                         bare["p99_microseconds"]]
                lines.append(f"| {engines[name]['title']}, {title} | {found['rows']:,} | {found['seconds']:.1f} | "
                             + " | ".join(f"{microseconds:,.0f} µs" for microseconds in times) + " |")
    limits = results.get("limits")
    if limits:
        durable = limits["durable_write_20_kB"]
        lines += ["", "## What the machine can do", "",
                  f"- Reading memory, one thread: {limits['memory_read_bytes_per_second'] / 1e9:.1f} GB/s.",
                  f"- Writing a file of 512 MiB, durable: {limits['sequential_write_bytes_per_second'] / 1e6:,.0f} MB/s.",
                  f"- A durable write of 20 kB: p50 {durable['p50_microseconds']:,.0f} µs, p99 {durable['p99_microseconds']:,.0f} µs: one "
                  f"producer that waits for each batch of 1,000 rows can reach {1e3 / durable['p50_microseconds']:.1f} M rows/s at best."]
        own = value("firn", "query", "median_milliseconds") if "firn" in names else None
        if own:
            least = engines["firn"]["load"]["disk_bytes"] / limits["memory_read_bytes_per_second"] * 1e3
            lines.append(f"- Reading Firn's encoded bytes once from memory, one thread: {least:.1f} ms; the query took {own / least:.0f} "
                         "times as long.")
    lines += ["", "## How each engine ran", "", "Every engine with fsync on, on the same disk, one at a time.", ""]
    for name in names:
        engine = engines[name]
        settings = ", ".join(setting if key == "all" else f"{key} = {setting}" for key, setting in engine["settings"].items())
        lines += [f"- **{engine['title']}**: {settings}. Client: {engine['client']}. Load: {engine['bulk']}."
                  + (f" Query: `{engine['sql']}`." if engine.get("sql") else "")]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firn_bench")
    parser.add_argument("--engines", default="firn,postgres,duckdb", help="comma-separated: firn, postgres, duckdb")
    parser.add_argument("--scale", type=float, default=1, help="share of a day's rows, and of the time of appends")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--folder", default="/var/tmp", help="on the disk to measure; a folder of its own is made in it")
    parser.add_argument("--output", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--report-only", action="store_true", help="write RESULTS.md again from results.json")
    options = parser.parse_args()
    json_path = os.path.join(options.output, "results.json")
    if not options.report_only:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        folder = tempfile.mkdtemp(prefix="firn-bench-", dir=options.folder)
        os.chmod(folder, 0o711)                              # the user postgres must pass through it
        try:
            results = measure(options, folder)
        finally:
            shutil.rmtree(folder)
        os.makedirs(options.output, exist_ok=True)
        with open(json_path, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1, ensure_ascii=False)
            file.write("\n")
    with open(json_path, encoding="utf-8") as file:
        results = json.load(file)
    with open(os.path.join(options.output, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write(report(results))
    progress(f"wrote {os.path.join(options.output, 'RESULTS.md')}")


def measure(options, folder):
    executable = os.path.abspath(options.firn_bench)
    makers = {"firn": [lambda: Firn(executable, folder, options)], "postgres": [lambda: Postgres(folder)],
              "duckdb": [lambda: DuckDB(folder), lambda: DuckDBTuned(folder)]}
    wanted = [name for name in options.engines.split(",") if name]
    for name in wanted:
        if name not in makers:
            sys.exit(f"error: unknown engine {name}; there are {', '.join(makers)}")

    engines, skipped = [], {}
    for name in wanted:
        try:
            engines += [make() for make in makers[name]]
        except Skip as reason:
            skipped[name] = str(reason)
            progress(f"skipping {name}: {reason}")
    if not engines:
        sys.exit("error: no engine is left to measure")

    results = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "commit": commit(),
               "command": f"make bench SCALE={options.scale:g} ENGINES={options.engines} RUNS={options.runs}",
               "machine": machine(options.folder), "scale": options.scale, "seed": options.seed, "runs": options.runs,
               "load_average": [os.getloadavg()[0]], "skipped": skipped, "engines": {}}

    def probe(*arguments):
        done = subprocess.run([executable, "limits", "--folder", folder, "--json", *arguments], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"firn-bench limits ended with {done.returncode}")
        return json.loads(done.stdout)

    try:
        progress("measuring the machine")
        results["limits"] = probe()
        data = None
        if any(engine.name != "firn" for engine in engines):
            progress("generating rows for the peers")
            place = os.path.join(folder, "rows")
            subprocess.run([executable, "generate", "sensor_readings", "--format", "columns", "--output", place, "--scale",
                            str(options.scale), "--seed", str(options.seed)], check=True)
            data = Rows(place)

        measured = results["engines"]
        for engine in engines:
            progress(f"loading into {engine.title}")
            load = engine.load(data)
            if data and load["rows"] != data.count:
                raise RuntimeError(f"{engine.title} loaded {load['rows']} of {data.count} rows")
            engine.open_query()
            measured[engine.name] = {
                "title": engine.title, "version": engine.version, "settings": engine.settings, "client": engine.client,
                "bulk": engine.bulk, "sql": getattr(engine, "query_text", None), "load": load}
            results["rows"] = load["rows"]

        if len(engines) > 1:
            progress("comparing answers")
            results["answers"] = compare_answers({engine.name: engine.answer() for engine in engines})

        times = {engine.name: [] for engine in engines}
        for engine in engines:
            engine.query()                                   # not counted: the second warm-up after the answer
        for run in range(options.runs):
            progress(f"query, run {run + 1} of {options.runs}")
            turn = run % len(engines)
            for engine in engines[turn:] + engines[:turn]:
                times[engine.name].append(engine.query())
        for engine in engines:
            runs = times[engine.name]
            measured[engine.name]["query"] = {
                "median_milliseconds": statistics.median(runs), "min_milliseconds": min(runs), "max_milliseconds": max(runs),
                "runs_milliseconds": runs}
            engine.close_query()

        seconds = max(20 * options.scale, 1)
        burst = max(int(16_000 * options.scale), 16) * SENSORS
        for producers, rows in ((1, None), (16, burst)):
            for engine in engines:
                if engine.append is None:
                    continue
                progress(f"appending to {engine.title} with {producers} producer{'s' if producers > 1 else ''}")
                bare = probe("--only-durable-writes", "--seconds", "1")["durable_write_20_kB"]
                # Firn sends the whole burst; a peer stops after the time of the first measurement, if it is not done by then.
                found = engine.append(producers, seconds, rows, data)
                found["durable_write_before"] = bare
                measured[engine.name][f"append_{producers}"] = found
                progress(f"  {found['rows_per_second'] / 1e6:.2f} M rows/s")
        results["load_average"].append(os.getloadavg()[0])
        return results
    finally:
        for engine in engines:
            engine.close()


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
