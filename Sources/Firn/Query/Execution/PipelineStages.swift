// SPDX-License-Identifier: Apache-2.0
//
// Operators that treat each batch alone: filter and project. They keep the parts of their input.

/// Passes the rows for which a predicate is true.
struct FilterSource: BatchSource {
    let input: any BatchSource
    let predicate: BoundExpression
    let evaluator: BlockEvaluator

    var partCount: Int { input.partCount }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        FilterReader(try input.reader(ofPart: part), predicate, evaluator)
    }

    func bounds(ofPart part: Int, column: Int) -> IntegerBounds? { input.bounds(ofPart: part, column: column) }
}

private final class FilterReader: BatchReader {
    private let input: any BatchReader
    private let predicate: BoundExpression
    private let evaluator: BlockEvaluator

    init(_ input: any BatchReader, _ predicate: BoundExpression, _ evaluator: BlockEvaluator) {
        self.input = input
        self.predicate = predicate
        self.evaluator = evaluator
    }

    var order: [Int] { input.order }

    func next() throws(FirnError) -> ColumnBatch? {
        while let batch = try input.next() {
            try evaluator.checkCancellation()
            let selection = try evaluator.selection(predicate, over: batch)
            if let passing = batch.selecting(selection) { return passing }
        }
        return nil
    }
}

/// Computes each output column from the input's row.
struct ProjectSource: BatchSource {
    let input: any BatchSource
    let expressions: [BoundExpression]
    let evaluator: BlockEvaluator

    var partCount: Int { input.partCount }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        ProjectReader(try input.reader(ofPart: part), expressions, evaluator)
    }

    func bounds(ofPart part: Int, column: Int) -> IntegerBounds? {
        guard case .column(let index) = expressions[column].kind else { return nil }
        return input.bounds(ofPart: part, column: index)
    }
}

private final class ProjectReader: BatchReader {
    private let input: any BatchReader
    private let expressions: [BoundExpression]
    private let evaluator: BlockEvaluator

    init(_ input: any BatchReader, _ expressions: [BoundExpression], _ evaluator: BlockEvaluator) {
        self.input = input
        self.expressions = expressions
        self.evaluator = evaluator
    }

    var order: [Int] {
        var order: [Int] = []
        for column in input.order {
            let index = expressions.firstIndex {
                if case .column(column) = $0.kind { true } else { false }
            }
            guard let index else { break }
            order.append(index)
        }
        return order
    }

    /// A batch of which rows are left, and the first of them.
    private var rest: (batch: ColumnBatch, row: Int)?
    /// Rows that are computed at a time where all of a batch at once are too much.
    private var pieceRows = batchRowsMax

    func next() throws(FirnError) -> ColumnBatch? {
        try evaluator.checkCancellation()
        guard let rest else {
            guard let batch = try input.next() else { return nil }
            do throws(FirnError) {
                return try projected(batch)
            } catch {
                guard error.isBlockTooLarge, batch.rowCount > 1 else { throw error }
                self.rest = (batch, 0)
                pieceRows = max(1, min(pieceRows, batch.rowCount) / 2)
                return try next()
            }
        }
        let end = min(rest.row + pieceRows, rest.batch.rowCount)
        do throws(FirnError) {
            let piece = try projected(rest.batch.slice(rest.row..<end))
            self.rest = end < rest.batch.rowCount ? (rest.batch, end) : nil
            // The values ahead may be smaller again.
            pieceRows = min(batchRowsMax, pieceRows + pieceRows / 4 + 1)
            return piece
        } catch {
            guard error.isBlockTooLarge, end - rest.row > 1 else { throw error }
            pieceRows = max(1, (end - rest.row) / 2)
            return try next()
        }
    }

    private func projected(_ batch: ColumnBatch) throws(FirnError) -> ColumnBatch {
        var columns: [Column] = []
        columns.reserveCapacity(expressions.count)
        for expression in expressions {
            let column = try evaluator.column(expression, over: batch)
            columns.append(column.type == expression.type ? column : column.retyped(expression.type))
        }
        return ColumnBatch(columns, rowCount: batch.rowCount)
    }
}
