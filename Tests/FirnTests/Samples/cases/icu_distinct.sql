SELECT DISTINCT patient_id % 7 AS rest, parameter FROM icu WHERE value BETWEEN 30 AND 40 ORDER BY rest DESC, parameter
