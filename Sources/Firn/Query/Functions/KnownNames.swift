// SPDX-License-Identifier: Apache-2.0
//
// Names that PostgreSQL, TimescaleDB or pgvector know and Firn does not have yet: whoever uses one hears so, and what to
// use meanwhile, while a misspelt name stays error 42883 with the nearest one.

/// Functions, operators and types of the systems whose SQL Firn speaks.
enum KnownNames {
    /// Error 0A000 for a function that is known elsewhere; nil for a name that nobody knows, or that Firn has.
    static func missingFunction(_ name: String, position: Int) -> FirnError? {
        guard let group = groups.first(where: { $0.names.contains(name) }) else { return nil }
        return FirnError(
            .featureNotSupported, "\(group.kind) \(name) is not supported yet", hint: hints[name] ?? group.hint,
            position: position)
    }

    /// Error 0A000 for an operator that is known elsewhere.
    static func missingOperator(_ symbol: String, position: Int) -> FirnError? {
        guard let group = operators.first(where: { $0.names.contains(symbol) }) else { return nil }
        return FirnError(
            .featureNotSupported, "operator \(symbol) is not supported yet", hint: group.hint, position: position)
    }

    /// Error 0A000 for an operator that is there, but not for these types: PostgreSQL takes a literal beside JSONB for
    /// JSONB, and does not join texts.
    static func missingOperator(_ symbol: String, _ left: DataType, _ right: DataType, position: Int) -> FirnError? {
        let jsonHint = "JSONB is stored and compared as a whole; cast it to text to join texts."
        switch (symbol, left, right) {
        case ("||", .jsonb, .jsonb), ("||", .jsonb, .unknown), ("||", .unknown, .jsonb), ("-", .jsonb, .text),
            ("-", .jsonb, .character), ("-", .jsonb, .unknown), ("-", .jsonb, .integer), ("-", .jsonb, .smallint):
            return FirnError(
                .featureNotSupported, "operator \(symbol) of jsonb is not supported yet", hint: jsonHint,
                position: position)
        case ("~~", .bytea, .bytea), ("~~", .bytea, .unknown), ("~~", .unknown, .bytea):
            return FirnError(
                .featureNotSupported, "LIKE of bytea is not supported yet", hint: "Compare whole values.",
                position: position)
        default: return nil
        }
    }

    /// Error 0A000 for a function that is there, but not for these types.
    static func missingOverload(_ name: String, _ types: [DataType], position: Int) -> FirnError? {
        let hint: String
        switch (name, types.count) {
        case ("to_char", 2) where types[0].isNumber: hint = "Use round(x, digits)::text."
        case ("to_char", 2) where types[0] == .interval: hint = "Use extract, or a cast to text."
        case ("to_timestamp", 2): hint = "Cast text in ISO 8601 form to timestamptz."
        case ("substring", 2...3) where types.allSatisfy({ [.text, .character, .unknown].contains($0) }):
            // A pattern: PostgreSQL prefers it where literals may be either.
            hint = "Use LIKE, split_part, strpos or substring(text FROM integer FOR integer)."
        case ("generate_series", _): hint = "It stands in FROM: SELECT … FROM generate_series(1, 10) AS g."
        default: return nil
        }
        let shown = types.map(\.familyName).joined(separator: ", ")
        return FirnError(
            .featureNotSupported, "function \(name)(\(shown)) is not supported yet", hint: hint, position: position)
    }

    /// Error 0A000 for a type that is known elsewhere.
    static func missingType(_ name: String, position: Int) -> FirnError? {
        guard let hint = types[name] else { return nil }
        return FirnError(
            .featureNotSupported, "type \(name) is not supported", hint: hint.isEmpty ? nil : hint, position: position)
    }

    private struct Group {
        let kind: String
        let names: Set<String>
        let hint: String?

