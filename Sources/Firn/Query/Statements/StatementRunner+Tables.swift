// SPDX-License-Identifier: Apache-2.0
//
// CREATE TABLE, DROP TABLE and ALTER TABLE: from syntax to what the table store is asked to do.

import FirnSyntax

extension StatementRunner {
    func runCreateTable(_ definition: CreateTable) throws(FirnError) -> StatementOutcome {
        let position = definition.name.range.start.byteOffset
        if definition.isTemporary { throw notSupported("CREATE TEMPORARY TABLE", at: definition.name.range) }
        if definition.isUnlogged {
            throw notSupported(
                "CREATE UNLOGGED TABLE", at: definition.name.range,
                hint: "SET durability = memory does not wait for the log.")
        }
        if let schema = definition.name.qualifier, schema.name != "public" {
            throw FirnError(
                "3F000", "schema \"\(schema.name)\" does not exist", hint: "All tables are in the schema public.",
                position: schema.range.start.byteOffset)
        }
        if !definition.likes.isEmpty { throw notSupported("LIKE in CREATE TABLE", at: definition.likes[0].range) }
        let snapshot = try store.snapshot()
        try checkName(definition.name.last)
        if snapshot.table(named: definition.name.name) != nil {
            guard definition.ifNotExists else {
                throw FirnError(
                    .duplicateTable, "relation \"\(definition.name.name)\" already exists", position: position)
            }
            environment.notice(Notice("relation \"\(definition.name.name)\" already exists, skipping"))
            return .command(tag: "CREATE TABLE")
        }
        if definition.columns.count > TableSchema.columnCountMax {
            throw FirnError(
                .tooManyColumns, "tables can have at most \(TableSchema.columnCountMax) columns", position: position)
        }

        var table = TableDefinition(name: definition.name.name, columns: [])
        for column in definition.columns {
            try checkName(column.name)
            if table.columns.contains(where: { $0.name == column.name.name }) {
                throw FirnError(
                    .duplicateColumn, "column \"\(column.name.name)\" specified more than once",
                    position: column.name.range.start.byteOffset)
            }
            table.columns.append(try self.column(column, snapshot, primaryKey: &table.primaryKey))
        }
        for constraint in definition.constraints {
            try apply(constraint, to: &table)
        }
        for name in table.primaryKey {
            let index = table.columns.firstIndex { $0.name == name }!
            table.columns[index].isNullable = false
        }
        try apply(definition.options, to: &table)
        try store.createTable(table)
        return .command(tag: "CREATE TABLE")
    }

    private func column(
        _ column: FirnSyntax.ColumnDefinition, _ snapshot: any DatabaseSnapshot, primaryKey: inout [String]
    ) throws(FirnError) -> TableDefinition.Column {
        let declared = try DeclaredType(column.type)
        let type = declared.type
        var result = TableDefinition.Column(
            name: column.name.name, type: type, modifier: declared.modifier, isNullable: true, defaultExpression: nil)
        var hasDefault = false
        for constraint in column.constraints {
            switch constraint.kind {
            case .notNull: result.isNullable = false
            case .null:
                if !result.isNullable {
                    throw FirnError(
                        .syntaxError, "conflicting NULL/NOT NULL declarations for column \"\(result.name)\"",
                        position: constraint.range.start.byteOffset)
                }
            case .default(let expression):
                // Binding proves the type now; the text is bound anew at each INSERT.
                _ = try binder(snapshot).bindScalar(
                    expression, target: OutputColumn(name: result.name, type: type, modifier: declared.modifier))
                guard !hasDefault else {
                    throw FirnError(
                        .syntaxError, "multiple default values specified for column \"\(result.name)\"",
                        position: constraint.range.start.byteOffset)
                }
                hasDefault = true
                if case .null = expression.kind { continue }
                result.defaultExpression = expression.sqlText
            case .primaryKey:
                if !primaryKey.isEmpty { throw secondPrimaryKey(constraint.range) }
                primaryKey = [result.name]
            case .unique: throw notSupported("UNIQUE", at: constraint.range, hint: "PRIMARY KEY is enforced.")
            case .check: throw notSupported("CHECK", at: constraint.range)
            case .references: throw notSupported("REFERENCES", at: constraint.range)
            case .generated: throw notSupported("GENERATED", at: constraint.range)
            case .identity: throw notSupported("GENERATED AS IDENTITY", at: constraint.range)
            case .collate(let name):
                if name.name.lowercased() != "c" {
                    throw notSupported("COLLATE \(name.name)", at: constraint.range, hint: "Text sorts as \"C\".")
                }
            }
        }
        return result
    }

