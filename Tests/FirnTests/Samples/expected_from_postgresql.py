#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes cases/NAME.csv from cases/NAME.sql: what PostgreSQL 15 answers over the samples.

Needs Debian's postgresql-15; starts a private cluster in a temporary folder, on a socket only. Text sorts by its bytes
(C collation), the zone is UTC; time_bucket is written with date_bin, weeks beginning on Monday 2000-01-03.
"""
import glob
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = "/usr/lib/postgresql/15/bin/"
PRELUDE = """
CREATE FUNCTION time_bucket(w interval, t timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
  AS $$ SELECT date_bin(w, t, timestamptz '2000-01-03 00:00:00+00') $$;
CREATE FUNCTION time_bucket(w interval, t timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE
  AS $$ SELECT date_bin(w, t, timestamp '2000-01-03 00:00:00') $$;
"""


def main():
    folder = tempfile.mkdtemp(prefix="firn-expected-")
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    run = lambda *command, **options: subprocess.run([*user, *command], check=True, cwd="/", **options)
    psql = lambda sql: run("psql", "-h", folder, "-qXAt", "-v", "ON_ERROR_STOP=1", "postgres", input=sql, text=True, capture_output=True).stdout
    try:
        run(BIN + "initdb", "-D", folder + "/data", "--locale=C", "-E", "UTF8", stdout=subprocess.DEVNULL)
        run(BIN + "pg_ctl", "-D", folder + "/data", "-o", f"-k {folder} -h ''", "-w", "-l", folder + "/log", "start", stdout=subprocess.DEVNULL)
        psql("ALTER DATABASE postgres SET timezone = 'UTC'")
        psql(PRELUDE + (HERE / "schema.sql").read_text())
        for line in (HERE / "load.txt").read_text().splitlines():
            table, file, null = (line.split() + [""])[:3]
            data = (HERE / "data" / file).read_text()
            psql(f"COPY {table} FROM STDIN WITH (FORMAT csv, HEADER true, NULL '{null}');\n{data}\\.\n")
        for path in sorted(glob.glob(str(HERE / "cases/*.sql"))):
            query = pathlib.Path(path).read_text().strip()
            pathlib.Path(path[:-4] + ".csv").write_text(psql(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER true)"))
        print(psql("SELECT version()").strip())
    finally:
        subprocess.run([*user, BIN + "pg_ctl", "-D", folder + "/data", "-m", "immediate", "stop"], stdout=subprocess.DEVNULL, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
