// SPDX-License-Identifier: Apache-2.0
//
// What the fuzzer starts from: small, valid inputs of every target, made by the engine's own writers.
//
// They are the same at every run. `make fuzz-seeds` writes them to fuzz/corpus.

import FirnIO
import SystemPackage

@testable import Firn

enum FuzzSeeds {
    /// Named inputs; the target accepts each.
    static func inputs(of target: String) throws -> [(name: String, bytes: [UInt8])] {
        switch target {
        case "page": pages()
        case "column": columns()
        case "segment": try segments()
        case "manifest": [("records", try ManifestCodecTests.manifest(edits: 2).bytes)]
        case "log": try logs()
        case "rows": rows()
        case "current":
            [
                (
                    "current",
                    CurrentFile(
                        database: DatabaseID(7), manifest: ManifestProof(number: 9, byteCount: 1_000, checksum: 5)
                    ).bytes
                )
            ]
        case "folder": [("closed", try folder(isClosed: true)), ("killed", try folder(isClosed: false))]
        case "csv": csv.map { ($0.name, $0.selector + $0.text.utf8) }
        case "sql": sql.enumerated().map { ("statement-\($0)", Array($1.utf8)) }
        default: []
        }
    }

    // MARK: Pages

    /// The smallest page for each kind with each scheme, compression and first encoding that the encoders choose.
    private static func pages() -> [(String, [UInt8])] {
        var smallest: [String: [UInt8]] = [:]
        for profile in StorageProfile.allCases {
            for count in [40, 300, 1_100] {
                for chunk in chunks(profile, count) {
                    for page in chunk.pages {
                        guard let decoder = try? PageDecoder(copying: page.bytes) else { continue }
                        let encoding = decoder.encoding(ofVector: 0).map { "-\($0)" } ?? ""
                        let nulls = decoder.validity.isAllValid ? "" : "-nulls"
                        let name = "\(chunk.kind)-\(page.scheme)-\(page.compression)\(encoding)\(nulls)"
                        if page.bytes.count < smallest[name]?.count ?? 6_000 { smallest[name] = page.bytes }
                    }
                }
            }
        }
        return smallest.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func chunks(_ profile: StorageProfile, _ count: Int) -> [EncodedColumnChunk] {
        var random = CodecRandom(seed: 3)
        let encoder = ColumnChunkEncoder(profile: profile)
        var chunks: [EncodedColumnChunk] = []
        for (_, values) in SampleColumns.integers(count: count, &random) {
            values.withUnsafeBufferPointer { chunks.append(encoder.encode(int64: $0)) }
            let codes = values.map { UInt32(truncatingIfNeeded: $0 & 0xFFFF) }
            codes.withUnsafeBufferPointer { chunks.append(encoder.encode(codes: $0)) }
            let wide = values.map { Int128($0) << 3 }
            wide.withUnsafeBufferPointer { chunks.append(encoder.encode(int128: $0)) }
            let identifiers = values.map { UInt128(UInt64(bitPattern: $0)) << 64 | UInt128(random.next()) }
            identifiers.withUnsafeBufferPointer { chunks.append(encoder.encode(uuid: $0)) }
            chunks.append(intervals(values, encoder))
            chunks.append(strings(values.map { "sensor-\($0 % 1_000)" }, encoder))
            chunks.append(strings(values.map { "\($0)" }, encoder))
        }
        for (_, values) in SampleColumns.doubles(count: count, &random) {
            values.withUnsafeBufferPointer { chunks.append(encoder.encode(double: $0)) }
            let floats = values.map { Float($0) }
            floats.withUnsafeBufferPointer { chunks.append(encoder.encode(float: $0)) }
            let vectors = floats[..<(floats.count / 4 * 4)]
            vectors.withUnsafeBufferPointer { chunks.append(encoder.encode(floatVectors: $0, dimensionCount: 4)) }
        }
        for share in [0.0, 0.01, 0.5, 1.0] {
            let words = SampleColumns.validity(count: count, nullShare: share, &random)
            words.withUnsafeBufferPointer { words in
                let bits = BitmapView(words: words.baseAddress!, count: count)
                chunks.append(encoder.encode(bool: bits))
                let values = (0..<count).map { Int64($0 % 50) }
                values.withUnsafeBufferPointer { chunks.append(encoder.encode(int64: $0, validity: bits)) }
            }
        }
        return chunks
    }

    private static func intervals(_ values: [Int64], _ encoder: ColumnChunkEncoder) -> EncodedColumnChunk {
        let months = values.map { Int32(truncatingIfNeeded: $0 & 15) }
        return months.withUnsafeBufferPointer { months in
            values.withUnsafeBufferPointer { values in
                encoder.encode(intervalMonths: months, days: months, microseconds: values)
            }
        }
    }

    private static func strings(_ strings: [String], _ encoder: ColumnChunkEncoder) -> EncodedColumnChunk {
        var bytes: [UInt8] = []
        var offsets: [UInt32] = [0]
        for string in strings {
            bytes += string.utf8
            offsets.append(UInt32(bytes.count))
        }
        return bytes.withUnsafeBytes { bytes in
            offsets.withUnsafeBufferPointer { offsets in
                encoder.encode(bytes: ByteStringsView(offsets: offsets, bytes: bytes))
            }
        }
    }

    // MARK: Columns

    private static func columns() -> [(String, [UInt8])] {
        var random = CodecRandom(seed: 8)
        var inputs: [(String, [UInt8])] = []
        for (number, kind) in PhysicalKind.allCases.enumerated() {
            for profile in [0, 1, 3] as [UInt8] {
                var bytes = [UInt8(number), profile, UInt8(number * 20), 0x77]
                for index in 0..<24 {
                    let value: UInt64 =
                        switch kind {
                        case .double: (Double(random.below(10_000)) / 100).bitPattern
                        case .float, .floatVector: UInt64((Float(index) / 4).bitPattern)
                        default: UInt64(1_700_000_000 + index * 10 + random.below(3))
                        }
                    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
                }
                inputs.append(("\(kind)-\(profile)", bytes))
            }
        }
        return inputs
    }

    // MARK: Files

    private static func segments() throws -> [(String, [UInt8])] {
        var inputs: [(String, [UInt8])] = []
        for profile in [SegmentProfile.warm, .cold] {
            let (written, _) = try SegmentDamageTests.small(profile: profile)
            inputs.append(("all-types-\(profile)", try bytes(of: written)))
            var random = CodecRandom(seed: 21)
            inputs.append(("keyed-\(profile)", try bytes(of: try WrittenSegments([keyed], &random, profile: profile))))
            random = CodecRandom(seed: 21)
            for rowCount in [3, 1_500] {
                let table = random.table(rowCount: rowCount)
                let written = try WrittenSegments([table], &random, profile: profile)
                let bytes = try bytes(of: written)
                if bytes.count < 40_000 { inputs.append(("random-\(rowCount)-\(profile)", bytes)) }
            }
        }
        return inputs
    }

    /// Two segments with a key of two columns.
    private static var keyed: SampleTable {
        let columns = [("time", DataType.timestamptz(.microseconds)), ("id", .uuid), ("name", .text)].enumerated().map {
            ColumnDefinition(id: ColumnID(UInt64($0 + 1)), name: $1.0, type: $1.1, isNullable: false)
        }
        let schema = TableSchema(
            id: TableID(3), name: "keyed", columns: columns, primaryKey: [ColumnID(3), ColumnID(2)],
            chunking: ChunkingPolicy(column: ColumnID(1), interval: 20, isHypertable: false), nextColumnID: ColumnID(4))
        let rows = (0..<30).map { row in
            [Value.integer(Int64(row)), .uuid(UInt128(row) &* 0x9E37_79B9_7F4A_7C15), .text("name \(row % 4)")]
        }
        return SampleTable(schema: schema, rows: rows, chunkLength: 20)
    }

    private static func bytes(of written: WrittenSegments) throws -> [UInt8] {
        try written.fileSystem.open(WrittenSegments.path, .readOnly).readAll()
    }

    /// The log of a database that was killed: DDL, rows of every type, and a bulk load.
    private static func logs() throws -> [(String, [UInt8])] {
        let world = EngineWorld(random: SeededRandomSource(seed: 7))
        world.options.logFileBytes = 4_000
        let engine = try world.open()
        let table = try engine.createReadings("a")
        try engine.append(Readings.batch(0, count: 3), to: table.id)
        let every = try engine.createTable(
            TableDefinition(
                name: "every",
                columns: LogCodecTests.everyType.columns.map {
                    .init(name: $0.name, type: $0.type, isNullable: $0.isNullable)
                }))
        var generator = Xoshiro256(seed: 4)
        try engine.append(
            StorageSamples.randomBatch(LogCodecTests.everyType, rowCount: 5, using: &generator), to: every.id)
        let load = try engine.beginLoad(into: table.id)
        try load.append(Readings.batch(3, count: 9))
        _ = try load.commit(.asSegments)
        try engine.dropTables([every.id])
        try engine.append(Readings.batch(12, count: 2), to: table.id)
        try world.kill(engine)
        return try world.fileSystem.list("/db/wal").map { entry in
            let path = FilePath("/db/wal").appending(entry.component)
            return ("killed-\(entry.name)", try world.fileSystem.open(path, .readOnly).readAll())
        }
    }

    /// A database with segments; one that was killed has commits in its log, too.
    private static func folder(isClosed: Bool) throws -> [UInt8] {
        let world = EngineWorld(random: SeededRandomSource(seed: 7))
        world.options.logFileBytes = 1_000
        let engine = try world.open()
        let table = try engine.createReadings("a", key: ["time"])
        try engine.append(Readings.batch(0, count: 3), to: table.id)
        try engine.append(Readings.batch(3, count: 2, start: 9 * Readings.day), to: table.id)
        try engine.checkpoint()
        if isClosed {
            try engine.close()
        } else {
            for first in stride(from: 5, to: 15, by: 2) {
                try engine.append(Readings.batch(first, count: 2), to: table.id)
            }
            let load = try engine.beginLoad(into: table.id)
            try load.append(Readings.batch(20, count: 3))
            _ = try load.commit(.asSegments)
            try world.kill(engine)
        }
        var parts: [(kind: Int, bytes: [UInt8])] = []
        for (kind, folder) in [(0, "/db"), (2, "/db/wal"), (3, "/db/data")] {
            for entry in try world.fileSystem.list(FilePath(folder)) where entry.kind == .file && entry.name != "LOCK" {
                let path = FilePath(folder).appending(entry.component)
                let isManifest = DatabaseFolder.manifestNumber(entry.name) != nil
                parts.append((isManifest ? 1 : kind, try world.fileSystem.open(path, .readOnly).readAll()))
            }
        }
        return FolderInput.bytes(parts)
    }

    private static func rows() -> [(String, [UInt8])] {
        var generator = Xoshiro256(seed: 6)
        var inputs: [(String, [UInt8])] = []
        let every = LogCodecTests.everyType
        for rowCount in [0, 1, 9] {
            let batch = StorageSamples.randomBatch(every, rowCount: rowCount, using: &generator)
            inputs.append(("every-type-\(rowCount)", payload(batch, every)))
        }
        let text = StorageSamples.schema([.text])
        inputs.append(("text", payload(ColumnBatch([.text(["one", "two", "", "three"])]), text)))
        let dictionary = BytesDictionary(distinct: BytesValues((0..<300).map { "host-\($0)" }))
        let coded = ColumnBatch([Column(type: .text, values: .dictionary((0..<9).map { 100 + $0 % 7 }, dictionary))])
        inputs.append(("dictionary", payload(coded, text)))
        return inputs
    }

    private static func payload(_ batch: ColumnBatch, _ schema: TableSchema) -> [UInt8] {
        var output = ByteWriter()
        RowsCodec.encode(batch, columns: schema.columns, table: schema.id, into: &output)
        return output.bytes
    }

    // MARK: Text

    private static let csv: [(name: String, selector: [UInt8], text: String)] = [
        ("quoted", [0, 1], "time,name,value\n2024-01-01,\"a \"\"b\"\", c\",1.5\r\n2024-01-02,,\n\"two\nlines\",x,NaN"),
        ("other-characters", [14, 3], "a;'it''s';b\n;\\'x';\n"),
        ("text", [1, 2], "a\tb\\tc\t\\N\nd\te\\\\f\t\\.\n\\.\nafter"),
        ("null", [16, 5], "NULL,\"NULL\",x\r\rNULL,,\n"),
        ("mark", [0, 2], "\u{FEFF}a,b\n1,2\n"),
    ]

    private static let sql: [String] = [
        "SELECT Fx, avg(value) FROM readings WHERE time >= now() - INTERVAL '1 hour' GROUP BY 1 ORDER BY 2 DESC LIMIT 5;",
        "SELECT time_bucket('5 minutes', time), count(*) FILTER (WHERE a > 1) OVER w FROM t WINDOW w AS (PARTITION BY b)",
        "INSERT INTO t (a, b) VALUES (1, DEFAULT), ('it''s', $1) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *",
        "CREATE TABLE t (a uuid PRIMARY KEY DEFAULT gen_random_uuid(), b numeric(10, 2) NOT NULL, c timestamptz[])",
        "WITH RECURSIVE x (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM x) SELECT CASE a WHEN 1 THEN 2 ELSE -3 END FROM x",
        "SELECT a::int[], b[1:2], (c).d, e BETWEEN 1 AND 2, f LIKE 'x%' ESCAPE '!', g IS NOT DISTINCT FROM h, E'\\n', $q$z$q$",
        "SELECT * FROM a ASOF LEFT JOIN b ON a.t >= b.t, LATERAL (SELECT 1) c (d) /* one /* two */ */ -- three",
        "COPY t (a) FROM STDIN CSV HEADER DELIMITER ';' NULL ''; ALTER TABLE t ADD COLUMN a int, SET (x.y = 1); DROP TABLE t",
        "EXPLAIN ANALYZE (SELECT DISTINCT ON (a) a FROM t GROUP BY ROLLUP (a, b)) INTERSECT VALUES (1), (2) ORDER BY 1",
    ]
}

extension Validity {
    fileprivate var isAllValid: Bool { if case .allValid = self { true } else { false } }
}
