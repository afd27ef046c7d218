SELECT kind, count(*) AS n FROM quakes GROUP BY kind ORDER BY n DESC, kind NULLS FIRST
