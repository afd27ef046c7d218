// SPDX-License-Identifier: Apache-2.0
//
// INSERT: rows from VALUES or a query, cast to the table's columns, defaults filled in, committed as one.

import FirnSyntax

extension StatementRunner {
    func runInsert(_ insert: Insert) throws(FirnError) -> StatementOutcome {
        if let conflict = insert.onConflict { throw notSupported("ON CONFLICT", at: conflict.range) }
        if let item = insert.returning.first { throw notSupported("RETURNING", at: item.expression.range) }
        if let with = insert.with { throw notSupported("WITH before INSERT", at: with.range) }
        let snapshot = try store.snapshot()
        let table = try self.table(insert.table, in: snapshot)
        let targets = try targetColumns(insert.columns, of: table)
        // DEFAULT VALUES names no column, VALUES of one row without values, so to speak.
        let given: [Int] = if case .defaultValues = insert.source { [] } else { targets }
        let filler = try DefaultFiller(table: table, given: given, context, snapshot)
        let commit = StatementCommit(store: store, table: table, durability: settings.durability)
        do throws(FirnError) {
            switch insert.source {
            case .defaultValues:
                try commit.append(try filler.complete(ColumnBatch([], rowCount: 1), targets: []))
            case .query(let query):
                if let rows = query.plainValues {
                    try commit.append(try filler.complete(try values(rows, targets, table, snapshot), targets: targets))
                } else {
                    try append(query, to: targets, of: table, snapshot, commit)
                }
            }
            let count = try commit.finish()
            return .command(tag: "INSERT 0 \(count)")
        } catch {
            commit.abandon()
            throw error
        }
    }

    /// Positions of the named columns in the table; all columns where none were named.
    func targetColumns(_ names: [Identifier], of table: TableSchema) throws(FirnError) -> [Int] {
        if names.isEmpty { return Array(table.columns.indices) }
        var targets: [Int] = []
        for name in names {
            guard let index = table.index(named: name.name) else {
                throw FirnError(
                    .undefinedColumn, "column \"\(name.name)\" of relation \"\(table.name)\" does not exist",
                    hint: Suggestion.hint(for: name.name, among: table.columns.map(\.name)),
                    position: name.range.start.byteOffset)
            }
            if targets.contains(index) {
                throw FirnError(
                    .duplicateColumn, "column \"\(name.name)\" specified more than once",
                    position: name.range.start.byteOffset)
            }
            targets.append(index)
        }
        return targets
    }

    /// VALUES lists take the types of the columns they go to; DEFAULT may stand for a value.
    private func values(
        _ rows: [ValuesRow], _ targets: [Int], _ table: TableSchema, _ snapshot: any DatabaseSnapshot
    ) throws(FirnError) -> ColumnBatch {
        // As in PostgreSQL, fewer values than columns leave the last ones to their defaults.
        let width = rows[0].values.count
        for row in rows {
            if row.values.count != width {
                throw FirnError(
                    .syntaxError, "VALUES lists must all be the same length", position: row.range.start.byteOffset)
            }
        }
        if width > targets.count {
            throw FirnError(
                .syntaxError, "INSERT has more expressions than target columns",
                position: rows[0].values[targets.count].range.start.byteOffset)
        }
        let binder = binder(snapshot)
        let evaluator = ExpressionEvaluator(context)
        var defaults: [Int: BoundExpression] = [:]
        let held = HeldMemory(MemoryBudget(bytesMax: settings.memoryBytesMax))
        var builders = targets.map { ColumnBuilder(type: table.columns[$0].type, capacity: rows.count) }
        for row in rows {
            for (slot, expression) in row.values.enumerated() {
                let column = table.columns[targets[slot]]
                let bound: BoundExpression
                if case .default = expression.kind {
                    if defaults[slot] == nil {
                        defaults[slot] = try DefaultFiller.bindDefault(of: column, binder)
                    }
                    bound = defaults[slot]!
                } else {
                    bound = try binder.bindScalar(
                        expression, target: OutputColumn(column))
                }
                let value = try evaluator.evaluateConstant(bound)
                if value.isNull, !column.isNullable {
                    throw FirnError(
                        .notNullViolation,
                        "null value in column \"\(column.name)\" of relation \"\(table.name)\" violates not-null constraint",
                        position: expression.range.start.byteOffset)
                }
                try held.reserve(value.heldBytes)
                builders[slot].append(value)
            }
            for slot in width..<targets.count {
                let column = table.columns[targets[slot]]
                if defaults[slot] == nil { defaults[slot] = try DefaultFiller.bindDefault(of: column, binder) }
                builders[slot].append(try evaluator.evaluateConstant(defaults[slot]!))
            }
        }
        return ColumnBatch(builders.map { $0.finish() }, rowCount: rows.count)
    }

