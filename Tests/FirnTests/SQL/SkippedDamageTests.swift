// SPDX-License-Identifier: Apache-2.0
//
// A statement that needs a damaged range fails and names it; SET skip_damaged = on answers without, and says so.

import Firn
import FirnIO
import Synchronization
import SystemPackage
import Testing

struct SkippedDamageTests {
    /// A database of two chunks with 3 and 2 rows, in which the first chunk's first page is damaged.
    private func damaged() async throws -> Database {
        var options = DatabaseOptions()
        let files = MemoryFileSystem()
        options.fileSystem = files
        options.externalFileSystem = files
        var database = try await Database.open(at: "/db", options: options)
        try await database.execute(
            "CREATE TABLE t (time timestamptz NOT NULL, x integer NOT NULL, PRIMARY KEY (time, x))")
        try await database.execute(
            """
            INSERT INTO t VALUES ('2024-01-01', 1), ('2024-01-01 00:01', 2), ('2024-01-01 00:02', 3),
            ('2024-03-01', 4), ('2024-03-02', 5)
            """)
        try await database.execute("CHECKPOINT")
        let place = try await database.query(
            "SELECT file_id, byte_offset FROM firn_segments WHERE table_name = 't' ORDER BY min_time LIMIT 1"
        ).collect()[0]
        guard case .integer(let fileID) = place.columns[0][0], case .integer(let offset) = place.columns[1][0] else {
            throw FirnError(.dataCorrupted, "no segment")
        }
        try await database.close()
        let file = try files.open(FilePath("/db/data/\(fileID).seg"), .readWrite)
        let byte = try file.read(byteCount: 1, at: offset + 2)
        try file.write([byte[0] ^ 0x55], at: offset + 2)
        try file.close()
        database = try await Database.open(at: "/db", options: options)
        return database
    }

    @Test func damageIsAnErrorUnlessItIsToBeSkipped() async throws {
        let database = try await damaged()
        let session = database.session()
        do {
            _ = try await session.query("SELECT time, x FROM t").collect()
            Issue.record("damage was read over")
        } catch let error as FirnError {
            #expect(error.code == .dataCorrupted)
            #expect(error.message.contains(".seg at offset"))
        }
        // What does not need the range is answered.
        #expect(try await session.query("SELECT x, time FROM t WHERE time > '2024-02-01'").collect()[0].rowCount == 2)

        try await session.execute("SET skip_damaged = on")
        let result = try await session.query("SELECT x, time FROM t ORDER BY x")
        #expect(try await result.collect().map(\.rowCount) == [2])
        let skipped = try #require(result.skippedRanges.first)
        #expect(skipped.table == "t" && skipped.damage.contains(".seg at offset"))

        let intact = try await session.query("SELECT x, time FROM t WHERE time > '2024-02-01'")
        #expect(try await intact.collect()[0].rowCount == 2)
        #expect(intact.skippedRanges.isEmpty)

        try await session.execute("SET skip_damaged = off")
        await #expect(throws: FirnError.self) { _ = try await session.query("SELECT time, x FROM t").collect() }
        try await database.close()
    }

    @Test func copyAndInsertSkipWithANotice() async throws {
        let database = try await damaged()
        let session = database.session()
        let heard = NoticeBox()
        var environment = StatementEnvironment()
        environment.notice = { heard.add($0.message) }
        func run(_ sql: String) throws -> String {
            guard case .command(let tag) = try session.runBlocking(sql, environment: environment) else { return "" }
            return tag
        }
        _ = try run("SET skip_damaged = on")
        #expect(try run("COPY t TO '/t.csv'") == "COPY 2")
        #expect(heard.count == 1)
        _ = try run("CREATE TABLE u (time timestamptz NOT NULL, x integer)")
        #expect(try run("INSERT INTO u SELECT time, x FROM t") == "INSERT 0 2")
        #expect(heard.count == 2)
        // A rewrite never skips.
        await #expect(throws: FirnError.self) {
            _ = try await session.query("SELECT compress_chunk(c) FROM show_chunks('t') c").collect()
        }
        try await database.close()
    }
}

private final class NoticeBox: Sendable {
    private let messages = Mutex<[String]>([])
    func add(_ message: String) { messages.withLock { $0.append(message) } }
    var count: Int { messages.withLock { $0.count } }
}
