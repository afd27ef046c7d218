SELECT parameter, count(*) AS n FROM icu GROUP BY parameter ORDER BY n DESC, parameter NULLS FIRST
