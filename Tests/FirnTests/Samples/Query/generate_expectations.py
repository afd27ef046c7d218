#!/usr/bin/env python3
"""Writes expressions.tsv: what PostgreSQL answers for every expression of expressions.txt.

    generate_expectations.py 'host=/tmp/pg user=postgres'        (PostgreSQL 15; the version stands in the file)

A line of expressions.txt is an expression; `@Zone ` in front sets the session's time zone. One that names a
column of `samples` is evaluated for each row of samples.sql in the order of id, else once. The answer is the
text of each row, NULL as \\N, separated by tabs; an error is `!CODE message`.
"""
import pathlib, re, subprocess, sys

HERE = pathlib.Path(__file__).parent
COLUMNS = ('id int, i int, s smallint, b bigint, r real, d double precision, n numeric, t text, '
           'tz timestamptz, ts timestamp, dt date, iv interval, bo boolean, u uuid')
NAMES = [c.split()[0] for c in COLUMNS.split(', ')]


def run(connection, sql):
    done = subprocess.run(['psql', connection, '-XqAt', '-F', '\t', '-v', 'VERBOSITY=verbose', '-P', 'null=\\N', '-c', sql],
                          capture_output=True, encoding='utf-8')
    error = re.search(r'^ERROR:  (\w{5}): (.*)$', done.stderr, re.M)
    return ('!%s %s' % error.groups()) if error else done.stdout.rstrip('\n').replace('\n', '\t')


def main():
    connection = sys.argv[1]
    version = run(connection, 'SHOW server_version')
    values = (HERE / 'samples.sql').read_text()
    sample = f"WITH samples({', '.join(NAMES)}) AS (SELECT " + ', '.join(
        f'column{k + 1}::{c.split(" ", 1)[1]}' for k, c in enumerate(COLUMNS.split(', '))) + f' FROM (VALUES {values}) v)'
    out = [f'# PostgreSQL {version}']
    for line in (HERE / 'expressions.txt').read_text().splitlines():
        if not line or line.startswith('#'):
            continue
        zone, expression = 'UTC', line
        if re.match('@[A-Z]', line):
            zone, expression = line[1:].split(' ', 1)
        bare = re.sub(r"'[^']*'", '', expression)
        of_rows = any(re.search(rf'\b{name}\b(?!\()', bare) for name in NAMES)
        query = (f'{sample} SELECT ({expression})::text FROM samples ORDER BY id' if of_rows
                 else f'SELECT ({expression})::text')
        out.append(f"{line}\t{run(connection, f'SET timezone = {chr(39)}{zone}{chr(39)}; {query}')}")
    (HERE / 'expressions.tsv').write_text('\n'.join(out) + '\n')


main()
