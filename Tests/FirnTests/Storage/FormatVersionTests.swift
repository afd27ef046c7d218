// SPDX-License-Identifier: Apache-2.0
//
// Databases of older format versions: read as they are, and brought to this build's version by an opening for writing.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct FormatVersionTests {
    /// A golden database in memory, as a build of its version left it.
    private static func golden(_ name: String) throws -> EngineWorld {
        let world = EngineWorld()
        let disk = POSIXFileSystem()
        let root = FilePath(#filePath).removingLastComponent().appending("../../Golden/\(name)")
        func copy(_ folder: FilePath, to target: FilePath) throws {
            try world.fileSystem.createDirectories(target)
            for entry in try disk.list(folder) {
                if entry.kind == .directory {
                    try copy(folder.appending(entry.component), to: target.appending(entry.component))
                } else {
                    let bytes = try disk.open(folder.appending(entry.component), .readOnly).readAll()
                    try world.fileSystem.open(target.appending(entry.component), .createNew).write(bytes, at: 0)
                }
            }
        }
        try copy(root, to: "/db")
        for name in ["wal", "data"] { try world.fileSystem.createDirectories(FilePath("/db").appending(name)) }
        return world
    }

    private static func version(_ name: String, _ world: EngineWorld) throws -> [UInt8] {
        try world.fileSystem.open(FilePath("/db/\(name)"), .readOnly).read(byteCount: 2, at: 8)
    }

    /// The rows of every table as text, in which a NaN is like another, in an order of their own: a flush sorts them.
    private static func everyRow(_ engine: StorageEngine) throws -> [String: [String]] {
        let snapshot = try engine.snapshot()
        var rows: [String: [String]] = [:]
        for table in snapshot.tables {
            rows[table.name] = try snapshot.rows(of: table.id).all().map { "\($0)" }.sorted()
        }
        return rows
    }

    /// The manifest, CURRENT and the log are of the new version after the first opening; segments keep theirs, which
    /// their readers know; the rows, those of the old log too, are the same before and after.
    @Test(arguments: ["v1/closed", "v1/killed", "v1/compressed"])
    func anOpeningForWritingBringsAnOldDatabaseToThisVersion(name: String) throws {
        let world = try Self.golden(name)
        world.options.access = .readOnly
        let reader = try world.open()
        let before = try Self.everyRow(reader)
        try reader.close()
        let segments = try world.fileSystem.list("/db/data").map(\.name)
        #expect(try Self.version("CURRENT", world) == [1, 0])
        #expect(!before.isEmpty && before.values.contains { !$0.isEmpty })

        world.options.access = .readWrite
        for _ in 0..<2 {
            let engine = try world.open()
            #expect(try Self.everyRow(engine) == before)
            try world.kill(engine)
        }
        let engine = try world.open()
        #expect(try Self.everyRow(engine) == before)
        try engine.close()
        #expect(try Self.version("CURRENT", world) == [2, 0])
        let manifest = try #require(try world.fileSystem.list("/db").first { $0.name.hasPrefix("manifest-") }?.name)
        #expect(try Self.version(manifest, world) == [2, 0])
        for segment in segments where try world.fileSystem.status(FilePath("/db/data/\(segment)")) != nil {
            #expect(try Self.version("data/\(segment)", world) == [1, 0])
        }
        #expect(try DatabaseCheck.run("/db", fileSystem: world.fileSystem).damages.isEmpty)
    }

    /// Until CURRENT is moved, an upgrade that is cut short leaves the old database as it was.
    @Test func anUpgradeThatIsCutShortIsBegunAnew() throws {
        let world = try Self.golden("v1/killed")
        let old = try world.fileSystem.open("/db/CURRENT", .readOnly).readAll()
        let engine = try world.open()
        let rows = try Self.everyRow(engine)
        try world.kill(engine)
        // As if the rename had not come: the old CURRENT, beside a manifest and a log of the new version.
        let again = try Self.golden("v1/killed")
        for file in ["manifest-2", "manifest-3", "manifest-4", "manifest-5", "wal/2.wal", "wal/3.wal", "wal/4.wal"] {
            let path = FilePath("/db/\(file)")
            guard try again.fileSystem.status(path) == nil, try world.fileSystem.status(path) != nil else { continue }
            let bytes = try world.fileSystem.open(path, .readOnly).readAll()
            try again.fileSystem.open(path, .createNew).write(bytes, at: 0)
        }
        #expect(try again.fileSystem.open("/db/CURRENT", .readOnly).readAll() == old)
        #expect(try Self.everyRow(try again.open()) == rows)
    }

    @Test func aTypeModifierComesBackAndOneOfAnotherTypeIsRefused() throws {
        let fields: [IntervalFields] = [.all, .year, .dayToSecond, .minuteToSecond]
        var columns: [(DataType, TypeModifier)] = fields.map { (.interval, .interval($0, fractionalDigits: 3)) }
        columns += [
            (.text, .length(10_485_760)), (.character, .length(1)), (.timestamp(.microseconds), .fractionalDigits(0)),
            (.timestamptz(.nanoseconds), .fractionalDigits(7)), (.interval, .interval(.year, fractionalDigits: nil)),
        ]
        for (type, modifier) in columns {
            var output = ByteWriter()
            Optional(modifier).encode(into: &output)
            let bytes = output.bytes
            let found = try bytes.reading { (reader) throws(FormatError) in
                try TypeModifier?.decode(from: &reader, of: type)
            }
            #expect(found == modifier)
            #expect(throws: FormatError.self) {
                try bytes.reading { (reader) throws(FormatError) in
                    _ = try TypeModifier?.decode(from: &reader, of: .bigint)
                }
            }
        }
    }
}
