SELECT origin, count(*) AS n FROM weather GROUP BY origin ORDER BY n DESC, origin NULLS FIRST
