SELECT t_ns / 1000000000 AS second, count(*) AS n, min(mlii) AS min, max(mlii) AS max, avg(CAST(mlii AS DOUBLE PRECISION)) AS avg FROM ecg GROUP BY second ORDER BY second
