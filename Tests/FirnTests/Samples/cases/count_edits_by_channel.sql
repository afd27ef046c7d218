SELECT channel, count(*) AS n FROM edits GROUP BY channel ORDER BY n DESC, channel NULLS FIRST