    private func append(
        _ query: Query, to targets: [Int], of table: TableSchema, _ snapshot: any DatabaseSnapshot,
        _ commit: StatementCommit
    ) throws(FirnError) {
        let binder = binder(snapshot)
        let width = try binder.bindQuery(query).columns.count
        guard width <= targets.count else {
            throw FirnError(
                .syntaxError, "INSERT has more expressions than target columns", position: query.range.start.byteOffset)
        }
        // As in PostgreSQL, fewer expressions than columns leave the last ones to their defaults.
        let given = Array(targets[..<width])
        let columns = given.map { OutputColumn(table.columns[$0]) }
        let plan = try Optimizer.optimize(try binder.bindQuery(query, into: columns))
        let filler = try DefaultFiller(table: table, given: given, context, snapshot)
        let stream = execute(plan, snapshot)
        while let batch = try stream.next() {
            try commit.append(try filler.complete(batch, targets: given))
        }
    }
}

extension OutputColumn {
    /// A column of a table as the place where values go.
    init(_ column: Firn.ColumnDefinition) {
        self.init(name: column.name, type: column.type, modifier: column.modifier)
    }
}

extension Query {
    /// The rows of a bare VALUES.
    fileprivate var plainValues: [ValuesRow]? {
        guard with == nil, orderBy.isEmpty, limit == nil, offset == nil, case .values(let rows) = body else {
            return nil
        }
        return rows
    }
}

/// Gives the columns that a statement does not name their defaults.
struct DefaultFiller {
    let table: TableSchema
    /// For each column of the table: its default where the statement does not name it.
    private let defaults: [BoundExpression?]
    private let context: EvaluationContext

    init(
        table: TableSchema, given: [Int], _ context: EvaluationContext, _ snapshot: any DatabaseSnapshot
    ) throws(FirnError) {
        self.table = table
        self.context = context
        let binder = Binder(catalogue: snapshot, context: context)
        var defaults: [BoundExpression?] = []
        for (index, column) in table.columns.enumerated() {
            defaults.append(given.contains(index) ? nil : try DefaultFiller.bindDefault(of: column, binder))
        }
        self.defaults = defaults
    }

    static func bindDefault(of column: ColumnDefinition, _ binder: Binder) throws(FirnError) -> BoundExpression {
        guard let text = column.defaultExpression else { return BoundExpression(.constant(.null), column.type) }
        do {
            return try binder.bindScalar(
                try SQLParser.parseExpression(text), target: OutputColumn(column))
        } catch let error as SyntaxError {
            throw FirnError(
                .dataCorrupted, "the default of column \"\(column.name)\" cannot be read: \(error.message)")
        } catch let error as FirnError {
            // Positions inside the stored text mean nothing to the statement.
            var error = error
            error.position = nil
            throw error
        } catch {
            preconditionFailure("only these two errors are thrown above")
        }
    }

    /// All columns of the table in order.
    ///
    /// - Parameter targets: for each column of the batch, its position in the table.
    func complete(_ batch: ColumnBatch, targets: [Int]) throws(FirnError) -> ColumnBatch {
        var columns: [Column?] = Array(repeating: nil, count: table.columns.count)
        for (slot, target) in targets.enumerated() { columns[target] = batch.columns[slot] }
        let rows = ColumnBatch([], rowCount: batch.rowCount)
        var complete: [Column] = []
        for (index, column) in columns.enumerated() {
            if let column {
                complete.append(column)
            } else {
                let vector = try ExpressionEvaluator(context).evaluate(defaults[index]!, over: rows)
                complete.append(vector.materialized(rowCount: batch.rowCount))
            }
        }
        return ColumnBatch(complete, rowCount: batch.rowCount)
    }
}

/// Gathers the rows of one statement and commits them as one: a small statement as one log frame, a large one
/// by the bulk path.
final class StatementCommit {
    /// Bytes of rows from which the bulk path is taken.
    static let bulkBytesMin = 8 << 20

    private let store: any TableStore
    private let table: TableSchema
    private let validation: RowValidation
    private let durability: Durability?
    private var pending: [ColumnBatch] = []
    private var pendingBytes = 0
    private var load: (any BulkLoad)?
    private(set) var rowCount = 0

    init(store: any TableStore, table: TableSchema, durability: Durability?) {
        self.store = store
        self.table = table
        self.durability = durability
        validation = RowValidation(table)
    }

    /// Takes a positional batch of all columns of the table.
    func append(_ batch: ColumnBatch) throws(FirnError) {
        if batch.rowCount == 0 { return }
        let batch = try validation.validated(batch)
        rowCount += batch.rowCount
        if let load { return try load.append(batch) }
        pending.append(batch)
        pendingBytes += batch.byteCount
        guard pendingBytes >= StatementCommit.bulkBytesMin else { return }
        let load = try store.beginBulkLoad(into: table.id, durability: durability)
        self.load = load
        for batch in pending { try load.append(batch) }
        pending = []
    }

    /// Commits; returns the number of rows.
    func finish() throws(FirnError) -> Int {
        if let load {
            _ = try load.commit()
            self.load = nil
        } else if rowCount > 0 {
            let columns = table.columns.indices.map { index in
                Column.concatenate(pending.map { $0.columns[index] }, type: table.columns[index].type)
            }
            _ = try store.append(ColumnBatch(columns, rowCount: rowCount), to: table.id, durability: durability)
        }
        return rowCount
    }

    /// Leaves no trace of what was appended.
    func abandon() {
        load?.abandon()
        load = nil
        pending = []
    }
}
