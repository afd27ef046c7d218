SELECT namespace, count(*) AS n FROM edits GROUP BY namespace ORDER BY n DESC, namespace NULLS FIRST
