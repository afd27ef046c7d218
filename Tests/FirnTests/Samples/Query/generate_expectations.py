#!/usr/bin/env python3
"""Writes expressions.tsv and queries.tsv: what PostgreSQL answers for every line of expressions.txt and queries.txt.

    generate_expectations.py 'host=/tmp/pg user=postgres'        (PostgreSQL 15; the version stands in the files)

A line of expressions.txt is an expression; `@Zone ` in front sets the session's time zone. One that names a
column of `samples` (samples.sql) is evaluated for each row in the order of id, else once. The answer is the
text of each row, NULL as \\N, separated by tabs; an error is `!CODE message`.
A line of queries.txt is a query; the answer is the column names and then each row, cells joined by `|`.
"""
import pathlib, re, subprocess, sys

HERE = pathlib.Path(__file__).parent
COLUMNS = ('id int, i int, s smallint, b bigint, r real, d double precision, n numeric, t text, '
           'tz timestamptz, ts timestamp, dt date, iv interval, bo boolean, u uuid')
NAMES = [c.split()[0] for c in COLUMNS.split(', ')]
SETUP = (f'SET client_min_messages = error; SET timezone = UTC; CREATE TEMP TABLE samples ({COLUMNS}); '
         f"INSERT INTO samples VALUES {(HERE / 'samples.sql').read_text()}; ")


def run(connection, sql, options='-XqAt'):
    done = subprocess.run(['psql', connection, options, '-F', '|', '-v', 'VERBOSITY=verbose', '-P', 'null=\\N',
                           '-P', 'footer=off', '-c', sql], capture_output=True, encoding='utf-8')
    error = re.search(r'^ERROR:  (\w{5}): (.*)$', done.stderr, re.M)
    return ('!%s %s' % error.groups()) if error else done.stdout.rstrip('\n').replace('\n', '\t')


def lines(name):
    return [line for line in (HERE / name).read_text().splitlines() if line and not line.startswith('#')]


def main():
    connection = sys.argv[1]
    version = f"# PostgreSQL {run(connection, 'SHOW server_version')}"
    out = [version]
    for line in lines('expressions.txt'):
        zone, expression = 'UTC', line
        if re.match('@[A-Z]', line):
            zone, expression = line[1:].split(' ', 1)
        bare = re.sub(r"'[^']*'", '', expression)
        of_rows = any(re.search(rf'\b{name}\b(?!\()', bare) for name in NAMES)
        query = f'SELECT ({expression})::text' + (' FROM samples ORDER BY id' if of_rows else '')
        setup = SETUP if of_rows else ''
        out.append(f"{line}\t{run(connection, f'{setup}SET timezone = {chr(39)}{zone}{chr(39)}; {query}')}")
    (HERE / 'expressions.tsv').write_text('\n'.join(out) + '\n')
    out = [version] + [f"{line}\t{run(connection, SETUP + line, '-XqA')}" for line in lines('queries.txt')]
    (HERE / 'queries.tsv').write_text('\n'.join(out) + '\n')


main()
