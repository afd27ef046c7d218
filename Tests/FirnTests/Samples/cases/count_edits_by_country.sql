SELECT country, count(*) AS n FROM edits GROUP BY country ORDER BY n DESC, country NULLS FIRST
