// SPDX-License-Identifier: Apache-2.0
//
// Relations that show what the catalogue knows: the views firn_segments and firn_columns, and show_chunks.
//
// They are read-only, and every statement sees them as of its snapshot. A user's table of the same name hides a view.

extension LogicalPlan {
    /// Rows that the catalogue gives.
    struct CatalogueScan: Sendable {
        enum Relation: Sendable {
            case view(SystemView)
            case chunks(ShownChunks)
        }
        var relation: Relation
        var columns: [OutputColumn]

        /// What EXPLAIN calls it.
        var title: String {
            switch relation {
            case .view(let view): "System View Scan on \(view.rawValue)"
            case .chunks: "Function Scan on \(ShownChunks.functionName)"
            }
        }
    }
}

/// A view that is there without having been made.
enum SystemView: String, Sendable, CaseIterable {
    /// A row for each segment.
    case segments = "firn_segments"
    /// A row for each column of each segment.
    case columns = "firn_columns"

    var scan: LogicalPlan.CatalogueScan { LogicalPlan.CatalogueScan(relation: .view(self), columns: outputColumns) }

    private var outputColumns: [OutputColumn] {
        let types: KeyValuePairs<String, DataType> =
            switch self {
            case .segments:
                [
                    "table_name": .text, "chunk_name": .text, "range_start": .timestamptz, "range_end": .timestamptz,
                    "file_id": .bigint, "byte_offset": .bigint, "row_count": .bigint, "bytes_raw": .bigint,
                    "bytes_stored": .bigint, "key_index_bytes": .bigint, "profile": .text, "sort_order": .text,
                    "min_time": .timestamptz,
                    "max_time": .timestamptz, "first_lsn": .bigint, "last_lsn": .bigint,
                ]
            case .columns:
                [
                    "table_name": .text, "chunk_name": .text, "file_id": .bigint, "byte_offset": .bigint,
                    "profile": .text, "column_name": .text, "type": .text, "row_count": .bigint,
                    "null_count": .bigint, "bytes_raw": .bigint, "bytes_stored": .bigint, "bits_per_value": .double,
                    "encodings": .text, "compressions": .text, "dictionary_entries": .bigint,
                    "dictionary_bytes": .bigint,
                ]
            }
        return types.map { OutputColumn(name: $0.key, type: $0.value) }
    }
}

/// Reads the catalogue.
enum CatalogueSource {
    static func make(
        _ scan: LogicalPlan.CatalogueScan, snapshot: any DatabaseSnapshot, evaluator: BlockEvaluator
    ) -> any BatchSource {
        SinglePartSource { () throws(FirnError) -> any BatchReader in
            var builders = scan.columns.map { ColumnBuilder(type: $0.type) }
            var rowCount = 0
            func add(_ row: [Value]) {
                precondition(row.count == builders.count, "a value for each column of the relation")
                for (index, value) in row.enumerated() { builders[index].append(value) }
                rowCount += 1
            }
            switch scan.relation {
            case .view(let view):
                for table in snapshot.tables {
                    let rows = try snapshot.rows(of: table.id)
                    for segment in rows.segments {
                        try evaluator.checkCancellation()
                        let place = SegmentPlace(table, segment, rows.bounds(of: segment.chunk))
                        switch view {
                        case .segments: add(place.row(keyIndexByteCount: try rows.keyIndexByteCount(of: segment)))
                        case .columns: for row in place.rows(of: try rows.description(of: segment)) { add(row) }
                        }
                    }
                }
            case .chunks(let shown):
                for chunk in try snapshot.rows(of: shown.table.id).chunks where shown.contains(chunk) {
                    add([.text(ChunkName.text(table: shown.table.id, chunk: chunk.id))])
                }
            }
            return BufferedReader(ColumnBatch(builders.map { $0.finish() }, rowCount: rowCount).pieces())
        }
    }
}

/// A segment as the views show it.
private struct SegmentPlace {
    let table: TableSchema
    let segment: SegmentDescriptor
    let bounds: ChunkBounds?

    init(_ table: TableSchema, _ segment: SegmentDescriptor, _ bounds: ChunkBounds?) {
        self.table = table
        self.segment = segment
        self.bounds = bounds
    }

    private var chunkName: Value { .text(ChunkName.text(table: table.id, chunk: segment.chunk)) }
    private var profile: Value { .text(segment.profile.name) }

    private static func number(_ value: some BinaryInteger) -> Value { .integer(Int64(clamping: value)) }

    /// A time of the table's time column as TIMESTAMPTZ; NULL where there is none.
    private func time(_ value: Int64?) -> Value {
        guard let value, let index = table.timeColumnIndex else { return .null }
        return .integer(table.columns[index].type.microseconds(of: value))
    }

    /// The row of firn_segments.
    func row(keyIndexByteCount: Int) -> [Value] {
        let order = segment.order.map { id in table.index(of: id).map { table.columns[$0].name } ?? "column \(id)" }
        return [
            .text(table.name), chunkName, time(bounds?.start), time(bounds?.end), Self.number(segment.file.rawValue),
            Self.number(segment.byteOffset), Self.number(segment.rowCount), Self.number(segment.rawByteCount),
            Self.number(segment.byteCount), Self.number(keyIndexByteCount), profile,
            .text(order.joined(separator: ", ")),
            time(segment.timeRange?.lowerBound), time(segment.timeRange?.upperBound),
            Self.number(segment.lsnRange.lowerBound.rawValue), Self.number(segment.lsnRange.upperBound.rawValue),
        ]
    }

    /// The rows of firn_columns.
    func rows(of description: SegmentFile.Segment) -> [[Value]] {
        description.columns.map { column in
            [
                .text(table.name), chunkName, Self.number(segment.file.rawValue), Self.number(segment.byteOffset),
                profile, .text(column.name), .text(column.type.name), Self.number(segment.rowCount),
                Self.number(column.nullCount), Self.number(column.rawByteCount), Self.number(column.storedByteCount),
                .double(column.bitsPerValue), .text(column.encodingText), .text(column.compressionText),
                column.dictionaryEntryCount.map(Self.number) ?? .null, Self.number(column.dictionaryByteCount),
            ]
        }
    }
}
