SELECT mag_type, count(*) AS n FROM quakes GROUP BY mag_type ORDER BY n DESC, mag_type NULLS FIRST
