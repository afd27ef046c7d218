// SPDX-License-Identifier: Apache-2.0
//
// CASE and COALESCE: each branch is evaluated for the rows that take it and for no others, then the pieces are
// put together in row order.

extension ExpressionEvaluator {
    func evaluateCase(
        _ branches: [(condition: BoundExpression, result: BoundExpression)], otherwise: BoundExpression?,
        type: DataType, over rows: EvaluationRows
    ) throws(FirnError) -> Vector {
        let mayFail =
            branches.contains { $0.condition.mayFail || $0.result.mayFail } || otherwise?.mayFail == true
        if !mayFail, branches.count <= ExpressionEvaluator.wholeBranchCountMax {
            return try evaluateWhole(branches, otherwise: otherwise, type: type, over: rows)
        }
        var pieces = Pieces(type: type, rowCount: rows.count)
        var open: [Int32]?
        for branch in branches {
            let remaining = open.map { rows.subset($0) } ?? rows
            if remaining.count == 0 { break }
            let taken = try truth(of: branch.condition, over: remaining).isTrue
            if taken.isAllClear { continue }
            let all = open ?? Array(0..<Int32(rows.count))
            let takenIndices = taken.setIndices
            if takenIndices.count == remaining.count {
                pieces.add(try evaluate(branch.result, over: remaining), for: all)
                open = []
            } else {
                pieces.add(
                    try evaluate(branch.result, over: remaining.subset(takenIndices)),
                    for: takenIndices.map { all[Int($0)] })
                open = (~taken).setIndices.map { all[Int($0)] }
            }
        }
        let rest = open ?? Array(0..<Int32(rows.count))
        if let otherwise, !rest.isEmpty {
            pieces.add(try evaluate(otherwise, over: open.map { rows.subset($0) } ?? rows), for: rest)
        }
        return pieces.joined()
    }

    /// Up to so many branches that cannot fail are evaluated for all rows, which is cheaper than picking rows.
    private static let wholeBranchCountMax = 4

    private func evaluateWhole(
        _ branches: [(condition: BoundExpression, result: BoundExpression)], otherwise: BoundExpression?,
        type: DataType, over rows: EvaluationRows
    ) throws(FirnError) -> Vector {
        var conditions: [Bitmap] = []
        for branch in branches { conditions.append(try truth(of: branch.condition, over: rows).isTrue) }
        var result = Vector.constant(.null, type)
        if let otherwise { result = try evaluate(otherwise, over: rows) }
        // From the last to the first, so that an earlier branch wins.
        for (branch, condition) in zip(branches, conditions).reversed() where !condition.isAllClear {
            let value = try evaluate(branch.result, over: rows)
            result = Vector.merge(value, where: condition, otherwise: result, rowCount: rows.count)
        }
        return result
    }

    func evaluateCoalesce(
        _ arguments: [BoundExpression], type: DataType, over rows: EvaluationRows
    ) throws(FirnError) -> Vector {
        var pieces = Pieces(type: type, rowCount: rows.count)
        var open: [Int32]?
        for argument in arguments {
            let remaining = open.map { rows.subset($0) } ?? rows
            if remaining.count == 0 { break }
            let value = try evaluate(argument, over: remaining)
            let nulls = value.nullRows(count: remaining.count)
            if open == nil, nulls.isAllClear { return value }
            if open == nil, arguments.count == 2, !arguments[1].mayFail {
                let rest = try evaluate(arguments[1], over: rows)
                return Vector.merge(value, where: ~nulls, otherwise: rest, rowCount: rows.count)
            }
            if nulls.isAllSet { continue }
            let all = open ?? Array(0..<Int32(rows.count))
            let present = (~nulls).setIndices
            pieces.add(value.gather(present), for: present.map { all[Int($0)] })
            open = nulls.setIndices.map { all[Int($0)] }
        }
        return pieces.joined()
    }
}

/// Values of some rows each, to be put together. Rows that no piece covers are NULL.
private struct Pieces {
    let type: DataType
    let rowCount: Int
    private var columns: [Column] = []
    /// Row of the joined columns that each row takes; -1 for NULL.
    private var sources: [Int32]
    private var joinedCount: Int32 = 0
    /// Set while one piece alone covers every row.
    private var whole: Vector?

    init(type: DataType, rowCount: Int) {
        self.type = type
        self.rowCount = rowCount
        sources = [Int32](repeating: -1, count: rowCount)
    }

    /// Adds values for the given rows; a column has one row for each of them.
    mutating func add(_ value: Vector, for rows: [Int32]) {
        if rows.count == rowCount {
            whole = value
            return
        }
        switch value {
        case .constant(.null, _): return
        case .constant:
            // One row, to which all refer.
            columns.append(value.materialized(rowCount: 1))
            for row in rows { sources[Int(row)] = joinedCount }
            joinedCount += 1
        case .column(let column):
            columns.append(column)
            for (index, row) in rows.enumerated() { sources[Int(row)] = joinedCount + Int32(index) }
            joinedCount += Int32(column.count)
        }
    }

    func joined() -> Vector {
        if let whole { return whole }
        if columns.isEmpty { return .constant(.null, type) }
        var joined = Column.concatenate(columns, type: type)
        // A long constant is there once, however many rows take it.
        if joined.count < rowCount, joined.byteCount > TextBlock.bytesMax / max(1, rowCount / joined.count) {
            joined = joined.dictionaryCoded
        }
        let picked = joined.gather(sources.map { max($0, 0) })
        let covered = bitmap(count: rowCount) { sources[$0] >= 0 }
        return .column(picked.with(validity: combinedValidity(picked.validity, covered)))
    }
}
