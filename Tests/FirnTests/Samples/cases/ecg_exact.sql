SELECT sum(t_ns * mlii) AS s, avg(v5) AS a, stddev(mlii) AS d, variance(v5) AS v, min(t_ns::numeric / 7) AS q, max(mod(t_ns, 1000)) AS m FROM ecg
