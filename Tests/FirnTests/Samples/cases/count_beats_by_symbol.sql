SELECT symbol, count(*) AS n FROM beats GROUP BY symbol ORDER BY n DESC, symbol NULLS FIRST
