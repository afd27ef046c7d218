// SPDX-License-Identifier: Apache-2.0
//
// Sources without a table: rows written in the statement. And LIMIT, which ends a source early.

/// Rows of constant expressions.
enum ValuesSource {
    static func make(
        rows: [[BoundExpression]], columns: [OutputColumn], evaluator: BlockEvaluator, memory: MemoryBudget
    ) -> SinglePartSource {
        SinglePartSource { () throws(FirnError) -> any BatchReader in
            let held = HeldMemory(memory)
            var builders = columns.map { ColumnBuilder(type: $0.type, capacity: rows.count) }
            for row in rows {
                try evaluator.checkCancellation()
                for (index, expression) in row.enumerated() {
                    let value = try evaluator.value(expression)
                    try held.reserve(value.heldBytes)
                    builders[index].append(value)
                }
            }
            let batch = ColumnBatch(builders.map { $0.finish() }, rowCount: rows.count)
            return BufferedReader(batch.pieces(), keeping: held)
        }
    }
}

/// Skips `offset` rows and passes at most `limit`, then drops its input.
enum LimitSource {
    static func make(
        _ input: any BatchSource, limit: Int?, offset: Int, workers: Workers
    ) -> SinglePartSource {
        SinglePartSource { () throws(FirnError) -> any BatchReader in
            var toSkip = max(0, offset)
            var rest = max(0, limit ?? Int.max)
            var reader: OrderedReader? = rest > 0 ? OrderedReader(input, workers: workers) : nil
            return GeneratingReader { () throws(FirnError) -> ColumnBatch? in
                while toSkip > 0, let skipped = try reader?.skip(toSkip), skipped > 0 { toSkip -= skipped }
                while rest > 0, let batch = try reader?.next() {
                    if toSkip >= batch.rowCount {
                        toSkip -= batch.rowCount
                        continue
                    }
                    let end = toSkip + min(rest, batch.rowCount - toSkip)
                    let piece = batch.slice(toSkip..<end)
                    toSkip = 0
                    rest -= piece.rowCount
                    if rest == 0 { reader = nil }
                    return piece
                }
                reader = nil
                return nil
            }
        }
    }
}
