// SPDX-License-Identifier: Apache-2.0
//
// COPY packs files named .gz and .zst, and unpacks whatever is packed.

import Firn
import FirnIO
import SystemPackage
import Testing

struct CompressedCopyTests {
    @Test(arguments: [
        ("/x.csv.gz", [0x1F, 0x8B] as [UInt8]), ("/x.csv.ZST", [0x28, 0xB5, 0x2F, 0xFD]), ("/x.csv", Array("1\n".utf8)),
    ])
    func aFileIsWrittenAsItsNameSays(name: String, start: [UInt8]) async throws {
        let files = MemoryFileSystem()
        var options = DatabaseOptions()
        options.externalFileSystem = files
        let database = try Database.inMemory(options: options)
        let count = 300_000
        let copy = "COPY (SELECT x FROM generate_series(1, \(count)) x) TO '\(name)' WITH (FORMAT csv)"
        #expect(try await database.execute(copy) == "COPY \(count)")
        let bytes = try files.open(FilePath(name), .readOnly).readAll()
        #expect(bytes.starts(with: start))
        #expect((bytes.count < 1_000_000) == (name != "/x.csv"))
        try await database.execute("CREATE TABLE t (x bigint)")
        // What a file is, its bytes say.
        try files.rename(FilePath(name), to: FilePath("/y"))
        #expect(try await database.execute("COPY t FROM '/y' WITH (FORMAT csv)") == "COPY \(count)")
        let sum = try await database.query("SELECT sum(x)::bigint FROM t").collect()[0].columns[0][0]
        #expect(sum == .integer(Int64(count * (count + 1) / 2)))
    }

    @Test func zerosBehindGzipAreNoData() async throws {
        let files = MemoryFileSystem()
        var options = DatabaseOptions()
        options.externalFileSystem = files
        let database = try Database.inMemory(options: options)
        try await database.execute("COPY (SELECT x FROM generate_series(1, 5) x) TO '/x.csv.gz'")
        try await database.execute("CREATE TABLE t (x bigint)")
        let file = try files.open(FilePath("/x.csv.gz"), .readWrite)
        let byteCount = try file.byteCount()
        try file.write([UInt8](repeating: 0, count: 700_000), at: byteCount)
        #expect(try await database.execute("COPY t FROM '/x.csv.gz' WITH (FORMAT csv)") == "COPY 5")
        try file.write([7], at: byteCount + 700_000)
        do {
            try await database.execute("COPY t FROM '/x.csv.gz' WITH (FORMAT csv)")
            Issue.record("what stands behind the padding was ignored")
        } catch let error as FirnError {
            #expect(error.code == .badCopyFileFormat)
        }
    }
}
