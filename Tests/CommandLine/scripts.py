# SPDX-License-Identifier: Apache-2.0
"""What scripts rely on: output, tags, errors, exit codes, locks, full disks."""
import contextlib
import gzip
import os
import pathlib
import random
import re
import shutil
import subprocess
import threading

from harness import equal, test

# What scripts rely on


@test
def tags_stand_on_lines_of_their_own_in_every_format(firn):
    for name in ("aligned", "csv", "json", "ndjson", "markdown"):
        database = str(firn.folder / name)
        out = firn.ok("sql", database, "--format", name, "-c", "CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1), (2)", "-c",
                      "CHECKPOINT", "-c", "DROP TABLE t")
        equal(out, "CREATE TABLE\nINSERT 0 2\nCHECKPOINT\nDROP TABLE\n")


@test
def a_tag_is_flushed_before_the_next_statement_is_read(firn):
    process = subprocess.Popen([firn.path, "sql", firn.db], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    for statement, tag in [("CREATE TABLE t (a BIGINT);", "CREATE TABLE"), ("INSERT INTO t VALUES (1);", "INSERT 0 1")]:
        process.stdin.write(statement + "\n")
        process.stdin.flush()
        equal(process.stdout.readline(), tag + "\n")
    process.stdin.close()
    equal(process.wait(), 0)


@test
def a_select_prints_rows_and_no_tag(firn):
    equal(firn.sql("SELECT 1 AS one, 'x' AS text"), " one | text\n-----+------\n   1 | x\n(1 row)\n")
    equal(firn.csv("SELECT 1 AS one"), "one\n1\n")


@test
def csv_tells_null_from_the_empty_string(firn):
    equal(firn.csv("SELECT NULL AS a, '' AS b, 'a,\"b' AS c, E'x\\ny' AS d"), 'a,b,c,d\n,"","a,""b","x\ny"\n')


@test
def json_numbers_are_numbers_and_the_rest_strings(firn):
    sql = ("SELECT 1 AS i, 1.5::double precision AS d, 1.50::numeric AS n, 'NaN'::double precision AS nan, true AS b, NULL AS x, "
           "'2026-01-01T00:00:00Z'::timestamptz AS t, '{\"a\": [1]}'::jsonb AS j")
    row = ('{"i":1,"d":1.5,"n":"1.50","nan":"NaN","b":true,"x":null,"t":"2026-01-01 00:00:00+00","j":{"a": [1]}}')
    equal(firn.sql(sql, "--format", "ndjson"), row + "\n")
    equal(firn.sql(sql, "--format", "json"), "[" + row + "]\n")
    equal(firn.sql("SELECT 1 AS a WHERE false", "--format", "json"), "[]\n")


@test
def markdown_is_a_table(firn):
    equal(firn.sql("SELECT 1 AS a, 'x|y' AS b", "--format", "markdown"), "| a | b |\n| ---: | --- |\n| 1 | x\\|y |\n")


@test
def statements_stop_at_the_first_failure(firn):
    done = firn.run("sql", firn.db, "-c", "CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1); SELECT nope FROM t; INSERT INTO t VALUES (2)")
    equal(done.returncode, 1)
    equal(done.stdout, "CREATE TABLE\nINSERT 0 1\n")
    equal(firn.csv("SELECT count(*) FROM t"), "count\n1\n")


@test
def standard_input_and_files_are_read_as_scripts(firn):
    script = "CREATE TABLE t (a BIGINT); -- comment; not an end\nINSERT INTO t VALUES (1);\n/* ; */ SELECT a FROM t"
    (firn.folder / "script.sql").write_text(script)
    equal(firn.ok("sql", firn.db, "--format", "csv", input=script), "CREATE TABLE\nINSERT 0 1\na\n1\n")
    equal(firn.ok("sql", str(firn.folder / "other"), "-f", "script.sql", "--format", "csv"), "CREATE TABLE\nINSERT 0 1\na\n1\n")


@test
def sql_is_the_default_subcommand_and_memory_the_default_database(firn):
    equal(firn.ok("-c", "SELECT 1 AS a", "--format", "csv"), "a\n1\n")
    equal(firn.ok(firn.db, "-c", "CREATE TABLE t (a BIGINT)"), "CREATE TABLE\n")
    assert os.path.isdir(firn.db)


@test
def memory_by_name_makes_no_folder(firn):
    equal(firn.ok("sql", ":memory:", "--format", "csv", "-c", "CREATE TABLE t (a BIGINT); SELECT count(*) AS n FROM t"),
          "CREATE TABLE\nn\n0\n")
    equal(os.path.exists(":memory:"), False)
    result = firn.run("sql", ":memory:", "--read-only", "-c", "SELECT 1")
    equal((result.returncode, "--read-only needs a DATABASE" in result.stderr), (2, True))


@test
def usage_errors_exit_with_2(firn):
    equal(firn.run("sql", "--nonsense").returncode, 2)
    equal(firn.run("sql", "--format", "xml", "-c", "SELECT 1").returncode, 2)
    equal(firn.run("inspect").returncode, 2)
    equal(firn.run("--help").returncode, 0)
    assert "Exit codes" in firn.ok("sql", "--help")
    for arguments in (["--help"], ["sql", "--help"]):
        text = firn.ok(*arguments)
        for word in ("-c", "-f", "--format", "--null", "--on-error", "--durability", "--read-only", "Exit codes", "csv", "\\d"):
            assert word in text, (arguments, word)


# The mission's statements

FEATURES = """CREATE TABLE real_time_features (
    feature_id UUID PRIMARY KEY,
    entity_id TEXT NOT NULL,
    feature_name TEXT NOT NULL,
    feature_value NUMERIC,
    timestamp TIMESTAMPTZ NOT NULL,
    source_system TEXT,
    processing_window INTERVAL DEFAULT '5 minutes'
);"""
READINGS = """CREATE TABLE sensor_readings (
    time TIMESTAMPTZ NOT NULL,
    sensor_id TEXT NOT NULL,
    value NUMERIC,
    metadata JSONB
);

SELECT create_hypertable('sensor_readings', 'time',
                        chunk_time_interval => INTERVAL '1 hour');"""


@test
def the_missions_feature_table_runs_as_printed(firn):
    equal(firn.sql(FEATURES), "CREATE TABLE\n")
    equal(firn.sql("INSERT INTO real_time_features (feature_id, entity_id, feature_name, feature_value, timestamp, source_system) "
                   "VALUES (gen_random_uuid(), 'user_1', 'clicks', 1.50, now(), 'web'), "
                   "(gen_random_uuid(), 'user_2', 'clicks', 12345678901234567890.123456789, '2026-01-01T00:00:00.123456Z', NULL)"), "INSERT 0 2\n")
    equal(firn.csv("SELECT entity_id, feature_value, source_system, processing_window FROM real_time_features ORDER BY entity_id"),
          "entity_id,feature_value,source_system,processing_window\nuser_1,1.50,web,00:05:00\n"
          "user_2,12345678901234567890.123456789,,00:05:00\n")
    equal(firn.csv("SELECT sum(feature_value) AS sum, count(*) FILTER (WHERE timestamp > now() - INTERVAL '1 hour') AS fresh FROM real_time_features"),
          "sum,fresh\n12345678901234567891.623456789,1\n")
    equal(firn.csv("SELECT timestamp FROM real_time_features WHERE entity_id = 'user_2'"), "timestamp\n2026-01-01 00:00:00.123456+00\n")


@test
def the_missions_hypertable_runs_as_printed(firn):
    out = firn.ok("sql", firn.db, "--format", "csv", input=READINGS)
    equal(out, 'CREATE TABLE\ncreate_hypertable\n"(1,public,sensor_readings,t)"\n')
    firn.sql("INSERT INTO sensor_readings VALUES ('2026-01-01 00:30:00+00', 's1', 20.10, '{\"unit\": \"C\"}'), "
             "('2026-01-01 01:30:00+00', 's1', 20.30, NULL), ('2026-01-01 01:31:00+00', 's2', NULL, '{}')")
    equal(firn.csv("SELECT time_bucket('5 minutes', time) AS bucket, sensor_id, AVG(value) AS avg_value, STDDEV(value) AS stddev_value, "
                   "COUNT(*) AS count FROM sensor_readings GROUP BY bucket, sensor_id ORDER BY bucket, sensor_id"),
          "bucket,sensor_id,avg_value,stddev_value,count\n2026-01-01 00:30:00+00,s1,20.1000000000000000,,1\n"
          "2026-01-01 01:30:00+00,s1,20.3000000000000000,,1\n2026-01-01 01:30:00+00,s2,,,1\n")
    firn.sql("CHECKPOINT")
    equal(firn.csv("SELECT sensor_id, value, metadata FROM sensor_readings ORDER BY time"),
          'sensor_id,value,metadata\ns1,20.10,"{""unit"": ""C""}"\ns1,20.30,\ns2,,{}\n')


@test
def numeric_is_exact_through_flush_and_reopen(firn):
    firn.sql("CREATE TABLE n (a NUMERIC, b NUMERIC(12,3))")
    firn.sql("INSERT INTO n VALUES (0.1, 0.1), (0.20, 123456789.1235), (-99999999999999999999999999999999999999, -1)")
    for _ in range(2):
        equal(firn.csv("SELECT a, b FROM n ORDER BY a"), "a,b\n-99999999999999999999999999999999999999,-1.000\n0.1,0.100\n0.20,123456789.124\n")
        equal(firn.csv("SELECT sum(a) AS s FROM n WHERE a > 0"), "s\n0.30\n")
        firn.sql("CHECKPOINT")


@test
def the_primary_key_is_enforced_and_the_statement_not_applied(firn):
    firn.sql("CREATE TABLE k (id BIGINT PRIMARY KEY, v TEXT)")
    firn.sql("INSERT INTO k VALUES (1, 'a'), (2, 'b')")
    firn.fails("INSERT INTO k VALUES (3, 'c'), (2, 'd')", "23505", "duplicate key value violates unique constraint \"k_pkey\"")
    firn.sql("CHECKPOINT")
    firn.fails("INSERT INTO k VALUES (1, 'x')", "23505", "k_pkey")
    firn.fails("INSERT INTO k VALUES (5, 'x'), (5, 'y')", "23505", "k_pkey")
    firn.fails("INSERT INTO k VALUES (NULL, 'x')", "23502", "null value in column \"id\"")
    equal(firn.csv("SELECT id FROM k ORDER BY id"), "id\n1\n2\n")


# COPY


@test
def copy_reads_csv_plain_gzip_and_zstandard(firn):
    text = 'time,name,value\n2026-01-01T00:00:00Z,"a ""b"", c",1.5\n2026-01-01T00:00:01Z,,\r\n2026-01-01 00:00:02+00,"",3\n'
    (firn.folder / "t.csv").write_text(text)
    with gzip.open(firn.folder / "t.csv.gz", "wt", newline="") as file:
        file.write(text)
    names = ["t.csv", "t.csv.gz"]
    if shutil.which("zstd"):
        subprocess.run(["zstd", "-q", str(firn.folder / "t.csv")], check=True)
        names.append("t.csv.zst")
    for name in names:
        firn.sql("CREATE TABLE IF NOT EXISTS t (time TIMESTAMPTZ NOT NULL, name TEXT, value DOUBLE PRECISION)")
        equal(firn.sql(f"COPY t FROM '{firn.folder / name}' WITH (FORMAT csv, HEADER true)"), "COPY 3\n")
        equal(firn.csv("SELECT name, value FROM t ORDER BY time"), 'name,value\n"a ""b"", c",1.5\n,\n"",3\n')
        firn.sql("DROP TABLE t")


@test
def copy_takes_columns_delimiter_and_null(firn):
    firn.sql("CREATE TABLE t (a BIGINT, b TEXT, c TEXT DEFAULT 'd')")
    (firn.folder / "t.txt").write_text("1;NA\n2;x\n")
    equal(firn.sql("COPY t (a, b) FROM 't.txt' WITH (FORMAT csv, DELIMITER ';', NULL 'NA')"), "COPY 2\n")
    equal(firn.csv("SELECT * FROM t ORDER BY a"), "a,b,c\n1,,d\n2,x,d\n")


@test
def copy_round_trips_through_a_file_and_standard_streams(firn):
    firn.sql("CREATE TABLE t (a BIGINT, b TEXT)")
    firn.sql("INSERT INTO t VALUES (1, NULL), (2, ''), (3, E'line\\nbreak'), (4, 'quote\"')")
    equal(firn.sql("COPY t TO 'out.csv' WITH (FORMAT csv, HEADER)"), "COPY 4\n")
    equal((firn.folder / "out.csv").read_text(), 'a,b\n1,\n2,""\n3,"line\nbreak"\n4,"quote"""\n')
    out = firn.sql("COPY (SELECT a FROM t ORDER BY a) TO STDOUT WITH (FORMAT csv)")
    assert out.startswith("1\n2\n3\n4\n"), out
    firn.sql("CREATE TABLE u (a BIGINT, b TEXT)")
    equal(firn.ok("sql", firn.db, "-c", "COPY u FROM STDIN WITH (FORMAT csv, HEADER)", input=(firn.folder / "out.csv").read_text()), "COPY 4\n")
    equal(firn.csv("SELECT * FROM u ORDER BY a"), firn.csv("SELECT * FROM t ORDER BY a"))
    inline = "CREATE TABLE v (a BIGINT);\nCOPY v FROM STDIN (FORMAT csv);\n7\n8\n\\.\nSELECT sum(a) AS s FROM v;\n"
    equal(firn.ok("sql", firn.db, "--format", "csv", input=inline), "CREATE TABLE\nCOPY 2\ns\n15\n")


@test
def a_bad_line_is_named_and_nothing_is_loaded(firn):
    firn.sql("CREATE TABLE t (time TIMESTAMPTZ NOT NULL, n INTEGER, x DOUBLE PRECISION)")
    cases = [
        ("2026-01-01,1,1\n2026-01-01,one,1\n", "22P02", 't.csv:3: column "n": invalid input syntax for type integer: "one"'),
        ("2026-01-01,1,1\n2026-13-01,1,1\n", "22008", 't.csv:3: column "time"'),
        ("2026-01-01,3000000000,1\n", "22003", 't.csv:2: column "n": value "3000000000" is out of range for type integer'),
        (",1,1\n", "23502", 't.csv:2: column "time": null value in column "time"'),
        ("2026-01-01,1\n", "22P04", 't.csv:2: missing data for column "x"'),
        ("2026-01-01,1,1,9\n", "22P04", "t.csv:2: extra data after last expected column"),
        ('2026-01-01,1,1\n2026-01-01,1,"1\n', "22P04", "t.csv:3: unterminated CSV quoted field"),
        ("999999-01-01,1,1\n", "22008", 't.csv:2: column "time"'),
        ("2026-01-01,1,abc\n", "22P02", 't.csv:2: column "x": invalid input syntax for type double precision: "abc"'),
    ]
    for text, code, message in cases:
        (firn.folder / "t.csv").write_text("time,n,x\n" + text)
        firn.fails("COPY t FROM 't.csv' WITH (FORMAT csv, HEADER)", code, message)
        equal(firn.csv("SELECT count(*) FROM t"), "count\n0\n")


@test
def files_that_cannot_be_read_are_named(firn):
    firn.sql("CREATE TABLE t (a BIGINT)")
    firn.fails("COPY t FROM 'missing.csv' WITH (FORMAT csv)", "58P01", "missing.csv")
    with gzip.open(firn.folder / "cut.csv.gz", "wt") as file:
        file.write("1\n" * 100000)
    whole = (firn.folder / "cut.csv.gz").read_bytes()
    (firn.folder / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    firn.fails("COPY t FROM 'cut.csv.gz' WITH (FORMAT csv)", "22P04", "gzip")
    equal(firn.csv("SELECT count(*) FROM t"), "count\n0\n")


@test
def a_large_copy_is_one_commit(firn):
    firn.sql("CREATE TABLE t (time TIMESTAMPTZ NOT NULL, tag TEXT NOT NULL, v DOUBLE PRECISION)")
    lines = [f"2026-01-{1 + i // 40000:02d}T00:00:{i % 60:02d}Z,tag{i % 100},{i}.5" for i in range(600000)]
    (firn.folder / "big.csv").write_text("\n".join(lines) + "\nbroken,line\n")
    firn.fails("COPY t FROM 'big.csv' WITH (FORMAT csv)", "22P04", "big.csv:600001")
    equal(firn.csv("SELECT count(*) FROM t"), "count\n0\n")
    (firn.folder / "big.csv").write_text("\n".join(lines) + "\n")
    equal(firn.sql("COPY t FROM 'big.csv' WITH (FORMAT csv)"), "COPY 600000\n")
    equal(firn.csv("SELECT count(*) AS n, count(DISTINCT tag) AS tags, sum(v) AS s FROM t"), f"n,tags,s\n600000,100,{sum(range(600000)) + 300000}\n")
    assert firn.ok("check", firn.db).startswith("no damage found: "), "damage"


# Errors in SQL


@test
def sql_errors_show_line_caret_and_hint(firn):
    firn.sql("CREATE TABLE readings (time TIMESTAMPTZ NOT NULL, temperature DOUBLE PRECISION)")
    text = firn.fails("SELECT avg(temprature) FROM readings", "42703", 'column "temprature" does not exist')
    lines = text.splitlines()
    equal(lines[1], "  SELECT avg(temprature) FROM readings")
    equal(lines[2], "             ^ line 1, column 12")
    assert 'did you mean "temperature"' in lines[3], lines
    firn.fails("SELECT 1 +", "42601", "syntax error at end of input")
    firn.fails("SELECT 'abc", "42601", "unterminated quoted string")
    firn.fails("SELECT * FROM nowhere", "42P01", 'relation "nowhere" does not exist')
    firn.fails("SELECT nofunction(1)", "42883", "nofunction")
    firn.fails("SELECT 1/0", "22012", "division by zero")
    firn.fails("SELECT time FROM readings GROUP BY temperature", "42803", "must appear in the GROUP BY clause")
    firn.fails("CREATE TABLE readings (a BIGINT)", "42P07", 'relation "readings" already exists')
    firn.fails("INSERT INTO readings (time, nope) VALUES (now(), 1)", "42703", 'column "nope"')
    firn.fails("INSERT INTO readings VALUES (NULL, 1)", "23502", "time")
    firn.fails("INSERT INTO readings VALUES ('294277-01-01', 1)", "22008", "")
    firn.fails("INSERT INTO readings VALUES (now(), 'x')", "22P02", "double precision")
    firn.fails("UPDATE readings SET temperature = 1", "0A000", "UPDATE is not supported")
    equal(firn.csv("SELECT count(*) FROM readings"), "count\n0\n")


@test
def words_that_are_not_reserved_are_names(firn):
    firn.sql("CREATE TABLE w (second BIGINT, min BIGINT, value BIGINT, time TIMESTAMPTZ NOT NULL, timestamp BIGINT)")
    firn.sql("INSERT INTO w VALUES (1, 2, 3, now(), 5)")
    equal(firn.csv("SELECT second, min, value, timestamp, min(min) AS min2, max(second) second3 FROM w GROUP BY second, min, value, timestamp"),
          "second,min,value,timestamp,min2,second3\n1,2,3,5,2,1\n")


@test
def show_describe_explain_and_set(firn):
    firn.sql(READINGS)
    assert "sensor_readings" in firn.csv("SHOW TABLES")
    described = firn.csv("DESCRIBE sensor_readings")
    assert "time,timestamp with time zone,not null" in described, described
    plan = firn.csv("EXPLAIN SELECT sensor_id, count(*) FROM sensor_readings WHERE time > now() GROUP BY sensor_id")
    assert plan.startswith("QUERY PLAN\n") and "sensor_readings" in plan, plan
    equal(firn.csv("SHOW timezone"), "TimeZone\nUTC\n")
    equal(firn.csv("SET timezone = 'America/New_York'; SELECT '2026-07-01T12:00:00Z'::timestamptz AS t"), "SET\nt\n2026-07-01 08:00:00-04\n")
    firn.fails("SET timezone = 'Mars/Olympus'", "22023", "Mars/Olympus")
    firn.fails("SET nonsense = 1", "42704", "nonsense")


# Pipes, comments, backslash commands, order


def fifo(firn, name, content):
    """A FIFO into which somebody writes."""
    path = firn.folder / name
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(content), daemon=True).start()
    return str(path)


@test
def scripts_may_come_through_any_pipe(firn):
    equal(firn.ok("-f", "/dev/stdin", "--format", "csv", input="SELECT 7 AS n;"), "n\n7\n")
    equal(firn.ok("-f", fifo(firn, "script", b"SELECT 8 AS n;\n" * 20000), "--format", "csv"), "n\n8\n" * 20000)
    done = subprocess.run(["bash", "-c", f"{firn.path} --format csv -f <(echo 'SELECT 9 AS n;') -f <(echo 'SELECT 10 AS n')"],
                          capture_output=True, text=True, timeout=60)
    equal((done.returncode, done.stdout), (0, "n\n9\nn\n10\n"))


@test
def copy_reads_and_writes_pipes_and_devices(firn):
    firn.sql("CREATE TABLE t (a BIGINT, b TEXT)")
    rows = b"".join(b"%d,row\n" % i for i in range(200000))
    equal(firn.sql(f"COPY t FROM '{fifo(firn, 'plain', rows)}' (FORMAT csv)"), "COPY 200000\n")
    equal(firn.sql(f"COPY t FROM '{fifo(firn, 'packed', gzip.compress(rows))}' (FORMAT csv)"), "COPY 200000\n")
    equal(firn.ok("sql", firn.db, "-c", "COPY t FROM '/dev/stdin' (FORMAT csv)", input="1,x\n2,y\n"), "COPY 2\n")
    equal(firn.csv("SELECT count(*) FROM t"), "count\n400002\n")
    out = firn.folder / "out"
    os.mkfifo(out)
    found = []
    reader = threading.Thread(target=lambda: found.append(out.read_bytes()))
    reader.start()
    equal(firn.sql(f"COPY (SELECT g, 'row' FROM generate_series(0, 199999) AS s(g)) TO '{out}' (FORMAT csv)"), "COPY 200000\n")
    reader.join(30)
    equal(found, [rows])
    assert out.is_fifo() and not (firn.folder / "out.partial").exists()
    equal(firn.sql("COPY (SELECT 1) TO '/dev/stdout'"), "1\nCOPY 1\n")
    equal(firn.sql("COPY (SELECT 1) TO '/dev/null'"), "COPY 1\n")
    assert pathlib.Path("/dev/null").is_char_device() and not os.path.exists("/dev/null.partial")


@test
def inspect_reads_pipes(firn):
    firn.sql("CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1)")
    for path in sorted(pathlib.Path(firn.db).rglob("*")):
        if path.is_file():
            done = subprocess.run(["bash", "-c", f"{firn.path} inspect <(cat {path})"], capture_output=True, text=True, timeout=60)
            whole = firn.ok("inspect", str(path))
            equal((done.returncode, done.stdout.split(":", 1)[-1]), (0, whole.split(":", 1)[-1]))


@test
def a_file_that_cannot_be_run_is_an_error(firn):
    for name in ("missing.sql", str(firn.folder)):
        done = firn.run("-f", name)
        equal((done.returncode, done.stdout), (1, ""))
        assert re.fullmatch(r"error: cannot open .* \((58P01|58030)\)", done.stderr.splitlines()[0]), done.stderr


@test
def packed_scripts_are_unpacked(firn):
    script = b"SELECT 7 AS n;\n" * 20000
    (firn.folder / "s.sql.gz").write_bytes(gzip.compress(script))
    (firn.folder / "s").write_bytes(subprocess.run(["zstd", "-q"], input=script, capture_output=True, check=True).stdout)
    for name in ("s.sql.gz", "s", fifo(firn, "packed", gzip.compress(script))):
        equal(firn.ok("-f", name, "--format", "csv"), "n\n7\n" * 20000)
    equal(firn.ok("-c", "\\i s.sql.gz", "--format", "csv").count("7"), 20000)
    done = subprocess.run([firn.path, "--format", "csv"], input=gzip.compress(script), capture_output=True, timeout=60)
    equal((done.returncode, done.stdout.count(b"7")), (0, 20000))
    # Cut off: what is there runs, and the end is an error.
    (firn.folder / "cut.gz").write_bytes(gzip.compress(os.urandom(100000).hex().join(["SELECT '", "' <> '';\nSELECT 1"]).encode())[:-20])
    done = firn.run("-f", "cut.gz")
    equal(done.returncode, 1)
    assert "cut.gz" in done.stderr and "SELECT 1" not in done.stderr, done.stderr
    # One byte that begins as Zstandard does is SQL.
    equal(firn.ok(input="(SELECT 1 AS a)", ).count("1"), 2)
    equal(firn.ok(input="("[:1] + "SELECT 5 AS a);", ).count("5"), 1)


@test
def bytes_that_are_not_utf8_are_errors(firn):
    (firn.folder / "s.sql").write_bytes(b"SELECT 1 AS a;\nSELECT\n  '\xff\xfe';\nSELECT 2 AS b;\n")
    done = firn.run("-f", "s.sql", "--format", "csv")
    equal((done.returncode, done.stdout), (1, "a\n1\n"))
    equal(done.stderr.splitlines()[0], 'error: s.sql:3: invalid byte sequence for encoding "UTF8" (22021)')
    (firn.folder / "cut.sql").write_bytes(b"SELECT 'a\xe2\x82")
    assert "(22021)" in firn.run("-f", "cut.sql").stderr
    equal(firn.ok("-c", "SELECT '\ufffd' AS a", "--format", "csv"), "a\n\ufffd\n")
    done = subprocess.run([firn.path.encode(), b"-c", b"SELECT '\xff'"], capture_output=True, timeout=60)
    equal((done.returncode, done.stdout), (2, b""))
    assert b"argument 2 is not UTF-8" in done.stderr, done.stderr
    done = subprocess.run([firn.path.encode(), b"d\xffb", b"-c", b"SELECT 1"], capture_output=True, timeout=60, cwd=firn.folder)
    equal((done.returncode, [path.name for path in firn.folder.iterdir() if path.name.startswith("d")]), (2, []))


@test
def closed_streams_leave_the_files_of_the_database_alone(firn):
    firn.sql("CREATE TABLE t (a BIGINT)")
    def closed(redirections, *arguments):
        return subprocess.run(["bash", "-c", 'exec "$0" "$@" ' + redirections, firn.path, firn.db, *arguments],
                              capture_output=True, text=True, timeout=60)
    for redirections in (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "<&-"):
        done = closed(redirections, "-c", "INSERT INTO t VALUES (1)", "-c", "SELECT * FROM t", "-c", "SELECT 1/0")
        equal(done.returncode, 1)
        written = b"".join(path.read_bytes() for path in pathlib.Path(firn.db).rglob("*") if path.is_file())
        assert b"INSERT" not in written and b"division" not in written
    done = closed(">&-", "-c", "INSERT INTO t VALUES (1)")
    equal((done.returncode, done.stderr), (1, "error: cannot write standard output: Bad file descriptor (58030)\n"))
    for arguments in ([], ["-f", "-"], ["-c", "COPY t FROM STDIN"]):
        done = closed("<&-", *arguments)
        equal(done.returncode, 1)
        assert "cannot read standard input: Bad file descriptor (58030)" in done.stderr, done.stderr
    firn.ok("check", firn.db)


@test
def copy_to_a_folder_or_into_none_names_what_was_asked_for(firn):
    (firn.folder / "folder").mkdir()
    firn.fails("COPY (SELECT 1) TO 'folder'", "58030", "cannot open folder: Is a directory")
    firn.fails("COPY (SELECT 1) TO 'nowhere/x.csv'", "58P01", "cannot open nowhere/x.csv: No such file or directory")
    equal(sorted(path.name for path in firn.folder.iterdir()), ["db", "folder"])
    done = firn.run("check", "/etc/passwd")
    equal((done.returncode, done.stderr.splitlines()[0]), (1, 'error: "/etc/passwd" is no folder (58P01)'))


@test
def rows_of_copy_to_standard_output_go_where_results_go(firn):
    equal(firn.ok("-c", "\\o out", "-c", "COPY (SELECT 1) TO STDOUT", "-c", "\\o", "-c", "COPY (SELECT 2) TO STDOUT"),
          "COPY 1\n2\nCOPY 1\n")
    equal((firn.folder / "out").read_text(), "1\n")


@test
def an_error_shows_what_lies_around_its_place_of_a_long_line(firn):
    done = firn.run(input="SELECT '" + "x" * 3000000 + "', nope, '" + "y" * 3000000 + "'")
    lines = done.stderr.splitlines()
    equal(lines[0], 'error: column "nope" does not exist (42703)')
    equal(lines[1][lines[2].index("^"):][:4], "nope")
    assert len(lines[1]) < 300 and lines[2].endswith("^ line 1, column 3000012"), lines[2]


@test
def an_empty_name_is_no_database_in_memory(firn):
    done = firn.run("", "-c", "SELECT 1")
    equal((done.returncode, done.stdout), (2, ""))
    assert "DATABASE is empty" in done.stderr, done.stderr


@test
def variables_stand_for_texts_as_in_psql(firn):
    def csv(*arguments, **options):
        return firn.ok("--format", "csv", *arguments, **options)
    equal(csv("-v", "n=3", "-c", "SELECT :n AS a, ':n' AS b, ':n'::text AS c, :'n' AS d, $$:n$$ AS e, E'\\':n' AS f -- :n"),
          "a,b,c,d,e,f\n3,:n,:n,3,:n,':n\n")
    equal(csv("--set", "t=my table", "-c", 'CREATE TABLE :"t" (a INT)', "-c", 'SELECT count(*) FROM :"t"'),
          "CREATE TABLE\ncount\n0\n")
    equal(csv("-v", "x=it's", "-c", "SELECT :'x' AS x", "-c", "\\echo :x :'x' ':x' :y"), "x\nit's\nit's 'it''s' :x :y\n")
    script = "\\set a 1 + 2\nSELECT :a * 2 AS n, :{?a} AS yes, :{?b} AS no;\nSELECT 10 AS x, NULL AS a \\gset\n\\echo :x :a :{?a}\n"
    shown = csv(input=script)
    assert shown.startswith("n,yes,no\n") and shown.endswith("10 :a FALSE\n"), shown
    for commands, message, code in [
        (["SELECT 1 WHERE false \\gset"], "no rows returned for \\gset", "21000"),
        (["SELECT g FROM generate_series(1, 2) AS s(g) \\gset"], "more than one row returned for \\gset", "21000"),
        (["SELECT 1 AS \"a b\" \\gset"], 'invalid variable name: "a b"', "42602"),
        (["\\set a-b 1"], 'invalid variable name: "a-b"', "42602"), (["\\unset"], "missing argument", "42601"),
        (["\\set AUTOCOMMIT off"], "psql's variable AUTOCOMMIT is not supported", "0A000"),
        (["SELECT :nope"], 'syntax error at or near ":"', "42601")]:
        done = firn.run(input="\n".join(commands) + "\n")
        first = done.stderr.splitlines()[0]
        equal(done.returncode, 1)
        assert message in first and first.endswith(f"({code})"), first
    done = firn.run("-v", "ON_ERROR_STOP=0", "--format", "csv", input="SELECT 1/0;\nSELECT 2 AS a;\n")
    equal((done.returncode, done.stdout), (1, "a\n2\n"))
    done = firn.run("--on-error", "continue", input="\\set ON_ERROR_STOP 1\nSELECT 1/0;\nSELECT 2 AS a;\n")
    equal((done.returncode, done.stdout), (1, ""))


@test
def commands_that_only_psql_has_are_refused_by_name(firn):
    for command in ("\\gexec", "\\gdesc", "\\if true", "\\endif", "\\c other", "\\connect", "\\du", "\\dn+", "\\dv", "\\s", "\\a", "\\H",
                    "\\encoding", "\\password", "\\bind 1", "\\crosstabview", "\\sf now", "\\prompt x"):
        done = firn.run("-c", command)
        first = done.stderr.splitlines()[0]
        equal((done.returncode, first), (1, f"error: psql's command {command.split()[0]} is not supported (0A000)"))
    done = firn.run("-c", "\\pset border 9")
    equal((done.returncode, done.stderr), (1, 'error: \\pset: border is 0, 1 or 2, not "9" (22023)\n'))


@test
def comments_and_nothing_are_taken_and_say_nothing(firn):
    for text in ("-- a comment", "--", "", " ", ";", "/* one */", "-- a\n;", "--format"):
        equal(firn.ok("-c", text), "")
    equal(firn.ok("-c", "-- first\nSELECT 1 AS a -- last", "--format", "csv"), "a\n1\n")
    equal(firn.ok(input="-- nothing"), "")
    equal(firn.ok("-f", "/dev/null"), "")


@test
def backslash_commands_stand_wherever_sql_does(firn):
    script = "\\echo one\nSELECT 1 AS a \\gx\n\\x off \\pset null N\nSELECT NULL AS n; \\echo two\n\\echo 'a  b' c;\n"
    expected = ("one\n-[ RECORD 1 ]\na | 1\nExpanded display is off.\nNull display is \"N\".\n n\n---\n N\n(1 row)\ntwo\na  b c;\n")
    (firn.folder / "s.sql").write_text(script)
    equal(firn.ok(input=script), expected)
    equal(firn.ok("-f", "s.sql"), expected)
    equal(firn.ok("-c", script), expected)
    equal(firn.ok("-c", "SELECT '\\echo', $$\\q$$ -- \\q", "--format", "csv").splitlines()[1], "\\echo,\\q")
    equal(firn.ok(input="SELECT 1 AS a;\n\\q\nSELECT 2 AS b;\n", ).count("row"), 1)
    equal(firn.ok("-c", "\\timing on", "-c", "\\echo x"), "Timing is on.\nx\n")
    equal(firn.ok("-c", "SELECT 1 \\reset \\include /dev/null", "-c", "\\help checkpoint").splitlines()[-1], "CHECKPOINT")
    (firn.folder / "q.sql").write_text("\\echo in\n\\q\n\\echo never\n")
    equal(firn.ok("-f", "q.sql", "-c", "\\i q.sql", "-c", "\\echo out", "-c", "\\q", "-c", "\\echo never"), "in\nin\nout\n")


@test
def a_wrong_backslash_command_is_a_failure_with_a_suggestion(firn):
    for command, message, hint in [
        ("\\timng", "invalid command \\timng", "did you mean \\timing?"), ("\\x on off", '\\x: extra argument "off"', "\\x [on|off|auto]"),
        ("\\format tsv", 'unknown format "tsv"', 'did you mean "csv"?'), ("\\pset nul x", 'unknown option "nul"', 'did you mean "null"?'),
        ("\\timing perhaps", "on or off", ""), ("\\i", "missing argument", "\\i FILE"), ("\\echo 'open", "unterminated quoted string", ""),
        ("\\i nowhere.sql", "nowhere.sql", ""), ("\\h copt", "no help", "did you mean COPY?"), ("\\d a b", "extra argument", "")]:
        (firn.folder / "s.sql").write_text("SELECT 1;\n" + command + "\nSELECT 2;\n")
        for done in (firn.run("-c", command), firn.run("-f", "s.sql"), firn.run(input=command + "\nSELECT 2;\n")):
            equal(done.returncode, 1)
            first = done.stderr.splitlines()[0]
            assert re.fullmatch(r"error: .* \([0-9A-Z]{5}\)", first) and message in first, first
            assert hint in done.stderr, done.stderr
            assert "2" not in done.stdout, done.stdout
    assert firn.run("-f", "s.sql").stderr.startswith("error: s.sql:2: ")


@test
def commands_and_files_run_in_the_order_given(firn):
    (firn.folder / "two.sql").write_text("\\echo two\n")
    (firn.folder / "four.sql").write_text("\\echo four\n")
    equal(firn.ok("-c", "\\echo one", "-f", "two.sql", "-c", "\\echo three", "-f", "four.sql"), "one\ntwo\nthree\nfour\n")
    equal(firn.ok("-f", "four.sql", "-c", "\\echo one", firn.db, "-f", "two.sql"), "four\none\ntwo\n")
    equal(firn.ok("-c", "\\echo one", "-f", "-", input="\\echo in\n"), "one\nin\n")


@test
def errors_in_files_begin_with_file_and_line(firn):
    firn.sql("CREATE TABLE t (a INTEGER, b TEXT)")
    (firn.folder / "rows.csv").write_text("1,a\nx,b\n")
    (firn.folder / "inner.sql").write_text("\n\nSELECT nope;\n")
    cases = [
        ("SELECT 1;\n\nSELECT\n  nope;\n", "error: s.sql:4: column \"nope\" does not exist (42703)"),
        ("SELECT 1;\nSELECT\n  1/0;\n", "error: s.sql:"),
        ("-- c\nCOPY t FROM 'rows.csv' (FORMAT csv);", 'error: s.sql:2: rows.csv:2: column "a": invalid input syntax for type integer: "x" (22P02)'),
        ("COPY t FROM STDIN (FORMAT csv);\n1,a\n2,b\n\\.\nCOPY t FROM STDIN (FORMAT csv);\n3,c\nx,d\n\\.\n",
         'error: s.sql:7: column "a": invalid input syntax for type integer: "x" (22P02)'),
        ("COPY t FROM STDIN (FORMAT csv);\n1,a\n2,b\n\\.\n\nSELECT nope;\n", 'error: s.sql:6: column "nope" does not exist (42703)'),
        ("SELECT 1;\n\\i inner.sql\n", 'error: inner.sql:3: column "nope" does not exist (42703)'),
        ("SELECT 'a", "error: s.sql:1: unterminated quoted string"),
    ]
    for text, message in cases:
        (firn.folder / "s.sql").write_text(text)
        for arguments in (["-f", "s.sql"], ["-c", "\\i s.sql"]):
            done = firn.run(firn.db, *arguments)
            equal(done.returncode, 1)
            assert done.stderr.splitlines()[0].startswith(message), done.stderr
    done = firn.run("-f", "-", input="SELECT 1;\nSELECT nope;\n")
    assert done.stderr.startswith("error: <stdin>:2: column"), done.stderr


@test
def the_rest_of_a_failed_copy_is_no_sql(firn):
    firn.sql("CREATE TABLE t (a INTEGER)")
    for table in ("t", "nowhere"):
        script = f"COPY {table} FROM STDIN;\n1\nx\nDROP TABLE t;\nSELECT 1;\n\\.\nSELECT 'behind' AS word;\n"
        (firn.folder / "s.sql").write_text(script)
        for done in (firn.run(firn.db, "--on-error", "continue", "--format", "csv", input=script),
                     firn.run(firn.db, "--on-error", "continue", "--format", "csv", "-f", "s.sql")):
            equal((done.returncode, done.stdout), (1, "word\nbehind\n"))
            equal(done.stderr.count("error:"), 1)
        equal(firn.run(firn.db, input=script).stdout, "")
    equal(firn.csv("SELECT count(*) FROM t"), "count\n0\n")
    equal(firn.ok(firn.db, input="COPY t FROM STDIN; SELECT count(*) AS n FROM t; \\echo end\n1\n2\n\\.\n", ), "COPY 2\n n\n---\n 2\n(1 row)\nend\n")


@test
def the_first_line_of_an_error_ends_with_its_code(firn):
    for sql, shown in [("SELECT E'a\\nb'::integer", "a\\nb"), ("SELECT E'a\\r\\tb'::date", "a\\r\\tb"), ("SELECT E'\\x1b[31m'::uuid", "\\u001B[31m"),
                       ('SELECT "a\nb" FROM generate_series(1, 2)', "a\\nb"), ('SELECT * FROM "a\nb"', "a\\nb"), ("SET \"a\nb\" = 1", "a\\nb"),
                       ("SELECT 1 AS \"a\nb\" ORDER BY \"a\nc\"", "a\\nc"), ("SELECT \"f\ng\"(1)", "f\\ng")]:
        done = firn.run("-c", sql)
        first = done.stderr.splitlines()[0]
        assert done.returncode == 1 and re.fullmatch(r"error: .* \([0-9A-Z]{5}\)", first) and shown in first, done.stderr
        assert "\x1b" not in first
    (firn.folder / "a\nb.csv").write_text('"x\ny"\n')
    firn.sql("CREATE TABLE t (a INTEGER)")
    firn.fails("COPY t FROM E'a\\nb.csv' (FORMAT csv)", "22P02", 'x\\ny')
    firn.fails("COPY t FROM E'no\\nfile' (FORMAT csv)", "58P01", "no\\nfile")
    equal(firn.run("inspect", "no\nfile").stderr.count("\n"), 1)
    equal(firn.run("check", "no\nfolder").stderr.split("\n")[0][-7:], "(58P01)")


@test
def null_is_told_from_the_empty_string(firn):
    sql = "SELECT NULL AS a, '' AS b, 1 AS c"
    equal(firn.sql(sql, "--null", "¤"), " a | b | c\n---+---+---\n ¤ |   | 1\n(1 row)\n")
    equal(firn.csv(sql, "--null", "\\N"), 'a,b,c\n\\N,"",1\n')
    equal(firn.csv("SELECT NULL AS a, 'N' AS b", "--null", "N"), 'a,b\nN,"N"\n')
    equal(firn.sql(sql, "--null", "-", "--format", "markdown").splitlines()[2], "| - |  | 1 |")
    equal(firn.sql(sql, "--null", "N", "--format", "ndjson"), '{"a":null,"b":"","c":1}\n')


@test
def tables_of_many_rows_are_bounded_and_aligned(firn):
    out = firn.sql("SELECT g AS n, 'x' || g % 7 AS word FROM generate_series(1, 300000) AS s(g)")
    lines = out.splitlines()
    equal(len(lines), 300003)
    equal(lines[2], "      1 | x1")
    equal(lines[-2:], [" 300000 | x1", "(300000 rows)"])
    equal({len(line) for line in lines[2:-1]}, {12})


@test
def control_characters_do_not_reach_the_terminal_through_a_table(firn):
    out = firn.sql("SELECT E'\\x1b[31mred\\r\\tx' AS a, E'two\\nlines' AS b")
    assert "\x1b" not in out and "\r" not in out and "\\x1B[31mred\\r" in out and "two  +" in out, out


@test
def output_that_cannot_be_written_is_an_error(firn):
    if not os.path.exists("/dev/full"):
        return "skipped: needs /dev/full"
    with open("/dev/full", "w") as full:
        done = subprocess.run([firn.path, "-c", "SELECT 1"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("error: cannot write standard output"), done


# Processes


def listing(firn):
    """Every file of the database with its size and time of change."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in pathlib.Path(firn.db).rglob("*")}


@contextlib.contextmanager
def holder(firn):
    process = subprocess.Popen([firn.path, "sql", firn.db], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    process.stdin.write("CREATE TABLE held (a BIGINT);\n")
    process.stdin.flush()
    process.stdout.readline()
    yield process
    process.stdin.close()
    process.wait()


@test
def a_second_process_gets_one_error_that_names_the_holder(firn):
    with holder(firn) as process:
        text = firn.fails("SELECT 1", "55P03", str(process.pid))
        equal(len([line for line in text.splitlines() if line.startswith("error")]), 1)
        firn.fails("SELECT 1", "55P03", str(process.pid), "--read-only")
    firn.sql("SELECT 1")


@test
def read_only_reads_everything_and_writes_nothing(firn):
    firn.sql("CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1)")
    process = subprocess.Popen([firn.path, "sql", firn.db], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    process.stdin.write("INSERT INTO t VALUES (2);\n")
    process.stdin.flush()
    equal(process.stdout.readline(), "INSERT 0 1\n")
    process.kill()
    process.wait()

    before = listing(firn)
    equal(firn.csv("SELECT a FROM t ORDER BY a", "--read-only"), "a\n1\n2\n")
    firn.fails("INSERT INTO t VALUES (3)", "25006", "INSERT", "--read-only")
    firn.fails("CREATE TABLE u (a BIGINT)", "25006", "CREATE TABLE", "--read-only")
    equal(listing(firn), before)
    equal(firn.csv("SELECT count(*) FROM t"), "count\n2\n")


@test
def a_folder_that_is_no_database_is_refused(firn):
    done = firn.run("sql", str(firn.folder / "missing"), "--read-only", "-c", "SELECT 1")
    equal(done.returncode, 1)
    assert done.stderr.startswith("error: "), done.stderr
    (firn.folder / "file").write_text("not a folder")
    equal(firn.run("sql", str(firn.folder / "file"), "-c", "SELECT 1").returncode, 1)


@test
def a_folder_of_another_user_is_refused_and_left_alone(firn):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return "skipped: needs root and setpriv"
    firn.sql("CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (1)")
    os.chmod(firn.folder, 0o755)
    done = firn.run("sql", firn.db, "-c", "INSERT INTO t VALUES (2)", prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], cwd="/")
    equal(done.returncode, 1)
    assert done.stderr.startswith("error: ") and "ermission" in done.stderr, done.stderr
    equal(firn.csv("SELECT count(*) FROM t"), "count\n1\n")


@test
def a_full_disk_is_an_error_and_loses_nothing(firn):
    firn.sql("CREATE TABLE t (a BIGINT, b TEXT)")
    firn.sql("INSERT INTO t VALUES (1, 'x')")
    rows = "".join(f"{i},{os.urandom(32).hex()}\n" for i in range(400000))
    (firn.folder / "big.csv").write_text(rows)
    # A limit on the size of files stands in for a full disk: writes beyond it fail. Frames of the log are shorter.
    shell = f"trap '' XFSZ; ulimit -f 2048; exec {firn.path} sql {firn.db} -c \"COPY t FROM '{firn.folder}/big.csv' WITH (FORMAT csv)\""
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=120)
    equal(done.returncode, 1)
    assert done.stderr.startswith("error: "), done.stderr
    equal(firn.csv("SELECT a FROM t"), "a\n1\n")
    equal(firn.sql(f"COPY t FROM '{firn.folder}/big.csv' WITH (FORMAT csv)"), "COPY 400000\n")
    equal(firn.csv("SELECT count(*) FROM t"), "count\n400001\n")


# inspect and check


@test
def inspect_prints_every_kind_of_file(firn):
    firn.sql(READINGS)
    firn.sql("INSERT INTO sensor_readings SELECT '2026-01-01'::timestamptz + i * interval '10 seconds', 's' || (i % 3), i / 4.0, NULL FROM generate_series(1, 5000) AS g(i)")
    firn.sql("CHECKPOINT")
    names = {"CURRENT": None, "LOCK": None}
    for path in sorted(pathlib.Path(firn.db).rglob("*")):
        if path.is_file():
            out = firn.ok("inspect", str(path))
            assert len(out) > 20, (path, out)
            names.pop(path.name, None)
    equal(names, {})
    segment = next(pathlib.Path(firn.db, "data").glob("*.seg"))
    assert re.search(r"sensor_id|row group|encoding", firn.ok("inspect", str(segment)), re.I)
    (firn.folder / "noise").write_bytes(os.urandom(100))
    equal(firn.run("inspect", str(firn.folder / "noise")).returncode, 1)


@test
def check_finds_a_flipped_bit_and_names_the_place(firn):
    firn.sql("CREATE TABLE t (time TIMESTAMPTZ NOT NULL, v DOUBLE PRECISION)")
    firn.sql("INSERT INTO t SELECT '2026-01-01'::timestamptz + i * interval '1 second', sin(i) FROM generate_series(1, 20000) AS g(i)")
    firn.sql("CHECKPOINT")
    assert re.fullmatch(r"no damage found: \d+ files, \d+ bytes\n", firn.ok("check", firn.db))
    segment = next(pathlib.Path(firn.db, "data").glob("*.seg"))
    whole = segment.read_bytes()
    data = bytearray(whole)
    data[len(data) // 3] ^= 0x10
    segment.write_bytes(data)
    done = firn.run("check", firn.db)
    equal(done.returncode, 1)
    assert re.search(rf"^damaged: .*data/{segment.name} at offset \d+ \(row group 0, column \"v\"\)", done.stdout, re.M), done.stdout
    assert "1 place is damaged" in done.stdout, done.stdout
    firn.fails("SELECT sum(v) FROM t", "XX001", segment.name)
    segment.write_bytes(whole)
    firn.ok("check", firn.db)


@test
def check_finds_any_flipped_bit_of_what_is_needed(firn):
    firn.sql("CREATE TABLE t (time TIMESTAMPTZ NOT NULL, tag TEXT NOT NULL, v DOUBLE PRECISION, n NUMERIC)")
    firn.sql("INSERT INTO t SELECT '2026-01-01'::timestamptz + i * interval '1 second', 's' || (i % 5), sqrt(i), i / 4.0 "
             "FROM generate_series(1, 3000) AS g(i)")
    firn.sql("CHECKPOINT")
    files = [path for path in pathlib.Path(firn.db).rglob("*") if path.is_file() and path.name != "LOCK" and path.suffix != ".wal"]
    generator = random.Random(3)
    for path in sorted(files):
        whole = path.read_bytes()
        for place in [0, 9, len(whole) - 1] + [generator.randrange(len(whole)) for _ in range(8)]:
            data = bytearray(whole)
            data[place] ^= 1 << generator.randrange(8)
            path.write_bytes(data)
            done = firn.run("check", firn.db)
            assert done.returncode == 1 and path.name in done.stdout, (path, place, done.returncode, done.stdout, done.stderr)
        path.write_bytes(whole)
    for path in sorted(files):
        path.rename(firn.folder / "away")
        done = firn.run("check", firn.db)
        assert done.returncode == 1 and path.name in done.stdout, (path, done.stdout, done.stderr)
        (firn.folder / "away").rename(path)
    firn.ok("check", firn.db)


@test
def check_changes_nothing_and_waits_for_no_writer(firn):
    firn.sql("CREATE TABLE t (a BIGINT)")
    with holder(firn) as process:
        done = firn.run("check", firn.db)
        equal(done.returncode, 1)
        assert str(process.pid) in done.stderr and "(55P03)" in done.stderr, done.stderr
    (pathlib.Path(firn.db) / "stray").write_text("not ours")
    before = listing(firn)
    done = firn.run("check", firn.db)
    equal(done.returncode, 0)
    assert done.stderr.startswith("notice: stray belongs to nothing"), done.stderr
    equal(listing(firn), before)
    equal(firn.run("check", str(firn.folder / "nowhere")).returncode, 1)
    equal(firn.run("check", str(firn.folder)).returncode, 1)
