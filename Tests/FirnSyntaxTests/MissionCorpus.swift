// SPDX-License-Identifier: Apache-2.0
//
// The scripts that the engine was built to run, as printed.

enum MissionCorpus {
    static let scripts: [(name: String, sql: String)] = [
        (
            "mission 1",
            #"""
            -- Real-time feature store with Kafka integration
            CREATE TABLE real_time_features (
                feature_id UUID PRIMARY KEY,
                entity_id TEXT NOT NULL,
                feature_name TEXT NOT NULL,
                feature_value NUMERIC,
                timestamp TIMESTAMPTZ NOT NULL,
                source_system TEXT,
                processing_window INTERVAL DEFAULT '5 minutes'
            );

            -- Materialized view for aggregated features
            CREATE MATERIALIZED VIEW feature_aggregates AS
            SELECT
                entity_id,
                feature_name,
                AVG(feature_value) as avg_value,
                STDDEV(feature_value) as stddev_value,
                COUNT(*) as count,
                MAX(timestamp) as last_updated
            FROM real_time_features
            WHERE timestamp > NOW() - INTERVAL '1 hour'
            GROUP BY entity_id, feature_name;

            -- Refresh materialized view incrementally
            CREATE OR REPLACE FUNCTION refresh_feature_aggregates()
            RETURNS VOID AS $$
            BEGIN
                REFRESH MATERIALIZED VIEW CONCURRENTLY feature_aggregates;
            END;
            $$ LANGUAGE plpgsql;

            -- Kafka consumer pattern for real-time ingestion
            -- Using Debezium for CDC or custom Kafka consumer
            CREATE OR REPLACE FUNCTION kafka_to_features()
            RETURNS TRIGGER AS $$
            DECLARE
                message RECORD;
            BEGIN
                -- Process Kafka messages in batches
                FOR message IN SELECT * FROM kafka_messages WHERE processed = false LIMIT 1000
                LOOP
                    INSERT INTO real_time_features (
                        feature_id, entity_id, feature_name, feature_value, timestamp, source_system
                    ) VALUES (
                        gen_random_uuid(),
                        message.entity_id,
                        message.feature_name,
                        message.feature_value,
                        message.timestamp,
                        message.source_system
                    );

                    UPDATE kafka_messages SET processed = true WHERE id = message.id;
                END LOOP;

                RETURN NEW;
            END;
            $$ LANGUAGE plpgsql;
            """#
        ),
        (
            "mission 2",
            #"""
            -- Real-time feature engineering with window functions
            CREATE OR REPLACE FUNCTION calculate_real_time_features()
            RETURNS TABLE (
                entity_id TEXT,
                feature_name TEXT,
                feature_value NUMERIC,
                window_start TIMESTAMPTZ,
                window_end TIMESTAMPTZ
            ) AS $$
            BEGIN
                RETURN QUERY
                SELECT
                    entity_id,
                    'rolling_avg_5min' as feature_name,
                    AVG(feature_value) OVER (
                        PARTITION BY entity_id
                        ORDER BY timestamp
                        RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW
                    ) as feature_value,
                    MIN(timestamp) OVER (
                        PARTITION BY entity_id
                        ORDER BY timestamp
                        RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW
                    ) as window_start,
                    MAX(timestamp) OVER (
                        PARTITION BY entity_id
                        ORDER BY timestamp
                        RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW
                    ) as window_end
                FROM real_time_features
                WHERE timestamp > NOW() - INTERVAL '10 minutes';
            END;
            $$ LANGUAGE plpgsql;
            """#
        ),
        (
            "mission 3",
            #"""
            -- TimescaleDB hypertable optimization
            CREATE TABLE sensor_readings (
                time TIMESTAMPTZ NOT NULL,
                sensor_id TEXT NOT NULL,
                value NUMERIC,
                metadata JSONB
            );

            SELECT create_hypertable('sensor_readings', 'time',
                                    chunk_time_interval => INTERVAL '1 hour');

            -- Create continuous aggregates for real-time analytics
            CREATE MATERIALIZED VIEW sensor_stats_5min
            WITH (timescaledb.continuous) AS
            SELECT
                time_bucket('5 minutes', time) as bucket,
                sensor_id,
                AVG(value) as avg_value,
                STDDEV(value) as stddev_value,
                COUNT(*) as count
            FROM sensor_readings
            GROUP BY bucket, sensor_id;
            """#
        ),
    ]
}
