-- The tables of `make demo`: real data as its publishers print it (Examples/data/SOURCES.md), and card payments.
CREATE TABLE taxi (time TIMESTAMPTZ NOT NULL, value BIGINT);
CREATE TABLE machine (time TIMESTAMPTZ NOT NULL, value DOUBLE PRECISION);
CREATE TABLE weather (
    origin TEXT NOT NULL, year SMALLINT, month SMALLINT, day SMALLINT, hour SMALLINT,
    temp DOUBLE PRECISION, dewp DOUBLE PRECISION, humid DOUBLE PRECISION, wind_dir SMALLINT,
    wind_speed DOUBLE PRECISION, wind_gust DOUBLE PRECISION, precip DOUBLE PRECISION, pressure DOUBLE PRECISION,
    visib DOUBLE PRECISION, time TIMESTAMPTZ NOT NULL);
CREATE TABLE quakes (
    time TIMESTAMPTZ NOT NULL, latitude DOUBLE PRECISION, longitude DOUBLE PRECISION, depth DOUBLE PRECISION,
    mag DOUBLE PRECISION, mag_type TEXT, nst INTEGER, gap DOUBLE PRECISION, dmin DOUBLE PRECISION,
    rms DOUBLE PRECISION, net TEXT, id TEXT, updated TIMESTAMPTZ, place TEXT, type TEXT,
    horizontal_error DOUBLE PRECISION, depth_error DOUBLE PRECISION, mag_error DOUBLE PRECISION, mag_nst INTEGER,
    status TEXT, location_source TEXT, mag_source TEXT);
CREATE TABLE vitals (time TIMESTAMPTZ NOT NULL, patient_id BIGINT NOT NULL, parameter TEXT NOT NULL, value DOUBLE PRECISION);
CREATE TABLE payments (
    time TIMESTAMPTZ NOT NULL, card_id TEXT NOT NULL, terminal_id INTEGER NOT NULL, amount NUMERIC(10,2), is_fraud BOOLEAN);
SELECT create_hypertable('payments', 'time', chunk_time_interval => INTERVAL '1 day');
