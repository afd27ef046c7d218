SELECT net, count(*) AS n FROM quakes GROUP BY net ORDER BY n DESC, net NULLS FIRST
