CREATE TABLE edits (ts TIMESTAMPTZ NOT NULL, editor TEXT, channel TEXT NOT NULL, namespace TEXT, country TEXT, is_anonymous BOOLEAN, is_minor BOOLEAN, is_new BOOLEAN, is_robot BOOLEAN, is_unpatrolled BOOLEAN, delta BIGINT, added BIGINT, deleted BIGINT);
CREATE TABLE quakes (ts TIMESTAMPTZ, latitude DOUBLE PRECISION, longitude DOUBLE PRECISION, depth DOUBLE PRECISION, mag DOUBLE PRECISION, mag_type TEXT, nst BIGINT, gap DOUBLE PRECISION, dmin DOUBLE PRECISION, rms DOUBLE PRECISION, net TEXT, id TEXT, updated TIMESTAMPTZ, place TEXT, kind TEXT, horizontal_error DOUBLE PRECISION, depth_error DOUBLE PRECISION, mag_error DOUBLE PRECISION, mag_nst BIGINT, status TEXT, location_source TEXT, mag_source TEXT);
CREATE TABLE icu (ts TIMESTAMPTZ NOT NULL, patient_id BIGINT NOT NULL, parameter TEXT NOT NULL, value DOUBLE PRECISION);
CREATE TABLE weather (origin TEXT NOT NULL, year BIGINT, month BIGINT, day BIGINT, hour BIGINT, temp DOUBLE PRECISION, dewp DOUBLE PRECISION, humid DOUBLE PRECISION, wind_dir BIGINT, wind_speed DOUBLE PRECISION, wind_gust DOUBLE PRECISION, precip NUMERIC, pressure DOUBLE PRECISION, visib DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL);
CREATE TABLE ecg (t_ns BIGINT, mlii BIGINT, v5 BIGINT);
CREATE TABLE beats (t_ns BIGINT, sample BIGINT, symbol TEXT, rhythm TEXT);
CREATE TABLE machine (ts TIMESTAMP NOT NULL, value NUMERIC(20,12));
