SELECT time_bucket(INTERVAL '2 hours', ts) AS bucket, avg(value) AS mean, stddev(value) AS sd, sum(value) AS total, max(value) - min(value) AS spread FROM machine GROUP BY bucket ORDER BY bucket
