// SPDX-License-Identifier: Apache-2.0
//
// What chunks are called in SQL: as TimescaleDB calls them, so that its scripts run.
//
//     _timescaledb_internal._hyper_<table id>_<chunk id>_chunk

enum ChunkName {
    private static let schema = "_timescaledb_internal"
    private static let prefix = "_hyper_"
    private static let suffix = "_chunk"

    /// The name with its schema.
    static func text(table: TableID, chunk: ChunkID) -> String { "\(schema).\(bareText(table: table, chunk: chunk))" }

    /// The name without its schema, as messages give it.
    static func bareText(table: TableID, chunk: ChunkID) -> String { "\(prefix)\(table)_\(chunk)\(suffix)" }

    /// The chunk of a name with or without schema; nil where the text is no chunk's name.
    static func parse(_ text: String) -> (table: TableID, chunk: ChunkID)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count == 1 || (parts.count == 2 && parts[0] == schema),
            name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count > prefix.utf8.count + suffix.utf8.count
        else { return nil }
        let numbers = name.dropFirst(prefix.count).dropLast(suffix.count).split(
            separator: "_", omittingEmptySubsequences: false)
        guard numbers.count == 2, let table = UInt64(numbers[0]), let chunk = UInt64(numbers[1]) else { return nil }
        let found = (table: TableID(table), chunk: ChunkID(chunk))
        // One spelling for each chunk: no sign, no leading zeros.
        return bareText(table: found.table, chunk: found.chunk) == name ? found : nil
    }
}
