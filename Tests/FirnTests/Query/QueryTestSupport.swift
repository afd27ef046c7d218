// SPDX-License-Identifier: Apache-2.0
//
// What the tests of binding and evaluation share: a catalogue in memory, a context, and text in and out.

import FirnIO
import FirnSyntax

@testable import Firn

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// Tables that the binder may know; their rows are not asked for.
struct FakeCatalogue: DatabaseSnapshot {
    var tables: [TableSchema] = []
    var lsn: LSN { .zero }

    init(_ tables: [TableSchema] = []) { self.tables = tables }

    func table(named name: String) -> TableSchema? { tables.first { $0.name == name } }

    func rows(of table: TableID) throws(FirnError) -> any TableSnapshot {
        throw FirnError(.featureNotSupported, "a fake catalogue has no rows")
    }
}

extension TableSchema {
    /// A table for tests; ids are counted from 1.
    static func testTable(_ name: String, _ columns: KeyValuePairs<String, DataType>) -> TableSchema {
        let definitions = columns.enumerated().map { index, column in
            Firn.ColumnDefinition(id: ColumnID(UInt64(index + 1)), name: column.key, type: column.value)
        }
        return TableSchema(
            id: TableID(1), name: name, columns: definitions, nextColumnID: ColumnID(UInt64(columns.count + 1)))
    }
}

enum TestZones {
    /// The machine's zone files.
    static let database = TimeZoneDatabase { path in
        guard let bytes = TestFiles.read(path) else { throw FirnError(.undefinedFile, "no such zone") }
        return bytes
    }
}

enum TestFiles {
    /// The bytes of a file, or nil.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
    }

    /// The lines of a file of Samples/Query, without empty ones.
    static func sampleLines(_ name: String) -> [String] {
        let folder = "\(#filePath)".split(separator: "/").dropLast(2).joined(separator: "/")
        guard let bytes = read("/\(folder)/Samples/Query/\(name)") else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

extension EvaluationContext {
    /// UTC, or the zone of that name; 2024-06-01 12:00:00 UTC; a seeded source of chance.
    static func test(zone: String = "UTC") -> EvaluationContext {
        let rules: TimeZoneRules
        do {
            rules = try TestZones.database.zone(named: zone)
        } catch {
            preconditionFailure("the machine has no zone \(zone)")
        }
        return EvaluationContext(
            timeZone: rules, timeZones: TestZones.database, statementMicroseconds: 1_717_243_200_000_000,
            random: SeededRandomSource(seed: 1), cancellation: CancellationFlag())
    }
}

extension ColumnBatch {
    /// Every row as text, NULL as `\N`.
    func texts(zone: TimeZoneRules = .utc) -> [[String]] {
        let writers = columns.map { ValueText(type: $0.type, zone: zone) }
        return (0..<rowCount).map { row in
            columns.indices.map { columns[$0].isNull(row) ? "\\N" : writers[$0].text(of: columns[$0][row]) }
        }
    }
}

/// What came of a statement: `!CODE message` for errors.
func outcome(_ body: () throws -> String) -> String {
    do {
        return try body()
    } catch let error as FirnError {
        return "!\(error.code) \(error.message)"
    } catch let error as SyntaxError {
        return "!\(error.code) \(error.message)"
    } catch {
        return "!\(error)"
    }
}

/// The seed of property tests: FIRN_SEED replays one.
enum QuerySeed {
    static let current: UInt64 = {
        if let text = getenv("FIRN_SEED"), let seed = UInt64(String(cString: text)) { return seed }
        return SystemRandomSource().next()
    }()
}
