// SPDX-License-Identifier: Apache-2.0
//
// Queries over real data that the engine must run, in DuckDB's and PostgreSQL's spelling.

enum AnalyticsCorpus {
    static let scripts: [(name: String, sql: String)] = [
        (
            "anomaly_zscore_nab.sql",
            #"""
            SELECT series, count(*) AS n_flagged, min(ts) AS first_flag, max(ts) AS last_flag FROM (
              SELECT series, ts, value, avg(value) OVER w AS m, stddev_samp(value) OVER w AS s, count(*) OVER w AS n FROM nab WINDOW w AS (PARTITION BY series ORDER BY ts, line ROWS BETWEEN 288 PRECEDING AND 1 PRECEDING)) x
            WHERE n >= 100 AND s > 1e-9 AND abs(value - m) > 4 * s GROUP BY series ORDER BY series;
            """#
        ),
        (
            "asof_strict_trades_quotes_digest.pg.sql",
            #"""
            -- PostgreSQL has no ASOF JOIN: quotes and trades are merged in time order and the last quote is carried forward; trades come before quotes of their own instant (strict).
            WITH q AS (SELECT symbol, ts, bid, ask FROM (SELECT *, row_number() OVER (PARTITION BY symbol, ts ORDER BY line DESC) AS rn FROM quotes WHERE bid > 0 AND ask > 0) d WHERE rn = 1),
            u AS (SELECT symbol, ts, 0 AS is_trade, ts AS quote_ts, bid, ask, CAST(NULL AS DOUBLE PRECISION) AS price FROM q UNION ALL SELECT symbol, ts, 1, NULL, NULL, NULL, price FROM trades),
            g AS (SELECT *, count(quote_ts) OVER (PARTITION BY symbol ORDER BY ts, is_trade DESC ROWS UNBOUNDED PRECEDING) AS grp FROM u),
            f AS (SELECT is_trade, price, first_value(quote_ts) OVER w AS quote_ts, first_value(bid) OVER w AS bid, first_value(ask) OVER w AS ask FROM g WINDOW w AS (PARTITION BY symbol, grp ORDER BY ts, is_trade DESC))
            SELECT count(*) AS n, count(quote_ts) AS matched, avg(price - (bid + ask) / 2) AS avg_vs_mid FROM f WHERE is_trade = 1;
            """#
        ),
        (
            "asof_strict_trades_quotes_digest.sql",
            #"""
            WITH q AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY symbol, ts ORDER BY line DESC) AS rn FROM quotes WHERE bid > 0 AND ask > 0) d WHERE rn = 1)
            SELECT count(*) AS n, count(q.ts) AS matched, avg(t.price - (q.bid + q.ask) / 2) AS avg_vs_mid
            FROM trades t ASOF LEFT JOIN q ON t.symbol = q.symbol AND t.ts > q.ts;
            """#
        ),
        (
            "asof_trades_quotes.pg.sql",
            #"""
            WITH q AS MATERIALIZED (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY symbol, ts ORDER BY line DESC) AS rn FROM quotes WHERE bid > 0 AND ask > 0) d WHERE rn = 1)
            SELECT t.line, t.ts, t.price, t.size, l.ts AS quote_ts, l.bid, l.ask FROM trades t LEFT JOIN LATERAL (SELECT ts, bid, ask FROM q WHERE q.symbol = t.symbol AND q.ts <= t.ts ORDER BY q.ts DESC LIMIT 1) l ON true
            WHERE t.line % 100 = 0 ORDER BY t.line;
            """#
        ),
        (
            "asof_trades_quotes.sql",
            #"""
            WITH q AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY symbol, ts ORDER BY line DESC) AS rn FROM quotes WHERE bid > 0 AND ask > 0) d WHERE rn = 1)
            SELECT t.line, t.ts, t.price, t.size, q.ts AS quote_ts, q.bid, q.ask FROM trades t ASOF LEFT JOIN q ON t.symbol = q.symbol AND t.ts >= q.ts
            WHERE t.line % 100 = 0 ORDER BY t.line;
            """#
        ),
        (
            "asof_trades_quotes_digest.pg.sql",
            #"""
            -- PostgreSQL has no ASOF JOIN: quotes and trades are merged in time order and the last quote is carried forward.
            WITH q AS (SELECT symbol, ts, bid, ask FROM (SELECT *, row_number() OVER (PARTITION BY symbol, ts ORDER BY line DESC) AS rn FROM quotes WHERE bid > 0 AND ask > 0) d WHERE rn = 1),
            u AS (SELECT symbol, ts, 0 AS is_trade, ts AS quote_ts, bid, ask, CAST(NULL AS DOUBLE PRECISION) AS price FROM q UNION ALL SELECT symbol, ts, 1, NULL, NULL, NULL, price FROM trades),
            g AS (SELECT *, count(quote_ts) OVER (PARTITION BY symbol ORDER BY ts, is_trade ROWS UNBOUNDED PRECEDING) AS grp FROM u),
            f AS (SELECT is_trade, price, first_value(quote_ts) OVER w AS quote_ts, first_value(bid) OVER w AS bid, first_value(ask) OVER w AS ask FROM g WINDOW w AS (PARTITION BY symbol, grp ORDER BY ts, is_trade))
            SELECT count(*) AS n, count(quote_ts) AS matched, sum(CASE WHEN price >= ask THEN 1 WHEN price <= bid THEN -1 ELSE 0 END) AS sign_sum, avg(price - (bid + ask) / 2) AS avg_vs_mid, max(price - (bid + ask) / 2) AS max_vs_mid, min(price - (bid + ask) / 2) AS min_vs_mid FROM f WHERE is_trade = 1;
            """#
        ),
        (
            "asof_trades_quotes_digest.sql",
            #"""
            WITH q AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY symbol, ts ORDER BY line DESC) AS rn FROM quotes WHERE bid > 0 AND ask > 0) d WHERE rn = 1)
            SELECT count(*) AS n, count(q.ts) AS matched, sum(CASE WHEN t.price >= q.ask THEN 1 WHEN t.price <= q.bid THEN -1 ELSE 0 END) AS sign_sum, avg(t.price - (q.bid + q.ask) / 2) AS avg_vs_mid, max(t.price - (q.bid + q.ask) / 2) AS max_vs_mid, min(t.price - (q.bid + q.ask) / 2) AS min_vs_mid
            FROM trades t ASOF LEFT JOIN q ON t.symbol = q.symbol AND t.ts >= q.ts;
            """#
        ),
        (
            "count_trades_by_cond.sql",
            #"""
            SELECT cond, count(*) AS n FROM trades GROUP BY cond ORDER BY n DESC, cond NULLS FIRST;
            """#
        ),
        (
            "daily_ett.sql",
            #"""
            SELECT time_bucket(INTERVAL '1 day', ts) AS bucket, count(*) AS n, avg(ot) AS avg_ot, stddev_samp(ot) AS sd_ot, min(hufl) AS min_hufl, max(hufl) AS max_hufl, sum(mull) AS sum_mull FROM ett GROUP BY bucket ORDER BY bucket;
            """#
        ),
        (
            "daily_fraud_by_scenario.sql",
            #"""
            SELECT time_bucket(INTERVAL '1 day', ts) AS bucket, scenario, count(*) AS n, sum(amount) AS sum_amount FROM fraud GROUP BY bucket, scenario ORDER BY bucket, scenario;
            """#
        ),
        (
            "daily_quakes.sql",
            #"""
            SELECT time_bucket(INTERVAL '1 day', ts) AS bucket, count(*) AS n, count(mag) AS n_mag, avg(mag) AS avg_mag, max(mag) AS max_mag, count(nst) AS n_nst, avg(depth) AS avg_depth FROM quakes GROUP BY bucket ORDER BY bucket;
            """#
        ),
        (
            "duplicates_by_table.sql",
            #"""
            SELECT 'fraud' AS table_name, count(*) AS n_rows, count(*) - count(DISTINCT ts) AS n_repeated_ts FROM fraud
            UNION ALL
            SELECT 'trades' AS table_name, count(*) AS n_rows, count(*) - count(DISTINCT ts) AS n_repeated_ts FROM trades
            UNION ALL
            SELECT 'quotes' AS table_name, count(*) AS n_rows, count(*) - count(DISTINCT ts) AS n_repeated_ts FROM quotes
            UNION ALL
            SELECT 'quakes' AS table_name, count(*) AS n_rows, count(*) - count(DISTINCT ts) AS n_repeated_ts FROM quakes
            ORDER BY table_name;
            """#
        ),
        (
            "ecg_1s.pg.sql",
            #"""
            SELECT t_ns / 1000000000 AS second, count(*) AS n, min(mlii) AS min, max(mlii) AS max, avg(CAST(mlii AS DOUBLE PRECISION)) AS avg FROM ecg GROUP BY second ORDER BY second;
            """#
        ),
        (
            "ecg_1s.sql",
            #"""
            SELECT t_ns // 1000000000 AS second, count(*) AS n, min(mlii) AS min, max(mlii) AS max, avg(CAST(mlii AS DOUBLE PRECISION)) AS avg FROM ecg GROUP BY second ORDER BY second;
            """#
        ),
        (
            "ewm_like_frames_ecg.sql",
            #"""
            SELECT t_ns, mlii, avg9, med_span, lead5, diff FROM (
              SELECT t_ns, mlii, avg(CAST(mlii AS DOUBLE PRECISION)) OVER w AS avg9, max(mlii) OVER w - min(mlii) OVER w AS med_span, lead(mlii, 5) OVER (ORDER BY t_ns) AS lead5, mlii - first_value(mlii) OVER w AS diff, line
              FROM ecg WINDOW w AS (ORDER BY t_ns ROWS BETWEEN 4 PRECEDING AND 4 FOLLOWING)) x WHERE line % 5000 = 0 ORDER BY t_ns;
            """#
        ),
        (
            "fraud_features_published.sql",
            #"""
            -- The CSV beside this file was NOT produced by this query: it holds the features the data's publishers computed themselves
            -- (Fraud-Detection-Handbook/simulated-data-transformed), for every 97th transaction, under their own names; this query reproduces every value, see README.
            -- Windows are (t - w, t]: the left edge is open, hence one second less than the day count; terminal windows are delayed by 7 days.
            SELECT tx_id, CASE WHEN extract(isodow FROM ts) >= 6 THEN 1 ELSE 0 END AS tx_during_weekend, CASE WHEN extract(hour FROM ts) <= 6 THEN 1 ELSE 0 END AS tx_during_night,
              c1 AS customer_id_nb_tx_1day_window, c7 AS customer_id_nb_tx_7day_window, c30 AS customer_id_nb_tx_30day_window,
              s1 / c1 AS customer_id_avg_amount_1day_window, s7 / c7 AS customer_id_avg_amount_7day_window, s30 / c30 AS customer_id_avg_amount_30day_window,
              n8 - n7 AS terminal_id_nb_tx_1day_window, n14 - n7 AS terminal_id_nb_tx_7day_window, n37 - n7 AS terminal_id_nb_tx_30day_window,
              CASE WHEN n8 = n7 THEN 0.0 ELSE CAST(f8 - f7 AS DOUBLE PRECISION) / (n8 - n7) END AS terminal_id_risk_1day_window,
              CASE WHEN n14 = n7 THEN 0.0 ELSE CAST(f14 - f7 AS DOUBLE PRECISION) / (n14 - n7) END AS terminal_id_risk_7day_window,
              CASE WHEN n37 = n7 THEN 0.0 ELSE CAST(f37 - f7 AS DOUBLE PRECISION) / (n37 - n7) END AS terminal_id_risk_30day_window
            FROM (SELECT tx_id, ts, count(*) OVER c1 AS c1, sum(amount) OVER c1 AS s1, count(*) OVER c7 AS c7, sum(amount) OVER c7 AS s7, count(*) OVER c30 AS c30, sum(amount) OVER c30 AS s30,
              count(*) OVER t7 AS n7, sum(fraud) OVER t7 AS f7, count(*) OVER t8 AS n8, sum(fraud) OVER t8 AS f8, count(*) OVER t14 AS n14, sum(fraud) OVER t14 AS f14, count(*) OVER t37 AS n37, sum(fraud) OVER t37 AS f37
              FROM fraud WINDOW c1 AS (PARTITION BY customer_id ORDER BY ts RANGE BETWEEN INTERVAL '86399 seconds' PRECEDING AND CURRENT ROW),
                c7 AS (PARTITION BY customer_id ORDER BY ts RANGE BETWEEN INTERVAL '604799 seconds' PRECEDING AND CURRENT ROW),
                c30 AS (PARTITION BY customer_id ORDER BY ts RANGE BETWEEN INTERVAL '2591999 seconds' PRECEDING AND CURRENT ROW),
                t7 AS (PARTITION BY terminal_id ORDER BY ts RANGE BETWEEN INTERVAL '604799 seconds' PRECEDING AND CURRENT ROW),
                t8 AS (PARTITION BY terminal_id ORDER BY ts RANGE BETWEEN INTERVAL '691199 seconds' PRECEDING AND CURRENT ROW),
                t14 AS (PARTITION BY terminal_id ORDER BY ts RANGE BETWEEN INTERVAL '1209599 seconds' PRECEDING AND CURRENT ROW),
                t37 AS (PARTITION BY terminal_id ORDER BY ts RANGE BETWEEN INTERVAL '3196799 seconds' PRECEDING AND CURRENT ROW)) x
            WHERE tx_id % 97 = 0 ORDER BY tx_id;
            """#
        ),
        (
            "gapfill_1h_ambient.pg.sql",
            #"""
            WITH b AS (SELECT time_bucket(INTERVAL '1 hour', ts) AS bucket, avg(value) AS avg FROM nab WHERE series = 'ambient_temperature_system_failure' GROUP BY bucket),
            g AS (SELECT generate_series((SELECT min(bucket) FROM b), (SELECT max(bucket) FROM b), INTERVAL '1 hour') AS bucket),
            j AS (SELECT g.bucket, b.avg, count(b.avg) OVER (ORDER BY g.bucket) AS grp, count(b.avg) OVER (ORDER BY g.bucket DESC) AS grp_next FROM g LEFT JOIN b ON g.bucket = b.bucket),
            k AS (SELECT bucket, avg, first_value(avg) OVER (PARTITION BY grp ORDER BY bucket) AS locf, first_value(bucket) OVER (PARTITION BY grp ORDER BY bucket) AS t0, first_value(avg) OVER (PARTITION BY grp_next ORDER BY bucket DESC) AS nxt, first_value(bucket) OVER (PARTITION BY grp_next ORDER BY bucket DESC) AS t1 FROM j)
            SELECT bucket, avg, locf, CASE WHEN avg IS NOT NULL THEN avg ELSE locf + (nxt - locf) * CAST(extract(epoch FROM bucket) - extract(epoch FROM t0) AS DOUBLE PRECISION) / CAST(extract(epoch FROM t1) - extract(epoch FROM t0) AS DOUBLE PRECISION) END AS interpolate FROM k ORDER BY bucket;
            """#
        ),
        (
            "gapfill_1h_ambient.sql",
            #"""
            WITH b AS (SELECT time_bucket(INTERVAL '1 hour', ts) AS bucket, avg(value) AS avg FROM nab WHERE series = 'ambient_temperature_system_failure' GROUP BY bucket),
            g AS (SELECT unnest(generate_series((SELECT min(bucket) FROM b), (SELECT max(bucket) FROM b), INTERVAL '1 hour')) AS bucket),
            j AS (SELECT g.bucket, b.avg, count(b.avg) OVER (ORDER BY g.bucket) AS grp, count(b.avg) OVER (ORDER BY g.bucket DESC) AS grp_next FROM g LEFT JOIN b ON g.bucket = b.bucket),
            k AS (SELECT bucket, avg, first_value(avg) OVER (PARTITION BY grp ORDER BY bucket) AS locf, first_value(bucket) OVER (PARTITION BY grp ORDER BY bucket) AS t0, first_value(avg) OVER (PARTITION BY grp_next ORDER BY bucket DESC) AS nxt, first_value(bucket) OVER (PARTITION BY grp_next ORDER BY bucket DESC) AS t1 FROM j)
            SELECT bucket, avg, locf, CASE WHEN avg IS NOT NULL THEN avg ELSE locf + (nxt - locf) * (extract(epoch FROM bucket) - extract(epoch FROM t0)) / (extract(epoch FROM t1) - extract(epoch FROM t0)) END AS interpolate FROM k ORDER BY bucket;
            """#
        ),
        (
            "having_top_customers.sql",
            #"""
            SELECT customer_id, count(*) AS n, sum(amount) AS total, avg(amount) AS avg, max(ts) AS last_ts FROM fraud GROUP BY customer_id HAVING sum(fraud) >= 5 ORDER BY total DESC, customer_id LIMIT 100;
            """#
        ),
        (
            "hourly_edits_by_channel.sql",
            #"""
            SELECT time_bucket(INTERVAL '1 hour', ts) AS bucket, channel, count(*) AS n, sum(added) AS added, sum(deleted) AS deleted, sum(delta) AS delta, count(DISTINCT editor) AS editors FROM edits GROUP BY bucket, channel ORDER BY bucket, channel;
            """#
        ),
        (
            "hourly_fraud.sql",
            #"""
            SELECT time_bucket(INTERVAL '1 hour', ts) AS bucket, count(*) AS n, count(DISTINCT customer_id) AS customers, count(DISTINCT terminal_id) AS terminals, sum(amount) AS sum_amount, avg(amount) AS avg_amount, stddev_samp(amount) AS sd_amount, max(amount) AS max_amount, sum(fraud) AS frauds FROM fraud GROUP BY bucket ORDER BY bucket;
            """#
        ),
        (
            "hourly_icu.sql",
            #"""
            SELECT time_bucket(INTERVAL '1 hour', ts) AS bucket, parameter, count(*) AS n, count(DISTINCT patient_id) AS patients, avg(value) AS avg, min(value) AS min, max(value) AS max, stddev_samp(value) AS sd FROM icu WHERE parameter IN ('HR','Temp','SysABP','NISysABP','RespRate','SaO2') AND value <> -1 GROUP BY bucket, parameter ORDER BY bucket, parameter;
            """#
        ),
        (
            "hourly_icu_hr_by_patient.sql",
            #"""
            SELECT patient_id, time_bucket(INTERVAL '1 hour', ts) AS bucket, count(*) AS n, avg(value) AS avg_hr, min(value) AS min_hr, max(value) AS max_hr FROM icu WHERE parameter = 'HR' AND patient_id < 132700 GROUP BY patient_id, bucket ORDER BY patient_id, bucket;
            """#
        ),
        (
            "hourly_nab.sql",
            #"""
            SELECT series, time_bucket(INTERVAL '1 hour', ts) AS bucket, count(*) AS n, avg(value) AS avg, min(value) AS min, max(value) AS max,
              (array_agg(value ORDER BY ts, line))[1] AS first, (array_agg(value ORDER BY ts DESC, line DESC))[1] AS last
            FROM nab WHERE series IN ('nyc_taxi','speed_7578','ambient_temperature_system_failure') GROUP BY series, bucket ORDER BY series, bucket;
            """#
        ),
        (
            "join_icu_outcomes.sql",
            #"""
            SELECT o.in_hospital_death, i.parameter, count(*) AS n, avg(i.value) AS avg FROM icu i JOIN icu_outcomes o ON i.patient_id = o.patient_id WHERE i.value <> -1 GROUP BY o.in_hospital_death, i.parameter ORDER BY o.in_hospital_death, i.parameter;
            """#
        ),
        (
            "lateness_quakes.sql",
            #"""
            SELECT count(*) AS n, sum(CASE WHEN late > INTERVAL '0 seconds' THEN 1 ELSE 0 END) AS behind_watermark, sum(CASE WHEN late > INTERVAL '1 hour' THEN 1 ELSE 0 END) AS later_than_1h, sum(CASE WHEN late > INTERVAL '1 day' THEN 1 ELSE 0 END) AS later_than_1d, max(CAST(extract(epoch FROM late) AS DOUBLE PRECISION)) AS max_late_seconds FROM (
              SELECT max(ts) OVER (ORDER BY updated, id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - ts AS late FROM quakes) x;
            """#
        ),
        (
            "latest_hr_per_patient.sql",
            #"""
            SELECT patient_id, ts, value FROM (SELECT *, row_number() OVER (PARTITION BY patient_id ORDER BY ts DESC, line DESC) AS rn FROM icu WHERE parameter = 'HR') x WHERE rn = 1 ORDER BY patient_id;
            """#
        ),
        (
            "latest_trade_per_exchange.sql",
            #"""
            SELECT exchange, ts, price, size FROM (SELECT *, row_number() OVER (PARTITION BY exchange ORDER BY ts DESC, line DESC) AS rn FROM trades) x WHERE rn = 1 ORDER BY exchange;
            """#
        ),
        (
            "numerics_10min.pg.sql",
            #"""
            SELECT minute / 10 AS ten_minutes, count(*) AS n, avg(hr) AS avg_hr, min(nullif(spo2, 0)) AS min_spo2, count(nbpsys) AS n_nbp, avg(nbpsys) AS avg_nbpsys FROM numerics GROUP BY ten_minutes ORDER BY ten_minutes;
            """#
        ),
        (
            "numerics_10min.sql",
            #"""
            SELECT minute // 10 AS ten_minutes, count(*) AS n, avg(hr) AS avg_hr, min(nullif(spo2, 0)) AS min_spo2, count(nbpsys) AS n_nbp, avg(nbpsys) AS avg_nbpsys FROM numerics GROUP BY ten_minutes ORDER BY ten_minutes;
            """#
        ),
        (
            "ohlc_1min_trades.sql",
            #"""
            SELECT symbol, time_bucket(INTERVAL '1 minute', ts) AS bucket, count(*) AS n, (array_agg(price ORDER BY ts, line))[1] AS open, max(price) AS high, min(price) AS low, (array_agg(price ORDER BY ts DESC, line DESC))[1] AS close, sum(size) AS volume, sum(price * size) / sum(size) AS vwap
            FROM trades GROUP BY symbol, bucket ORDER BY symbol, bucket;
            """#
        ),
        (
            "profile_ecg.sql",
            #"""
            SELECT 't_ns' AS column_name, count(*) AS n_rows, count(t_ns) AS n_not_null, count(DISTINCT t_ns) AS n_distinct, CAST(min(t_ns) AS DOUBLE PRECISION) AS min, CAST(max(t_ns) AS DOUBLE PRECISION) AS max, sum(CAST(t_ns AS DOUBLE PRECISION)) AS sum, avg(CAST(t_ns AS DOUBLE PRECISION)) AS avg, stddev_samp(CAST(t_ns AS DOUBLE PRECISION)) AS stddev_samp FROM ecg
            UNION ALL
            SELECT 'mlii' AS column_name, count(*) AS n_rows, count(mlii) AS n_not_null, count(DISTINCT mlii) AS n_distinct, CAST(min(mlii) AS DOUBLE PRECISION) AS min, CAST(max(mlii) AS DOUBLE PRECISION) AS max, sum(CAST(mlii AS DOUBLE PRECISION)) AS sum, avg(CAST(mlii AS DOUBLE PRECISION)) AS avg, stddev_samp(CAST(mlii AS DOUBLE PRECISION)) AS stddev_samp FROM ecg
            UNION ALL
            SELECT 'v5' AS column_name, count(*) AS n_rows, count(v5) AS n_not_null, count(DISTINCT v5) AS n_distinct, CAST(min(v5) AS DOUBLE PRECISION) AS min, CAST(max(v5) AS DOUBLE PRECISION) AS max, sum(CAST(v5 AS DOUBLE PRECISION)) AS sum, avg(CAST(v5 AS DOUBLE PRECISION)) AS avg, stddev_samp(CAST(v5 AS DOUBLE PRECISION)) AS stddev_samp FROM ecg
            ORDER BY column_name;
            """#
        ),
        (
            "profile_nab.sql",
            #"""
            SELECT series, count(*) AS n_rows, count(DISTINCT ts) AS n_distinct_ts, min(ts) AS first_ts, max(ts) AS last_ts, min(value) AS min, max(value) AS max, sum(value) AS sum, avg(value) AS avg, stddev_samp(value) AS stddev_samp, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median, percentile_cont(0.99) WITHIN GROUP (ORDER BY value) AS p99
            FROM nab GROUP BY series ORDER BY series;
            """#
        ),
        (
            "quantiles_fraud_amount.sql",
            #"""
            SELECT fraud, count(*) AS n, percentile_cont(0.01) WITHIN GROUP (ORDER BY amount) AS p01, percentile_cont(0.25) WITHIN GROUP (ORDER BY amount) AS p25, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS p5, percentile_cont(0.75) WITHIN GROUP (ORDER BY amount) AS p75, percentile_cont(0.95) WITHIN GROUP (ORDER BY amount) AS p95, percentile_cont(0.99) WITHIN GROUP (ORDER BY amount) AS p99, percentile_cont(0.999) WITHIN GROUP (ORDER BY amount) AS p999 FROM fraud GROUP BY fraud ORDER BY fraud;
            """#
        ),
        (
            "rolling_5min_trades.sql",
            #"""
            SELECT line, ts, price, n, avg_5min, min_5min, max_5min, sum_size FROM (
              SELECT line, ts, price, count(*) OVER w AS n, avg(price) OVER w AS avg_5min, min(price) OVER w AS min_5min, max(price) OVER w AS max_5min, sum(size) OVER w AS sum_size
              FROM trades WINDOW w AS (PARTITION BY symbol ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW)) x
            WHERE line % 200 = 0 ORDER BY line;
            """#
        ),
        (
            "rolling_fraud_customer.sql",
            #"""
            SELECT tx_id, ts, customer_id, amount, n_1d, avg_1d, n_7d, avg_7d, n_30d, avg_30d FROM (
              SELECT tx_id, ts, customer_id, amount,
                count(*) OVER d1 AS n_1d, avg(amount) OVER d1 AS avg_1d, count(*) OVER d7 AS n_7d, avg(amount) OVER d7 AS avg_7d, count(*) OVER d30 AS n_30d, avg(amount) OVER d30 AS avg_30d
              FROM fraud WINDOW
                d1 AS (PARTITION BY customer_id ORDER BY ts RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW),
                d7 AS (PARTITION BY customer_id ORDER BY ts RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW),
                d30 AS (PARTITION BY customer_id ORDER BY ts RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW)) x
            WHERE tx_id % 499 = 0 ORDER BY tx_id;
            """#
        ),
        (
            "rolling_fraud_terminal_risk.sql",
            #"""
            SELECT tx_id, ts, terminal_id, n_late, n_fraud_late, CASE WHEN n_late = 0 THEN 0.0 ELSE CAST(n_fraud_late AS DOUBLE PRECISION) / n_late END AS risk_7d FROM (
              SELECT tx_id, ts, terminal_id, count(*) OVER w AS n_late, coalesce(sum(fraud) OVER w, 0) AS n_fraud_late
              FROM fraud WINDOW w AS (PARTITION BY terminal_id ORDER BY ts RANGE BETWEEN INTERVAL '14 days' PRECEDING AND INTERVAL '7 days' PRECEDING)) x
            WHERE tx_id % 499 = 0 ORDER BY tx_id;
            """#
        ),
        (
            "rolling_nab_1h.sql",
            #"""
            SELECT series, line, ts, value, n, avg_1h, sd_1h, prev, delta FROM (
              SELECT series, line, ts, value, count(*) OVER w AS n, avg(value) OVER w AS avg_1h, stddev_samp(value) OVER w AS sd_1h, lag(value) OVER r AS prev, value - lag(value) OVER r AS delta
              FROM nab WINDOW w AS (PARTITION BY series ORDER BY ts RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW), r AS (PARTITION BY series ORDER BY ts, line)) x
            WHERE line % 97 = 0 ORDER BY series, line;
            """#
        ),
        (
            "rolling_rows_ett.sql",
            #"""
            SELECT line, ts, ot, avg_24, min_24, max_24, rank_day, ntile4 FROM (
              SELECT line, ts, ot, avg(ot) OVER w AS avg_24, min(ot) OVER w AS min_24, max(ot) OVER w AS max_24, rank() OVER (PARTITION BY time_bucket(INTERVAL '1 day', ts) ORDER BY ot DESC, ts) AS rank_day, ntile(4) OVER (ORDER BY ot, ts) AS ntile4
              FROM ett WINDOW w AS (ORDER BY ts ROWS BETWEEN 23 PRECEDING AND CURRENT ROW)) x
            WHERE line % 50 = 0 ORDER BY line;
            """#
        ),
        (
            "sessions_30min_edits_digest.sql",
            #"""
            WITH m AS (SELECT line, ts, editor, CASE WHEN lag(ts) OVER (PARTITION BY editor ORDER BY ts, line) IS NULL OR ts - lag(ts) OVER (PARTITION BY editor ORDER BY ts, line) > INTERVAL '30 minutes' THEN 1 ELSE 0 END AS is_new FROM edits),
            s AS (SELECT line, ts, editor, sum(is_new) OVER (PARTITION BY editor ORDER BY ts, line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session_no FROM m),
            a AS (SELECT editor, session_no, count(*) AS events, min(ts) AS start_ts, max(ts) AS end_ts FROM s GROUP BY editor, session_no)
            SELECT count(*) AS sessions, count(DISTINCT editor) AS keys, sum(events) AS events, max(events) AS max_events, max(session_no) AS max_sessions_of_a_key, avg(CAST(extract(epoch FROM end_ts) - extract(epoch FROM start_ts) AS DOUBLE PRECISION)) AS avg_seconds FROM a;
            """#
        ),
        (
            "sessions_30min_edits_longest.sql",
            #"""
            WITH m AS (SELECT line, ts, editor, CASE WHEN lag(ts) OVER (PARTITION BY editor ORDER BY ts, line) IS NULL OR ts - lag(ts) OVER (PARTITION BY editor ORDER BY ts, line) > INTERVAL '30 minutes' THEN 1 ELSE 0 END AS is_new FROM edits),
            s AS (SELECT line, ts, editor, sum(is_new) OVER (PARTITION BY editor ORDER BY ts, line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session_no FROM m),
            a AS (SELECT editor, session_no, count(*) AS events, min(ts) AS start_ts, max(ts) AS end_ts FROM s GROUP BY editor, session_no)
            SELECT editor, session_no, events, start_ts, end_ts FROM a ORDER BY events DESC, editor, session_no LIMIT 200;
            """#
        ),
        (
            "spread_5min_quotes.sql",
            #"""
            SELECT exchange, time_bucket(INTERVAL '5 minutes', ts) AS bucket, count(*) AS n, avg(ask - bid) AS avg_spread, min(bid) AS min_bid, max(ask) AS max_ask FROM quotes WHERE bid > 0 AND ask > 0 GROUP BY exchange, bucket ORDER BY exchange, bucket;
            """#
        ),
        (
            "weather_daily_new_york.sql",
            #"""
            -- PostgreSQL only: needs time-zone rules
            SELECT origin, date_trunc('day', ts AT TIME ZONE 'UTC', 'America/New_York') AT TIME ZONE 'UTC' AS bucket_utc, count(*) AS n, avg(temp) AS avg_temp FROM weather GROUP BY origin, bucket_utc ORDER BY origin, bucket_utc;
            """#
        ),
        (
            "weather_daily_utc.sql",
            #"""
            SELECT origin, time_bucket(INTERVAL '1 day', ts) AS bucket, count(*) AS n, count(wind_gust) AS n_gust, avg(temp) AS avg_temp, max(wind_gust) AS max_gust, sum(precip) AS precip FROM weather GROUP BY origin, bucket ORDER BY origin, bucket;
            """#
        ),
    ]
}
