// SPDX-License-Identifier: Apache-2.0
//
// Chunks in SQL: show_chunks, compress_chunk and decompress_chunk in TimescaleDB's words, and the views that show what
// they did.

import Firn
import FirnIO
import Synchronization
import SystemPackage
import Testing

@Suite("Chunks in SQL")
struct ChunkSQLTests {
    /// 4 weeks of readings of 5 sensors, a row each 10 minutes, in chunks of 7 days from a Thursday on.
    private func readings() async throws -> Database {
        var options = DatabaseOptions()
        // Rows stay in memory until the test says otherwise, however long the machine takes.
        options.storage.flushAgeSeconds = nil
        let database = try Database.inMemory(options: options)
        try await database.execute(
            "CREATE TABLE readings (time timestamptz NOT NULL, sensor text NOT NULL, value float8)")
        try await database.execute(
            """
            INSERT INTO readings SELECT t, 'sensor-' || (extract(epoch FROM t) / 600)::bigint % 5,
                (extract(epoch FROM t) / 600)::bigint % 1000 / 8.0
            FROM generate_series(timestamptz '2024-01-04', timestamptz '2024-01-31 23:50', interval '10 minutes') t
            """)
        return database
    }

    private func rows(_ database: Database, _ sql: String) async throws -> [[String]] {
        try await RealDataTests.table(try await database.query(sql)).rows
    }

    private func failure(_ database: Database, _ sql: String) async -> FirnError? {
        do {
            _ = try await rows(database, sql)
            return nil
        } catch {
            return error as? FirnError
        }
    }

