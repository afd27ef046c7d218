#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bits a value of real columns, beside pcodec, Zstandard and Parquet: make bench-encodings DATA=folder.

    encodings.py FIRN_ENCODINGS DATA [--write docs/encodings.md] [--columns FOLDER] [--only NAME,...]

DATA is the folder of files that is described in docs/encodings.md. Each column becomes a file of raw 64-bit values in
FOLDER (a temporary one unless it is named), which firn-encodings measures; peers are measured here. With --write the
table replaces what stands between the two markers of that file. Needs numpy, pyarrow, pcodec and zstandard
(Benchmarks/requirements.txt).
"""
import argparse
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

MICROSECOND = "datetime64[us]"
BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"

# Bits a value that light-weight blocks of 1,024 values need by a calculation that was made before there was any code:
# the best of frame of reference, delta, delta of delta, runs and common divisors, with patches, over integers or
# scaled decimals; a dictionary for 65,536 rows; ALP-RD. Warm segments are held to it.
LIGHT_WEIGHT = {
    "city_temperature_f": 9.14, "nyc29": 33.66, "ett.ot": 9.76, "ett.hufl": 11.50, "ecg.mlii": 6.34, "ecg.t_ns": 1.15,
    "cinc.pleth": 12.09, "trades.price": 10.28, "trades.size": 9.12, "trades.ts_us": 9.88, "quotes.bid": 7.16,
    "quotes.ts_us": 9.18, "fraud.amount": 14.36, "fraud.ts_us": 5.67, "fraud.customer_id": 13.09, "icu.value": 11.47,
    "icu.ts_us": 4.00, "nab.machine_temperature": 30.47, "nab.machine.ts_us": 0.40, "nab.ambient": 30.16,
    "nab.nyc_taxi": 13.82, "weather.temp": 6.08, "weather.wind_speed": 4.74, "weather.pressure": 6.72,
    "quakes.latitude": 47.22, "quakes.ts_us": 20.64, "synthetic.ts_10s_regular_ns": 0.21,
    "synthetic.ts_10s_jitter_1ms_us": 13.27, "synthetic.ts_poisson_100us_us": 9.26, "synthetic.cpu_pct_1dec": 10.11,
}


def rows(data, name):
    with gzip.open(os.path.join(data, name), "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def integers(rows, name):
    return np.array([int(row[name]) for row in rows], np.int64)


def doubles(rows, name, missing=("", "NA")):
    return np.array([float(row[name]) for row in rows if row[name] not in missing], np.float64)


def times(rows, name):
    return np.array([row[name].rstrip("Z") for row in rows], MICROSECOND).astype(np.int64)


def columns(data):
    """Yields (name, values, keys): keys are the columns that Firn sorts by, None for the order of the file."""
    for name in ("city_temperature_f", "nyc29"):
        with gzip.open(os.path.join(data, "doubles", name + ".f64le.gz")) as file:
            yield name, np.frombuffer(file.read(), "<f8"), None
    ett = rows(data, "ett/ETTh1.csv.gz")
    yield "ett.ot", doubles(ett, "OT"), None
    yield "ett.hufl", doubles(ett, "HUFL"), None
    ecg = rows(data, "vitals/mitdb100_ecg_first_half.csv.gz")
    yield "ecg.mlii", integers(ecg, "mlii"), None
    yield "ecg.t_ns", integers(ecg, "t_ns"), None
    yield "cinc.pleth", integers(rows(data, "vitals/cinc2015_v102s.csv.gz"), "pleth"), None
    trades = rows(data, "ticks/trades_2018-01-02.csv.gz")
    yield "trades.price", doubles(trades, "price"), None
    yield "trades.size", integers(trades, "size"), None
    yield "trades.ts_us", times(trades, "ts"), None
    quotes = rows(data, "ticks/quotes_2018-01-02.csv.gz")
    yield "quotes.bid", doubles(quotes, "bid"), None
    yield "quotes.ts_us", times(quotes, "ts"), None
    fraud = rows(data, "fraud/fraud_2018-04-01_2018-05-05.csv.gz")
    fraud_amount, fraud_ts, customer = doubles(fraud, "amount"), times(fraud, "ts"), integers(fraud, "customer_id")
    yield "fraud.amount", fraud_amount, None
    yield "fraud.ts_us", fraud_ts, None
    yield "fraud.customer_id", customer, None
    icu = rows(data, "vitals/icu2012_a.csv.gz")
    icu_value, icu_ts, patient = doubles(icu, "value"), times(icu, "ts"), integers(icu, "patient_id")
    parameter = np.unique([row["parameter"] for row in icu], return_inverse=True)[1].astype(np.int64)
    yield "icu.value", icu_value, None
    yield "icu.ts_us", icu_ts, None
    machine = rows(data, "nab/machine_temperature_system_failure.csv.gz")
    yield "nab.machine_temperature", doubles(machine, "value"), None
    yield "nab.machine.ts_us", times(machine, "timestamp"), None
    yield "nab.ambient", doubles(rows(data, "nab/ambient_temperature_system_failure.csv.gz"), "value"), None
    yield "nab.nyc_taxi", integers(rows(data, "nab/nyc_taxi.csv.gz"), "value"), None
    weather = rows(data, "weather/nyc_weather_2013.csv.gz")
    for name in ("temp", "wind_speed", "pressure"):
        yield "weather." + name, doubles(weather, name), None
    quakes = rows(data, "events/usgs_quakes_2025-04.csv.gz")
    yield "quakes.latitude", doubles(quakes, "latitude"), None
    yield "quakes.ts_us", times(quakes, "time"), None

    random = np.random.default_rng(20260101)
    clock = 1_700_000_000_000_000 + np.arange(200_000, dtype=np.int64) * 10_000_000
    yield "synthetic.ts_10s_regular_ns", clock * 1_000, None
    yield "synthetic.ts_10s_jitter_1ms_us", clock + np.rint(random.normal(0, 1_000, len(clock))).astype(np.int64), None
    gaps = np.maximum(1, np.rint(random.exponential(100, len(clock)))).astype(np.int64)
    yield "synthetic.ts_poisson_100us_us", 1_700_000_000_000_000 + np.cumsum(gaps), None
    yield "synthetic.cpu_pct_1dec", np.round(random.uniform(0, 100, len(clock)), 1), None

    yield "sorted.fraud.amount", fraud_amount, [customer, fraud_ts]
    yield "sorted.fraud.ts_us", fraud_ts, [customer, fraud_ts]
    yield "sorted.icu.value", icu_value, [parameter, patient, icu_ts]
    yield "sorted.icu.ts_us", icu_ts, [parameter, patient, icu_ts]
    yield "sorted.trades.price", by_exchange(trades, doubles(trades, "price")), None
    yield "sorted.trades.ts_us", by_exchange(trades, times(trades, "ts")), None
    yield "sorted.quotes.bid", by_exchange(quotes, doubles(quotes, "bid")), None
    yield "sorted.quotes.ts_us", by_exchange(quotes, times(quotes, "ts")), None
    origin = [row for row in weather if row["temp"] != "NA"]
    order = np.argsort([row["origin"] for row in origin], kind="stable")
    yield "sorted.weather.temp", doubles(origin, "temp")[order], None


def by_exchange(ticks, values):
    """Ticks by exchange; their file is in order of time."""
    return values[np.argsort([row["exchange"] for row in ticks], kind="stable")]


def peers(values):
    """Bytes that each peer takes."""
    import pyarrow
    import pyarrow.parquet
    import zstandard
    from pcodec import ChunkConfig, standalone

    sizes = {"pcodec 12": len(standalone.simple_compress(values, ChunkConfig(compression_level=12)))}
    sizes["zstd-19"] = len(zstandard.ZstdCompressor(level=19).compress(values.tobytes()))
    other = "BYTE_STREAM_SPLIT" if values.dtype == np.float64 else "DELTA_BINARY_PACKED"
    table = pyarrow.table({"v": values})
    for options in ({"use_dictionary": True}, {"use_dictionary": False, "column_encoding": {"v": other}}):
        sink = io.BytesIO()
        pyarrow.parquet.write_table(table, sink, compression="zstd", compression_level=19, **options)
        sizes["Parquet"] = min(sizes.get("Parquet", 1 << 60), len(sink.getvalue()))
    return sizes


def ratio(value, reference):
    return f"{value / reference:.2f}" if reference >= 0.05 else ""


def table(results):
    lines = [
        "| column | values | warm | all bytes | of light-weight | cold | all bytes | best peer | of the peer "
        "| warm: encode, decode | cold: encode, decode | warm page | cold page |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for r in results:
        warm, cold = r["warm"], r["cold"]
        light = LIGHT_WEIGHT.get(r["name"])
        peer = min(r["peers"], key=r["peers"].get)
        best = r["peers"][peer]
        lines.append(
            f"| {r['name']} | {r['count']:,} | {warm['bits']:.2f} | {warm['all']:.2f} | "
            f"{ratio(warm['bits'], light) if light else ''} | {cold['bits']:.2f} | {cold['all']:.2f} | "
            f"{best:.2f} {peer} | {ratio(cold['bits'], best)} | {warm['encode']:.0f}, {warm['decode']:.2f} | "
            f"{cold['encode']:.0f}, {cold['decode']:.2f} | {warm['scheme']} | {cold['scheme']} |")
    return lines


def summary(results):
    real = [r for r in results if not r["name"].startswith(("synthetic.", "sorted."))]

    def shares(values, limit):
        return sum(value <= limit for value in values)

    cold = [r["cold"]["bits"] / max(min(r["peers"].values()), 0.02) for r in real]
    warm = [r["warm"]["bits"] / max(LIGHT_WEIGHT[r["name"]], 0.02) for r in real]
    heavy = [r["name"] for r in results for p in ("warm", "cold")
             if r[p]["all"] - r[p]["bits"] > max(0.15, 0.03 * r[p]["all"])]
    return [
        f"Cold: {shares(cold, 0.9999)} of {len(real)} real columns in the order of their files are below the best peer, "
        f"{shares(cold, 1.02)} at most 1.02 of it, the largest ratio is {max(cold):.2f}. Warm: {shares(warm, 1.05)} are "
        f"at most 1.05 of the light-weight bound. What stands beside the blocks exceeds the larger of 0.15 bit a value "
        f"and 3 % in: {', '.join(sorted(set(heavy))) or 'none'}."]


def write(path, lines):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + tail)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--write")
    parser.add_argument("--columns")
    parser.add_argument("--only")
    options = parser.parse_args()
    folder = options.columns or tempfile.mkdtemp(prefix="firn-encodings-")
    os.makedirs(folder, exist_ok=True)
    results = []
    with open(os.path.join(folder, "columns.tsv"), "w", encoding="utf-8") as list_:
        for name, values, keys in columns(options.data):
            if options.only and name not in options.only.split(","):
                continue
            if keys is not None:
                values = values[np.lexsort(keys[::-1])]
            values = np.ascontiguousarray(values)
            values.tofile(os.path.join(folder, name + ".raw"))
            list_.write(f"{name}\t{'double' if values.dtype == np.float64 else 'int64'}\n")
            sizes = peers(values)
            results.append({"name": name, "count": len(values),
                            "peers": {peer: size * 8 / len(values) for peer, size in sizes.items()}})
    measured = subprocess.run([options.program, folder], stdout=subprocess.PIPE, check=True, text=True)
    lines = [json.loads(line) for line in measured.stdout.splitlines()]
    for result, line in zip(results, lines, strict=True):
        if result["name"] != line["name"]:
            sys.exit(f"firn-encodings answered for {line['name']} where {result['name']} was due")
        result.update(line)
    output = table(results) + [""] + summary(results)
    print("\n".join(output))
    if options.write:
        write(options.write, output)


if __name__ == "__main__":
    main()
