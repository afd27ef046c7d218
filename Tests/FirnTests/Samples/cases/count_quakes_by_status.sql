SELECT status, count(*) AS n FROM quakes GROUP BY status ORDER BY n DESC, status NULLS FIRST
