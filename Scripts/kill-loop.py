#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments of a synced ingest: no acknowledged batch may be lost, none may be there in half.

    kill-loop.py FIRN [--rounds 200] [--seed N] [--keep]

Each round starts `FIRN sql DB`, feeds it INSERT statements through standard input without waiting for answers, and kills
it at a random moment. A printed command tag acknowledges its statement. Then the database is opened again, and its
batches must be 0 .. n-1 without a gap, each whole, with n at least the number of acknowledged ones and at most the number
of those sent. Rounds go on in one database, so that recovery meets what earlier crashes left; every tenth starts anew.
`CHECKPOINT` and large batches are mixed in, so that kills fall into flushes and bulk loads as well.
Exit code 0: no violation; 1: a violation, with the seed that replays it and the database kept.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time


def rows_of(batch):
    """Most batches are small; some are large enough for several WAL frames' worth of rows."""
    return 3000 if batch % 37 == 36 else 40


def statement(batch):
    values = ",".join(
        f"('2026-01-01T00:00:00Z'::timestamptz + interval '{batch} seconds', {batch}, {i}, 'sensor_{i % 7}', {i}.25)"
        for i in range(rows_of(batch)))
    text = f"INSERT INTO readings VALUES {values};\n"
    return text + "CHECKPOINT;\n" if batch % 23 == 22 else text


def query(firn, database, sql):
    done = subprocess.run([firn, "sql", database, "-c", sql, "--format", "csv"], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()}")
    return [line.split(",") for line in done.stdout.split("\n")[1:] if line]


def ingest_and_kill(firn, database, first, seconds):
    """Returns the number of batches acknowledged and sent."""
    process = subprocess.Popen([firn, "sql", database, "--durability", "synced"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    sent = 0
    acknowledged = 0

    def read_tags():
        nonlocal acknowledged
        for line in process.stdout:
            if line.startswith(b"INSERT 0 "):
                acknowledged += 1

    reader = threading.Thread(target=read_tags)
    reader.start()
    killer = threading.Timer(seconds, lambda: process.send_signal(signal.SIGKILL))
    killer.start()
    try:
        while process.poll() is None and sent < 5000:
            # Counted before it is written: a pipe that breaks half-way may have delivered it.
            text = statement(first + sent).encode()
            sent += 1
            process.stdin.write(text)
            process.stdin.flush()
    except (BrokenPipeError, OSError):
        pass
    process.wait()
    killer.cancel()
    reader.join()
    try:
        process.stdin.close()
    except OSError:
        pass
    errors = process.stderr.read().decode()
    if process.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the ingest ended by itself with {process.returncode}: {errors.strip()}")
    return acknowledged, sent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("firn")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    options = parser.parse_args()
    generator = random.Random(options.seed)
    print(f"seed {options.seed}")
    folder = tempfile.mkdtemp(prefix="firn-kill-")
    database = None
    there = total_acknowledged = 0
    started = time.time()
    try:
        for number in range(options.rounds):
            if number % 10 == 0:
                if database:
                    shutil.rmtree(database)
                database = os.path.join(folder, f"db{number}")
                there = 0
                query(options.firn, database, "CREATE TABLE readings (time TIMESTAMPTZ NOT NULL, batch BIGINT, i BIGINT, "
                                              "sensor TEXT NOT NULL, value DOUBLE PRECISION)")
            acknowledged, sent = ingest_and_kill(options.firn, database, there, generator.uniform(0.01, 0.6))
            total_acknowledged += acknowledged
            found = query(options.firn, database, "SELECT batch, count(*), count(DISTINCT i) FROM readings GROUP BY batch ORDER BY batch")
            for index, (batch, count, distinct) in enumerate(found):
                if int(batch) != index:
                    raise RuntimeError(f"round {number}: batch {index} is missing")
                if int(count) != rows_of(index) or int(distinct) != rows_of(index):
                    raise RuntimeError(f"round {number}: batch {index} has {count} rows of {rows_of(index)}")
            if len(found) < there + acknowledged:
                raise RuntimeError(f"round {number}: {there + acknowledged} batches were acknowledged, {len(found)} are there")
            if len(found) > there + sent:
                raise RuntimeError(f"round {number}: {there + sent} batches were sent, {len(found)} are there")
            there = len(found)
            if number % 10 == 9:
                checked = subprocess.run([options.firn, "check", database], capture_output=True, text=True)
                if checked.returncode != 0:
                    raise RuntimeError(f"round {number}: check failed: {checked.stdout}{checked.stderr}")
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"violation: {error}\nseed {options.seed}, database kept in {database}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"{options.rounds} kills, {total_acknowledged} acknowledged batches, none lost, none torn "
          f"({time.time() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