    @Test func chunksAreShownBeforeTheyAreFlushedAndKeepTheirNames() async throws {
        let database = try await readings()
        let names = try await rows(database, "SELECT show_chunks('readings')").map { $0[0] }
        #expect(names == (1...4).map { "_timescaledb_internal._hyper_1_\($0)_chunk" })
        try await database.execute("CHECKPOINT")
        #expect(try await rows(database, "SELECT c FROM show_chunks('public.readings') c").map { $0[0] } == names)
        #expect(try await rows(database, "SELECT * FROM show_chunks('readings')").map { $0[0] } == names)
        let old = "show_chunks('readings', older_than => timestamptz '2024-01-18')"
        #expect(try await rows(database, "SELECT * FROM \(old)").map { $0[0] } == Array(names[..<2]))
        let new = "show_chunks('readings', newer_than => '2024-01-18'::timestamptz)"
        #expect(try await rows(database, "SELECT * FROM \(new) x").map { $0[0] } == Array(names[2...]))
        #expect(try await rows(database, "SELECT * FROM show_chunks('readings', INTERVAL '1 day')").count == 4)
        #expect(
            try await rows(database, "SELECT * FROM show_chunks('readings', newer_than => '1 day'::interval)") == [])
    }

    @Test func everyWayOfCompressingChunksGivesTheSameAnswers() async throws {
        for call in [
            "SELECT compress_chunk(c) FROM show_chunks('readings') c",
            "SELECT compress_chunk(show_chunks('readings'))",
            "SELECT compress_chunk(c, if_not_compressed => false) AS done FROM show_chunks('readings') AS c ORDER BY 1",
        ] {
            let database = try await readings()
            let question = """
                SELECT sensor, date_trunc('week', time), count(*), min(value), max(value), last(value, time), sum(value)
                FROM readings GROUP BY 1, 2 ORDER BY 1, 2
                """
            let before = try await rows(database, question)
            #expect(before.count > 20)
            let done = try await rows(database, call).map { $0[0] }
            #expect(done == (1...4).map { "_timescaledb_internal._hyper_1_\($0)_chunk" }, "\(call)")
            #expect(try await rows(database, question) == before, "\(call)")
            let profiles = "SELECT profile, count(*), sum(row_count) FROM firn_segments GROUP BY 1"
            #expect(try await rows(database, profiles) == [["cold", "4", "4032"]], "\(call)")
            // Later rows are warm beside them, until they are compressed too.
            try await database.execute("INSERT INTO readings VALUES ('2024-01-20', 'sensor-9', 1)")
            try await database.execute("CHECKPOINT")
            #expect(
                try await rows(database, profiles + " ORDER BY 1") == [["cold", "4", "4032"], ["warm", "1", "1"]])
            _ = try await rows(database, "SELECT compress_chunk('_hyper_1_3_chunk')")
            #expect(try await rows(database, profiles) == [["cold", "4", "4033"]])
            _ = try await rows(database, "SELECT decompress_chunk(c) FROM show_chunks('readings') c")
            #expect(try await rows(database, profiles) == [["warm", "4", "4033"]])
        }
    }

    @Test func whatIsDoneAlreadyIsANoticeOrAnError() async throws {
        let database = try await readings()
        let notices = Mutex<[String]>([])
        var environment = StatementEnvironment()
        environment.notice = { notice in notices.withLock { $0.append(notice.message) } }
        func run(_ sql: String) async throws {
            guard case .rows(let result) = try database.session().runBlocking(sql, environment: environment) else {
                return
            }
            for try await _ in result {}
        }
        try await run("SELECT compress_chunk('_timescaledb_internal._hyper_1_1_chunk')")
        #expect(notices.withLock { $0 } == [])
        try await run("SELECT compress_chunk('_hyper_1_1_chunk')")
        try await run("SELECT decompress_chunk('_hyper_1_2_chunk', if_compressed => true)")
        #expect(
            notices.withLock { $0 } == [
                "chunk \"_hyper_1_1_chunk\" is already compressed", "chunk \"_hyper_1_2_chunk\" is not compressed",
            ])
        #expect(await failure(database, "SELECT compress_chunk('_hyper_1_1_chunk', false)")?.code == .duplicateObject)
        #expect(
            await failure(database, "SELECT decompress_chunk('_hyper_1_2_chunk', if_compressed => false)")?.code
                == .duplicateObject)
        for name in [
            "_hyper_1_99_chunk", "_hyper_9_1_chunk", "nonsense", "public._hyper_1_1_chunk", "_hyper_01_1_chunk",
        ] {
            #expect(await failure(database, "SELECT compress_chunk('\(name)')")?.code == .undefinedTable, "\(name)")
        }
        #expect(await failure(database, "SELECT * FROM show_chunks('nothing')")?.code == .undefinedTable)
        #expect(try await rows(database, "SELECT compress_chunk(NULL)") == [[""]])
    }

    @Test func aDatabaseOpenedForReadingRefuses() async throws {
        let files = MemoryFileSystem()
        var options = DatabaseOptions()
        options.fileSystem = files
        let writable = try Database.openBlocking(at: "/db", options: options)
        try await writable.execute("CREATE TABLE t (time timestamptz NOT NULL, v int)")
        try await writable.execute("INSERT INTO t VALUES ('2024-01-01', 1)")
        try await writable.close()
        options.storage.access = .readOnly
        let database = try Database.openBlocking(at: "/db", options: options)
        let chunk = try #require(try await rows(database, "SELECT show_chunks('t')").first?[0])
        #expect(await failure(database, "SELECT compress_chunk('\(chunk)')")?.code == .readOnlyTransaction)
        #expect(try await rows(database, "SELECT count(*) FROM firn_segments") == [["1"]])
        try await database.close()
    }

    @Test func theViewsShowWhatSegmentsHoldAndCost() async throws {
        let database = try await readings()
        try await database.execute("CREATE TABLE labels (id uuid NOT NULL, label text)")
        try await database.execute(
            "INSERT INTO labels VALUES ('00000000-0000-0000-0000-000000000001', 'x'), ('00000000-0000-0000-0000-000000000002', NULL)"
        )
        #expect(try await rows(database, "SELECT * FROM firn_segments") == [])
        try await database.execute("CHECKPOINT")
        let segments = """
            SELECT table_name, chunk_name, range_start, range_end, row_count, profile, sort_order, min_time
            FROM firn_segments WHERE row_count < 1000 OR min_time < '2024-01-05' ORDER BY table_name
            """
        let foundSegments = try await rows(database, segments)
        #expect(
            foundSegments == [
                ["labels", "_timescaledb_internal._hyper_2_5_chunk", "", "", "2", "warm", "", ""],
                [
                    "readings", "_timescaledb_internal._hyper_1_1_chunk", "2024-01-04 00:00:00+00",
                    "2024-01-11 00:00:00+00", "1008", "warm", "sensor, time", "2024-01-04 00:00:00+00",
                ],
            ])
        let columns = """
            SELECT column_name, max(type), sum(row_count), sum(null_count), sum(bytes_raw), max(dictionary_entries)
            FROM firn_columns GROUP BY 1 ORDER BY 1
            """
        let foundColumns = try await rows(database, columns)
        #expect(
            foundColumns == [
                ["id", "uuid", "2", "0", "32", ""], ["label", "text", "2", "1", "9", "1"],
                ["sensor", "text", "4032", "0", "16288", "5"],
                ["time", "timestamp with time zone", "4032", "0", "32256", ""],
                ["value", "double precision", "4032", "0", "32256", ""],
            ])
        // The columns' bytes are those of their segments.
        let sums = try await rows(database, "SELECT sum(bytes_raw) FROM firn_segments")
        #expect(try await rows(database, "SELECT sum(bytes_raw) FROM firn_columns") == sums)
        let stored = try await rows(
            database,
            "SELECT count(*) FROM firn_columns WHERE bytes_stored > 0 AND bits_per_value > 0 AND encodings <> ''")
        #expect(stored == [["14"]])
        let plan = try await rows(database, "EXPLAIN SELECT profile FROM firn_segments")
        #expect(plan.contains { $0[0].contains("System View Scan on firn_segments") })
        // A table of that name hides the view.
        try await database.execute("CREATE TABLE firn_segments (a int)")
        #expect(try await rows(database, "SELECT * FROM firn_segments") == [])
        #expect(await failure(database, "SELECT row_count FROM firn_segments")?.code == .undefinedColumn)
    }
}
