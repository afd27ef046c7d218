// SPDX-License-Identifier: Apache-2.0
//
// Changes to the catalog: each a commit like any other, synced before it is visible.

extension StorageEngine {
    @discardableResult
    func createTable(_ definition: TableDefinition) throws(FirnError) -> TableSchema {
        try prepareToWrite()
        let schema = try makeSchema(definition)
        try commit([.putTable(schema)])
        return schema
    }

    func dropTables(_ tables: [TableID]) throws(FirnError) {
        try prepareToWrite()
        guard !tables.isEmpty else { return }
        try commit(tables.map { .dropTable($0) })
        // What they had in memory is free.
        grantRoom()
    }

    var defaultChunkIntervalSeconds: Int64 { options.chunkIntervalSeconds }

    func setChunking(of table: TableID, _ chunking: ChunkingPolicy) throws(FirnError) {
        try prepareToWrite()
        try alter(table) { (schema) throws(FirnError) in try chunk(&schema, by: chunking) }
    }

    /// Changes a schema in one commit; alterations take turns, so that none undoes another.
    private func alter(
        _ table: TableID, _ body: (inout TableSchema) throws(FirnError) -> Void
    ) throws(FirnError) {
        try alterations.withLock { (_) throws(FirnError) in
            var schema = try schema(of: table)
            try body(&schema)
            try commit([.putTable(schema)])
        }
    }

    private func chunk(_ schema: inout TableSchema, by chunking: ChunkingPolicy) throws(FirnError) {
        guard let index = schema.index(of: chunking.column) else {
            throw FirnError(.undefinedColumn, "table \"\(schema.name)\" has no column with id \(chunking.column)")
        }
        let column = schema.columns[index]
        guard column.type.isTimestamp, !column.isNullable else {
            throw FirnError(
                .datatypeMismatch, "column \"\(column.name)\" cannot cut table \"\(schema.name)\" into chunks",
                detail: "Its type is \(column.type)\(column.isNullable ? ", and it may be NULL" : "").",
                hint: "choose a NOT NULL TIMESTAMPTZ or TIMESTAMP column")
        }
        guard chunking.interval > 0 else {
            throw FirnError(.invalidParameterValue, "the length of a chunk must be positive")
        }
        if schema.chunking?.column != chunking.column, try !isEmpty(schema.id) {
            throw FirnError(
                .featureNotSupported, "table \"\(schema.name)\" is not empty",
                hint: "its rows are not cut by column \"\(column.name)\"; create the hypertable before loading them")
        }
        schema.chunking = chunking
    }

    func setSortKey(of table: TableID, _ columns: [ColumnID]) throws(FirnError) {
        try prepareToWrite()
        try alter(table) { (schema) throws(FirnError) in try sort(&schema, by: columns) }
    }

    private func sort(_ schema: inout TableSchema, by columns: [ColumnID]) throws(FirnError) {
        for column in columns where schema.index(of: column) == nil {
            throw FirnError(.undefinedColumn, "table \"\(schema.name)\" has no column with id \(column)")
        }
        guard Set(columns).count == columns.count else {
            throw FirnError(.duplicateColumn, "a column stands twice in the sort key of table \"\(schema.name)\"")
        }
        schema.sortKey = columns
    }

    private func isEmpty(_ table: TableID) throws(FirnError) -> Bool {
        try snapshot().rows(of: table).rowCount == 0
    }

    /// Commits changes to the catalog, synced whatever the durability of rows.
    private func commit(_ changes: [CatalogChange]) throws(FirnError) {
        var frame: EncodedFrame?
        if log != nil {
            frame = EncodedFrame(.catalog) { output in for change in changes { change.encode(into: &output) } }
            guard frame != nil else {
                throw FirnError(.programLimitExceeded, "the change is larger than a frame of the log may be")
            }
        }
        _ = try commit(
            CommitRequest(
                change: .catalog(changes), frame: frame,
                durability: Mutant.isPlanted(.loseDurabilityOfCatalog) ? .memory : .synced, rowCount: 0))
    }

    private func makeSchema(_ definition: TableDefinition) throws(FirnError) -> TableSchema {
        try Self.checkName(definition.name)
        guard !definition.columns.isEmpty else {
            throw FirnError(.invalidTableDefinition, "table \"\(definition.name)\" needs at least one column")
        }
        guard definition.columns.count <= TableSchema.columnCountMax else {
            throw FirnError(.tooManyColumns, "tables can have at most \(TableSchema.columnCountMax) columns")
        }
        var columns: [ColumnDefinition] = []
        var ids: [String: ColumnID] = [:]
        for (index, column) in definition.columns.enumerated() {
            try Self.checkName(column.name)
            try column.type.checkForTable(column.name, column.modifier)
            let id = ColumnID(UInt64(index + 1))
            guard ids.updateValue(id, forKey: column.name) == nil else {
                throw FirnError(.duplicateColumn, "column \"\(column.name)\" specified more than once")
            }
            columns.append(
                ColumnDefinition(
                    id: id, name: column.name, type: column.type, modifier: column.modifier,
                    isNullable: column.isNullable && !definition.primaryKey.contains(column.name),
                    defaultExpression: column.defaultExpression))
        }
        func columnIDs(_ names: [String], of what: String) throws(FirnError) -> [ColumnID] {
            var result: [ColumnID] = []
            for name in names {
                guard let id = ids[name] else {
                    throw FirnError(.undefinedColumn, "column \"\(name)\" named in \(what) does not exist")
                }
                guard !result.contains(id) else {
                    throw FirnError(.duplicateColumn, "column \"\(name)\" appears twice in \(what)")
                }
                result.append(id)
            }
            return result
        }
        let primaryKey = try columnIDs(definition.primaryKey, of: "key")
        let sortKey: [ColumnID]? = try definition.sortKey.map { (names) throws(FirnError) in
            try columnIDs(names, of: "sort key")
        }
        return TableSchema(
            id: identifiers.newTable(), name: definition.name, columns: columns, primaryKey: primaryKey,
            chunking: .byDefault(columns, intervalSeconds: options.chunkIntervalSeconds), sortKey: sortKey,
            nextColumnID: ColumnID(UInt64(columns.count + 1)))
    }

    private static func checkName(_ name: String) throws(FirnError) {
        guard !name.isEmpty else { throw FirnError(.invalidTableDefinition, "a name cannot be empty") }
        guard !name.utf8.contains(0) else {
            throw FirnError(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x00")
        }
        guard name.utf8.count <= TableSchema.nameBytesMax else {
            throw FirnError(
                .nameTooLong, "name \"\(name)\" is longer than \(TableSchema.nameBytesMax) bytes")
        }
    }
}