    private func apply(_ constraint: TableConstraint, to table: inout TableDefinition) throws(FirnError) {
        switch constraint.kind {
        case .primaryKey(let names):
            if !table.primaryKey.isEmpty { throw secondPrimaryKey(constraint.range) }
            for name in names {
                guard table.columns.contains(where: { $0.name == name.name }) else {
                    throw FirnError(
                        .undefinedColumn, "column \"\(name.name)\" named in key does not exist",
                        position: name.range.start.byteOffset)
                }
                if table.primaryKey.contains(name.name) {
                    throw FirnError(
                        .duplicateColumn, "column \"\(name.name)\" appears twice in primary key constraint",
                        position: name.range.start.byteOffset)
                }
                table.primaryKey.append(name.name)
            }
        case .unique: throw notSupported("UNIQUE", at: constraint.range, hint: "PRIMARY KEY is enforced.")
        case .check: throw notSupported("CHECK", at: constraint.range)
        case .foreignKey: throw notSupported("FOREIGN KEY", at: constraint.range)
        }
    }

    private func secondPrimaryKey(_ range: SourceRange) -> FirnError {
        FirnError(
            .invalidTableDefinition, "multiple primary keys for a table are not allowed",
            position: range.start.byteOffset)
    }

    private func apply(_ options: [Option], to table: inout TableDefinition) throws(FirnError) {
        for option in options {
            switch option.name {
            case "timescaledb.segmentby", "tsdb.segmentby", "segmentby":
                table.sortKey = try sortKeyNames(option)
                for name in table.sortKey ?? [] where !table.columns.contains(where: { $0.name == name }) {
                    throw FirnError(
                        .undefinedColumn, "column \"\(name)\" does not exist",
                        position: option.valueRange.start.byteOffset)
                }
            default: throw unknownOption(option)
            }
        }
    }

    private func sortKeyNames(_ option: Option) throws(FirnError) -> [String] {
        guard let text = option.value?.text else {
            throw FirnError(
                .invalidParameterValue, "option \"\(option.name)\" takes column names, as in 'host, sensor'",
                position: option.range.start.byteOffset)
        }
        return text.split(separator: ",").map { part in
            let name = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            return String(name).lowercased()
        }
    }

    private func unknownOption(_ option: Option) -> FirnError {
        FirnError(
            .invalidParameterValue, "unrecognized parameter \"\(option.name)\"",
            hint: "The parameters are: timescaledb.segmentby.", position: option.range.start.byteOffset)
    }

    private func checkName(_ name: Identifier) throws(FirnError) {
        if name.name.utf8.count > TableSchema.nameBytesMax {
            throw FirnError(
                .nameTooLong, "identifier \"\(name.name)\" is longer than \(TableSchema.nameBytesMax) bytes",
                position: name.range.start.byteOffset)
        }
    }

    // MARK: DROP and ALTER

    func runDrop(_ drop: Drop) throws(FirnError) -> StatementOutcome {
        guard drop.object == .table else { throw notSupported("DROP \(drop.object.rawValue)", at: drop.names[0].range) }
        let snapshot = try store.snapshot()
        var tables: [TableID] = []
        for name in drop.names {
            if drop.ifExists, snapshot.table(named: name.name) == nil {
                environment.notice(Notice("table \"\(name.name)\" does not exist, skipping"))
                continue
            }
            let table = try self.table(name, in: snapshot)
            if !tables.contains(table.id) { tables.append(table.id) }
        }
        if !tables.isEmpty { try store.dropTables(tables) }
        return .command(tag: "DROP TABLE")
    }

    func runAlterTable(_ alteration: AlterTable) throws(FirnError) -> StatementOutcome {
        let snapshot = try store.snapshot()
        if alteration.ifExists, snapshot.table(named: alteration.name.name) == nil {
            environment.notice(Notice("relation \"\(alteration.name.name)\" does not exist, skipping"))
            return .command(tag: "ALTER TABLE")
        }
        let table = try self.table(alteration.name, in: snapshot)
        var sortKey: [ColumnID]?
        for action in alteration.actions {
            guard case .setOptions(let options) = action else {
                throw FirnError(
                    .featureNotSupported, "this form of ALTER TABLE is not supported yet",
                    hint: "ALTER TABLE t SET (timescaledb.segmentby = 'column, …') is.",
                    position: alteration.name.range.start.byteOffset)
            }
            for option in options {
                switch option.name {
                case "timescaledb.segmentby", "timescaledb.compress_segmentby", "tsdb.segmentby":
                    sortKey = try sortKeyColumns(option, of: table)
                case "timescaledb.compress":
                    // Every segment is compressed; TimescaleDB's scripts say so beside segmentby.
                    continue
                default: throw unknownOption(option)
                }
            }
        }
        if let sortKey { try store.setSortKey(of: table.id, sortKey) }
        return .command(tag: "ALTER TABLE")
    }

    private func sortKeyColumns(_ option: Option, of table: TableSchema) throws(FirnError) -> [ColumnID] {
        var columns: [ColumnID] = []
        for name in try sortKeyNames(option) {
            guard let index = table.index(named: name) else {
                throw FirnError(
                    .undefinedColumn, "column \"\(name)\" does not exist",
                    hint: Suggestion.hint(for: name, among: table.columns.map(\.name)),
                    position: option.valueRange.start.byteOffset)
            }
            guard index != table.timeColumnIndex else {
                throw FirnError(
                    .invalidParameterValue, "the time column cannot be part of the sort key: it always follows it",
                    position: option.valueRange.start.byteOffset)
            }
            columns.append(table.columns[index].id)
        }
        return columns
    }
}
