// SPDX-License-Identifier: Apache-2.0
//
// ORDER BY … LIMIT n over an integer or time: the worst value that can still be wanted, shared by all threads.
//
// As soon as any part has n rows, its n-th value bounds the answer: rows that are strictly worse are dropped before
// they are gathered, and parts whose statistics are strictly worse are not read. Parts that promise the best values
// are read first. Equal values are always kept, so that ties come out in the order of the input; which rows were
// dropped early therefore never changes the result.

import Synchronization

/// The bound of one sort with a limit. Thread-safe.
final class TopRowsThreshold: Sendable {
    /// The column of the input by which rows are sorted first.
    let column: Int
    private let isDescending: Bool
    private let nullsFirst: Bool
    /// As a rank: smaller ones are better.
    private let worstRank = Atomic<Int64>(Int64.max)

    /// Nil where the first key is no plain column of integers or times.
    init?(_ keys: [LogicalPlan.SortKey]) {
        guard let first = keys.first, case .column(let column) = first.expression.kind,
            first.expression.type.physical == .integer
        else { return nil }
        self.column = column
        isDescending = first.isDescending
        nullsFirst = first.nullsFirst
    }

    /// Smaller ranks come first. Reverses the order without overflow where it descends.
    private func rank(_ value: Int64) -> Int64 { isDescending ? ~value : value }

    /// A part has enough rows of which this one, not NULL, is the last that could be wanted.
    func lower(to value: Int64) { _ = worstRank.min(rank(value), ordering: .relaxed) }

    /// True where nothing in a part can be wanted.
    func excludes(_ bounds: IntegerBounds) -> Bool {
        if nullsFirst, bounds.mayHoldNull { return false }
        return bestRank(bounds) > worstRank.load(ordering: .relaxed)
    }

    /// The numbers of all parts, those first that promise the best values.
    func readingOrder(_ source: any BatchSource) -> [Int] {
        let parts = (0..<source.partCount).map { part in
            (part: part, rank: source.bounds(ofPart: part, column: column).map(bestRank) ?? Int64.min)
        }
        return parts.sorted { ($0.rank, $0.part) < ($1.rank, $1.part) }.map(\.part)
    }

    private func bestRank(_ bounds: IntegerBounds) -> Int64 {
        rank(isDescending ? bounds.maximum : bounds.minimum)
    }

    /// The rows of a batch that can still be wanted; nil for all.
    func wantedRows(_ batch: ColumnBatch) -> [Int32]? {
        let worst = worstRank.load(ordering: .relaxed)
        let keys = batch.columns[column]
        guard worst < Int64.max, let values = keys.integerValues else { return nil }
        // rank(value) <= worst, without computing ranks: ~ turns the order round.
        var wanted = bitmap(of: values) { values, count, words in
            Kernels.compare(
                values, count: count, isDescending ? .greaterOrEqual : .lessOrEqual, isDescending ? ~worst : worst,
                into: words)
        }
        if let validity = keys.validity { wanted = nullsFirst ? wanted | ~validity : wanted & validity }
        return wanted.isAllSet ? nil : wanted.setIndices
    }
}