        init(_ kind: String, _ names: String, hint: String? = nil) {
            self.kind = kind
            self.names = Set(names.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init))
            self.hint = hint
        }
    }

    private static let hints = [
        "md5": "Let the program compute it, and store it as text or bytea.",
        "drop_chunks": "Make a table anew with the rows to keep: CREATE TABLE, INSERT … SELECT, DROP TABLE.",
        "pg_sleep": "Let the program wait.",
        "array_agg": "Read the rows in order, and gather them in the program.",
        "string_agg": "Read the rows in order, and gather them in the program.",
        "stddev_sample": "Use stddev.",
        "approx_percentile": "Use min, max, avg and stddev.",
        "time_bucket_gapfill": "Use time_bucket, and fill gaps in the program.",
        "locf": "Use time_bucket and last(value, time).",
        "any_value": "Use min, or first(value, time).",
        "date_diff": "Use extract(epoch FROM b - a).",
        "datediff": "Use extract(epoch FROM b - a).",
        "ifnull": "Use coalesce.",
        "unnest": "Use VALUES, one row a value.",
    ]

    private static let groups: [Group] = [
        Group(
            "window function",
            """
            row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
            """, hint: "Use first(value, time), last(value, time) and GROUP BY, or number rows in the program."),
        Group(
            "function",
            """
            regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_count
            regexp_instr regexp_like regexp_substr
            """, hint: "Use LIKE, split_part, replace, strpos or substring."),
        Group(
            "aggregate",
            """
            array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg xmlagg bit_and bit_or bit_xor
            corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx
            regr_sxy regr_syy mode percentile_cont percentile_disc any_value range_agg grouping
            approx_count_distinct approx_percentile median quantile histogram counter_agg time_weight stats_agg
            percentile_agg uddsketch tdigest hyperloglog candlestick_agg rollup delta rate stddev_sample
            """,
            hint: "The aggregates are: count, sum, avg, min, max, stddev, variance, first, last, bool_and, bool_or."),
        Group(
            "function",
            """
            to_json to_jsonb json_build_object jsonb_build_object json_build_array jsonb_build_array json_object
            jsonb_object row_to_json json_array_length jsonb_array_length json_array_elements jsonb_array_elements
            json_array_elements_text jsonb_array_elements_text json_each jsonb_each json_each_text jsonb_each_text
            json_object_keys jsonb_object_keys json_extract_path jsonb_extract_path json_extract_path_text
            jsonb_extract_path_text json_populate_record jsonb_populate_record json_populate_recordset
            jsonb_populate_recordset json_to_record jsonb_to_record json_to_recordset jsonb_to_recordset
            json_strip_nulls jsonb_strip_nulls jsonb_set jsonb_set_lax jsonb_insert jsonb_pretty json_typeof
            jsonb_typeof jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array
            jsonb_path_query_first json_valid
            """, hint: "JSONB is stored and compared as a whole; keep what queries need in columns of its own."),
        Group(
            "function",
            """
            array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
            array_positions array_prepend array_remove array_replace array_to_string array_upper cardinality
            string_to_array string_to_table trim_array unnest generate_subscripts
            """, hint: "There are no arrays: use one row a value, or vector(n)."),
        Group(
            "function",
            """
            l2_distance cosine_distance inner_product l1_distance hamming_distance jaccard_distance vector_dims
            vector_norm l2_normalize subvector binary_quantize
            """, hint: "Vectors are stored and read; let the program compute distances."),
        Group(
            "function",
            """
            drop_chunks add_retention_policy remove_retention_policy add_compression_policy
            remove_compression_policy add_columnstore_policy remove_columnstore_policy
            add_continuous_aggregate_policy remove_continuous_aggregate_policy refresh_continuous_aggregate
            add_reorder_policy remove_reorder_policy reorder_chunk move_chunk merge_chunks split_chunk
            recompress_chunk convert_to_columnstore convert_to_rowstore add_dimension by_hash add_job alter_job
            delete_job run_job set_integer_now_func set_number_partitions set_adaptive_chunking attach_tablespace
            detach_tablespace detach_tablespaces show_tablespaces hypertable_size hypertable_detailed_size
            hypertable_index_size hypertable_approximate_size chunks_detailed_size chunk_compression_stats
            hypertable_compression_stats approximate_row_count time_bucket_gapfill locf interpolate
            enable_chunk_skipping disable_chunk_skipping attach_chunk detach_chunk timescaledb_information
            show_policies add_policies remove_policies alter_policies create_chunk
            """,
            hint:
                "See docs/sql.md for what there is: create_hypertable, set_chunk_time_interval, show_chunks, compress_chunk, decompress_chunk."
        ),
        Group(
            "function",
            """
            md5 sha224 sha256 sha384 sha512 digest hmac crypt gen_salt encode decode convert convert_from convert_to
            format quote_ident quote_literal quote_nullable to_number to_ascii to_hex translate ascii chr unistr
            normalize is_normalized parse_ident bit_count get_bit get_byte set_bit set_byte crc32 crc32c casefold
            soundex levenshtein similarity word_similarity unaccent to_tsvector to_tsquery plainto_tsquery
            phraseto_tsquery websearch_to_tsquery ts_rank ts_headline concat_ws reverse left right repeat lpad rpad
            starts_with split_part string_split
            """),
        Group(
            "function",
            """
            sin cos tan cot asin acos atan atan2 sind cosd tand cotd asind acosd atand atan2d sinh cosh tanh asinh
            acosh atanh gcd lcm factorial width_bucket random_normal setseed scale min_scale trim_scale erf erfc
            log10 cbrt
            """),
        Group(
            "function",
            """
            age make_date make_time make_timestamp make_timestamptz make_interval justify_days justify_hours
            justify_interval isfinite timeofday statement_timestamp transaction_timestamp clock_timestamp to_date
            to_timestamp pg_sleep pg_sleep_for pg_sleep_until date_part date_diff datediff strftime epoch_ms
            date_add date_subtract overlaps
            """),
        Group(
            "function",
            """
            current_setting set_config pg_size_pretty pg_column_size pg_relation_size pg_total_relation_size
            pg_table_size pg_indexes_size pg_database_size pg_backend_pid pg_cancel_backend pg_terminate_backend
            pg_advisory_lock pg_advisory_unlock pg_get_viewdef pg_get_indexdef pg_get_constraintdef pg_is_in_recovery
            current_database current_schemas current_query inet_client_addr has_table_privilege obj_description
            col_description to_regclass to_regtype txid_current nextval currval setval lastval generate_uuid
            uuid_generate_v4 uuidv7 gen_random_bytes pg_input_is_valid ifnull nvl iif if num_nulls num_nonnulls
            pg_typeof pg_ls_dir pg_read_file lo_import lo_export dblink crosstab read_csv read_csv_auto read_parquet
            """),
    ]

    private static let operators: [(names: Set<String>, hint: String?)] = [
        (["~", "~*", "!~", "!~*"], "use LIKE or ILIKE"),
        (
            ["->", "->>", "#>", "#>>", "?", "?|", "?&", "#-", "@?", "@@", "@>", "<@"],
            "JSONB is stored and compared as a whole; keep what queries need in columns of its own."
        ),
        (["<->", "<=>", "<#>", "<+>"], "Vectors are stored and read; let the program compute distances."),
        (["^@"], "Use starts_with or LIKE."),
        (["&&"], nil),
        (["&", "|", "#", "<<", ">>", "~"], "Use arithmetic: div, mod and power of two."),
        (["|/", "||/", "//"], "Use sqrt, cbrt or div."),
    ]

    /// Types, each with what to use.
    private static let types: [String: String] = {
        var types: [String: String] = [:]
        func add(_ names: String, _ hint: String = "") {
            for name in names.split(separator: " ") { types[String(name)] = hint }
        }
        add("inet cidr macaddr macaddr8 xml hstore ltree citext tsvector tsquery jsonpath pg_lsn regclass", "use text")
        add("money", "use numeric")
        add("bit varbit", "use bytea, or a column of boolean each")
        add("serial bigserial smallserial serial4 serial8 serial2", "use bigint, and let the program number its rows")
        add("oid xid cid tid", "use bigint")
        add("point line lseg box path polygon circle geometry geography", "use two columns of double precision")
        add("int4range int8range numrange tsrange tstzrange daterange", "use two columns, from and to")
        add(
            "int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange",
            "use a row a range")
        add("halfvec sparsevec", "use vector(n)")
        add("record anyelement void")
        add("hugeint uhugeint", "use numeric")
        add("tinyint utinyint usmallint", "use smallint or integer")
        add("uinteger ubigint", "use bigint or numeric")
        add("blob", "use bytea")
        add("datetime", "use timestamp or timestamptz")
        return types
    }()
}
