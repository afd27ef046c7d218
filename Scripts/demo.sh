#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows what Firn does on real data: load, query, chart, size on disk, and an ingest that is killed half-way.
# Usage: demo.sh FIRN. Needs nothing but the built command; works in a temporary folder that it removes.
set -euo pipefail
cd "$(dirname "$0")/.."
firn=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/firn-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
database=$work/db
rows=${ROWS:-3000000}

heading() { printf '\n\033[1m── %s\033[0m\n' "$*"; }
run() { # run SQL: shows it, then its answer
    printf '\033[36m%s\033[0m\n' "$1"
    "$firn" sql "$database" -c "$1"
}
bytes() { du -sb "$1" | cut -f1; }
megabytes() { awk -v b="$1" 'BEGIN { printf "%.1f MB", b / 1e6 }'; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'; }
now() { date +%s.%N; }

heading "Real data: taxis, a machine, weather, earthquakes, an intensive care unit (Examples/data/SOURCES.md)"
"$firn" sql "$database" -f Examples/demo/schema.sql > /dev/null
load() { # load TABLE FILE OPTIONS
    local start end
    start=$(now)
    local tag
    tag=$("$firn" sql "$database" -c "COPY $1 FROM 'Examples/data/$2' WITH (FORMAT csv, HEADER true$3)")
    end=$(now)
    printf '  %-12s %-32s %12s  %s s\n' "$1" "$2" "$tag" "$(seconds "$start" "$end")"
}
load taxi nyc_taxi.csv.gz ""
load machine machine_temperature.csv.gz ""
load weather nyc_weather_2013.csv.gz ", NULL 'NA'"
load quakes earthquakes_2025-04.csv.gz ""
load vitals icu_vitals.csv.gz ""

heading "The quietest days of New York's taxis: a blizzard, Christmas, Thanksgiving, and the busiest"
run "SELECT time_bucket('1 day', time)::date AS day, count(*) AS half_hours, sum(value) AS passengers, max(value) AS busiest_half_hour
FROM taxi GROUP BY 1 ORDER BY passengers LIMIT 5"
run "SELECT time_bucket('1 day', time)::date AS day, sum(value) AS passengers FROM taxi GROUP BY 1 ORDER BY 2 DESC LIMIT 3"
heading "A machine's temperature in steps of six hours, up to its failure (\\chart, which the shell has too)"
"$firn" sql "$database" -c "\\chart SELECT time_bucket('6 hours', time) AS t, avg(value) AS temperature FROM machine GROUP BY t ORDER BY t"
heading "Vital signs of 300 patients: statistics per parameter"
run "SELECT parameter, count(*) AS n, count(DISTINCT patient_id) AS patients, avg(value)::numeric(10,2) AS mean,
       stddev(value)::numeric(10,2) AS deviation, first(value, time) AS first, last(value, time) AS last
FROM vitals WHERE parameter IN ('HR', 'Temp', 'SysABP', 'RespRate', 'SaO2') GROUP BY parameter ORDER BY n DESC"
heading "Earthquakes above magnitude 5, by kind of magnitude"
run "SELECT mag_type, count(*), max(mag), avg(depth)::numeric(10,1) AS mean_depth_km FROM quakes WHERE mag >= 5 GROUP BY 1 ORDER BY 2 DESC"
heading "The coldest days at three airports, cut at New York's own midnight"
run "SET timezone = 'America/New_York'; SELECT origin, date_trunc('day', time) AS day, min(temp) AS coldest_f
FROM weather GROUP BY 1, 2 HAVING min(temp) < 14 ORDER BY coldest_f, origin, day LIMIT 5"

heading "$rows card payments from a seeded generator"
awk -v rows="$rows" -v seed=42 -f Examples/card-payments.awk > "$work/payments.csv"
start=$(now)
"$firn" sql "$database" -c "COPY payments FROM '$work/payments.csv' WITH (FORMAT csv, HEADER true)"
end=$(now)
awk -v n="$rows" -v s="$(seconds "$start" "$end")" -v b="$(bytes "$work/payments.csv")" \
    'BEGIN { if (s < 0.1) s = 0.1; printf "  %.1f s: %.2f M rows/s, %.0f MB/s of CSV, parsed, checked, sorted, compressed and synced\n", s, n / s / 1e6, b / s / 1e6 }'
run "SELECT time_bucket('6 hours', time) AS bucket, count(*), sum(amount) AS turnover, avg(amount)::numeric(10,2) AS mean,
       stddev(amount)::numeric(10,2) AS deviation, count(*) FILTER (WHERE is_fraud) AS frauds
FROM payments GROUP BY bucket ORDER BY bucket LIMIT 6"
run "SELECT card_id, count(*) AS n, sum(amount) AS total FROM payments GROUP BY card_id HAVING count(*) FILTER (WHERE is_fraud) >= 5
ORDER BY total DESC LIMIT 5"

heading "Bytes"
csv=0
for file in Examples/data/*.csv.gz; do csv=$((csv + $(gzip -cd "$file" | wc -c))); done
csv=$((csv + $(bytes "$work/payments.csv")))
printf '  as CSV %s, in Firn %s (%s times smaller)\n' "$(megabytes "$csv")" "$(megabytes "$(bytes "$database")")" \
    "$(awk -v a="$csv" -v b="$(bytes "$database")" 'BEGIN { printf "%.1f", a / b }')"
"$firn" check "$database"

heading "An ingest is killed half-way (SIGKILL); every acknowledged row must be there"
"$firn" sql "$database" -c "CREATE TABLE heartbeats (time TIMESTAMPTZ NOT NULL, batch BIGINT NOT NULL, value DOUBLE PRECISION)"
mkfifo "$work/statements"
"$firn" sql "$database" < "$work/statements" > "$work/acknowledged" &
ingest=$!
awk 'BEGIN { for (batch = 0; batch < 100000; batch++)
    printf "INSERT INTO heartbeats SELECT timestamptz '\''2026-01-01'\'' + i * interval '\''1 second'\'', %d, i / 7.0 FROM generate_series(1, 100) AS g(i);\n", batch }' \
    > "$work/statements" 2>/dev/null &
feeder=$!
sleep 2
kill -9 "$ingest"
{ wait "$ingest"; } 2>/dev/null || true
wait "$feeder" 2>/dev/null || true
acknowledged=$(grep -c '^INSERT 0 100$' "$work/acknowledged")
found=$("$firn" sql "$database" --format csv -c "SELECT count(*) FROM heartbeats" | tail -n 1)
whole=$("$firn" sql "$database" --format csv -c "SELECT count(*) FROM (SELECT batch FROM heartbeats GROUP BY batch HAVING count(*) = 100) AS b" | tail -n 1)
printf '  acknowledged before the kill: %d batches of 100 rows; after reopening: %d rows in %d whole batches\n' \
    "$acknowledged" "$found" "$whole"
if [ "$acknowledged" -eq 0 ] || [ "$whole" -lt "$acknowledged" ] || [ "$found" -ne $((whole * 100)) ]; then
    echo "error: acknowledged rows are missing" >&2
    exit 1
fi
echo "  nothing acknowledged was lost"
