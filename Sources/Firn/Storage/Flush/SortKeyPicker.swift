// SPDX-License-Identifier: Apache-2.0
//
// Guesses which columns identify a series, where nobody declared it.
//
// A good key makes long runs: it has few distinct values for the number of rows, and within one of its values the
// other columns change little. Candidates are NOT NULL columns of text, UUID, integer and boolean type other than
// time; those with fewer than 32 rows a value are out (a random UUID, an order number).
//
//   1. A PRIMARY KEY that holds the time column says it: its other columns, those that qualify.
//   2. Otherwise the text or UUID column with the most distinct values, the finest identity that still has long runs;
//      integers only where no such column qualifies and rows of several series share their times, since an integer
//      of few values is as often a measurement.
//   3. Then further columns, as long as (key, time) still repeats and the column makes it repeat much less.
//
// The key is ordered by ascending distinct counts, so that the coarsest column has the longest runs.

struct SortKeyPicker {
    /// Fewer rows say too little.
    static let rowCountMin = 1_024
    /// Rows that a value of the key must have on average.
    static let rowsPerValueMin = 32.0
    /// Rows, from the first on, that are looked at for repeated times.
    private static let sampleRowCountMax = 32_768
    /// Repeated (key, time) below this share is not worth another column.
    private static let repetitionMax = 0.05

    let schema: TableSchema
    let sources: [ColumnSource]
    let rowCount: Int
    let locator: RowLocator

    private struct Candidate {
        let index: Int
        let coded: CodedColumn
    }

    /// Ids of the picked columns, possibly none; nil where the rows are too few to tell.
    ///
    /// `coded` keeps what was computed on the way, by column index, for the flush to use.
    func pick(coded: inout [Int: CodedColumn]) -> [ColumnID]? {
        guard rowCount >= Self.rowCountMin else { return nil }
        let timeIndex = schema.timeColumnIndex
        var candidates: [Candidate] = []
        for (index, column) in schema.columns.enumerated() where index != timeIndex {
            guard isCandidate(column, sources[index]) else { continue }
            let limit = CodedColumn.Limit(
                distinctCountMin: 4_096, rowsPerValueMin: Self.rowsPerValueMin, distinctCountMax: 1 << 18,
                byteCountMax: 16 << 20)
            guard let codes = coded[index] ?? CodedColumn(sources[index], rowCount: rowCount, limit: limit) else {
                continue
            }
            guard codes.distinctCount > 1,
                Double(rowCount) >= Double(codes.distinctCount) * Self.rowsPerValueMin
            else { continue }
            coded[index] = codes
            candidates.append(Candidate(index: index, coded: codes))
        }
        let picked = choose(candidates, timeIndex)
        return picked.sorted { ($0.coded.distinctCount, $0.index) < ($1.coded.distinctCount, $1.index) }
            .map { schema.columns[$0.index].id }
    }

    private func isCandidate(_ column: ColumnDefinition, _ source: ColumnSource) -> Bool {
        guard !column.isNullable, !source.hasNulls else { return false }
        switch column.type {
        case .text, .character, .uuid, .boolean, .smallint, .integer, .bigint: return true
        default: return false
        }
    }

    private func choose(_ candidates: [Candidate], _ timeIndex: Int?) -> [Candidate] {
        if let timeIndex, schema.primaryKey.contains(schema.columns[timeIndex].id) {
            let declared = candidates.filter { schema.primaryKey.contains(schema.columns[$0.index].id) }
            if !declared.isEmpty { return declared }
        }
        let sample = SampledTimes(
            timeIndex.map { sources[$0] }, locator, rowCount: min(rowCount, Self.sampleRowCountMax))
        var repetition = sample.repetition(with: [])
        let names = candidates.filter { $0.coded.text != nil || sources[$0.index].physical == .uuid }
        let numbers = candidates.filter { sources[$0.index].physical == .integer }
        var picked: [Candidate] = []
        if let finest = names.max(by: { $0.coded.distinctCount < $1.coded.distinctCount }) {
            picked = [finest]
        } else if repetition > Self.repetitionMax,
            let finest = numbers.min(by: {
                sample.repetition(with: [$0.coded]) < sample.repetition(with: [$1.coded])
            }), sample.repetition(with: [finest.coded]) < repetition / 2
        {
            picked = [finest]
        }
        guard !picked.isEmpty else { return [] }
        repetition = sample.repetition(with: picked.map(\.coded))
        while repetition > Self.repetitionMax {
            let rest = candidates.filter { candidate in !picked.contains { $0.index == candidate.index } }
            let rated = rest.map { candidate in
                (candidate, sample.repetition(with: picked.map(\.coded) + [candidate.coded]))
            }
            guard let (next, reduced) = rated.min(by: { $0.1 < $1.1 }), reduced < repetition / 2 else { break }
            let combinations = (picked + [next]).reduce(1.0) { $0 * Double($1.coded.distinctCount) }
            guard Double(rowCount) >= combinations * Self.rowsPerValueMin else { break }
            picked.append(next)
            repetition = reduced
        }
        return picked
    }
}

/// The times of the first rows, and how often they repeat.
private struct SampledTimes {
    private let times: [Int64]?
    private let rowCount: Int

    init(_ source: ColumnSource?, _ locator: RowLocator, rowCount: Int) {
        self.rowCount = rowCount
        times = source.map { source in
            let rows = (0..<UInt32(rowCount)).map { $0 }
            return [Int64](unsafeUninitializedCapacity: rowCount) { buffer, count in
                rows.withUnsafeBufferPointer { TimeReader(source, locator).read($0, into: buffer.baseAddress!) }
                count = rowCount
            }
        }
    }

    /// The share of rows whose time came before with the same values in the given columns; 0 without a time column.
    ///
    /// Rows are told apart by a hash of 64 bits: a collision among so few is not worth a thought.
    func repetition(with columns: [CodedColumn]) -> Double {
        guard let times, rowCount > 0 else { return 0 }
        var seen = Set<UInt64>(minimumCapacity: rowCount)
        for row in 0..<rowCount {
            var hash = UInt64(bitPattern: times[row]) &* 0x9E37_79B9_7F4A_7C15
            for column in columns {
                hash = (hash ^ hash >> 32 ^ UInt64(column.codes[row])) &* 0xBF58_476D_1CE4_E5B9
            }
            seen.insert(hash)
        }
        return Double(rowCount - seen.count) / Double(rowCount)
    }
}
