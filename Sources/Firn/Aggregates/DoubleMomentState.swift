// SPDX-License-Identifier: Apache-2.0
//
// sum, avg, stddev and variance of DOUBLE PRECISION and REAL.
//
// A group has the count of its rows, their sum as an unevaluated pair (high + low), and, where asked for, the sum of
// the squared distances from their mean (M2). A run is summed in the fixed lanes of the kernels, 1,024 rows at a time,
// and added to the pair without losing the rounding error (TwoSum); its M2 is computed in a second pass around its
// own mean, while the values are still in L1, and joined by the update of Chan et al. Squares of raw values are never summed:
// that loses everything where the mean is large. Results depend on how rows are cut into batches and parts, which
// the stored layout fixes, and on nothing else.
//
// A block whose sum rounding left outside of count x smallest to count x largest of its values is added row by row,
// without losing anything, so that no average is below all values or above them. Values so large that sums or squares
// could overflow go to HugeMoments, row by row, too; so loops over ordinary values have nothing to look out for. A sum
// of finite values that no double holds is error 22003, and so is a variance; infinities and NaN among the values make
// the result infinite or NaN, as in PostgreSQL.
//
// Sources: Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979;
// Youngs and Cramer, 1971 (row by row, as PostgreSQL does it); Knuth, TAOCP 2, 4.2.2 (TwoSum).

import CKernels

/// Count, compensated sum and squared distances of each group.
final class DoubleMomentState: AggregateState {
    private let tracksSquares: Bool
    /// The argument is REAL.
    private let widens: Bool
    private var counts: [Int64] = []
    private var sums: [Double] = []
    /// What `sums` lost to rounding.
    private var errors: [Double] = []
    /// Sum of squared distances from the mean; empty unless asked for.
    private var distances: [Double] = []
    /// What groups have beside that, of values that are huge.
    private var huge: [Int: HugeMoments] = [:]

    /// Rows that are summed without compensation.
    private static let blockRows = 1_024
    private var room = BlockRoom()

    /// Room for the blocks of one batch. A call takes it and puts it back, so that access to it is not watched.
    private struct BlockRoom {
        var blocks = RunBlocks()
        var sums: [FirnDoubleAggregate] = []
        var means: [Double] = []
        var distances: [Double] = []
    }

    init(tracksSquares: Bool, widens: Bool) {
        self.tracksSquares = tracksSquares
        self.widens = widens
    }

    func addGroups(_ count: Int) {
        counts.append(contentsOf: repeatElement(0, count: count))
        sums.append(contentsOf: repeatElement(0, count: count))
        errors.append(contentsOf: repeatElement(0, count: count))
        if tracksSquares { distances.append(contentsOf: repeatElement(0, count: count)) }
    }

    /// Arrays of the groups, as pointers that are valid for one call.
    private struct Groups {
        let counts: UnsafeMutablePointer<Int64>
        let sums: UnsafeMutablePointer<Double>
        let errors: UnsafeMutablePointer<Double>
        let distances: UnsafeMutablePointer<Double>

        /// Adds rows of which count, sum and squared distances are known.
        @inline(__always)
        func add(_ group: Int, count: Int64, sum: Double, error: Double, distance: Double, tracksSquares: Bool) {
            let before = counts[group]
            if tracksSquares {
                if before == 0 {
                    distances[group] = distance
                } else {
                    let left = Double(before)
                    let right = Double(count)
                    let delta = (sum + error) / right - (sums[group] + errors[group]) / left
                    distances[group] += distance + delta * delta * (left * right / (left + right))
                }
            }
            counts[group] = before &+ count
            // TwoSum: total + lost is exactly sums[group] + sum.
            let held = sums[group]
            let total = held + sum
            let virtual = total - held
            let lost = (held - (total - virtual)) + (sum - virtual)
            sums[group] = total
            errors[group] += lost + error
        }

        /// Adds one row.
        @inline(__always)
        func addRow(_ value: Double, to group: Int, tracksSquares: Bool) {
            let count = counts[group] &+ 1
            counts[group] = count
            let held = sums[group]
            let total = held + value
            let virtual = total - held
            errors[group] += (held - (total - virtual)) + (value - virtual)
            sums[group] = total
            if tracksSquares {
                if count > 1 {
                    // Youngs and Cramer.
                    let rows = Double(count)
                    let distance = value * rows - (total + errors[group])
                    distances[group] += distance * distance / (rows * (rows - 1))
                } else {
                    // NaN and infinity spoil the variance of a single row, too.
                    distances[group] = value - value
                }
            }
        }
    }

    @inline(__always)
    private func withGroups(_ body: (Groups) -> Void) {
        counts.withUnsafeMutableBufferPointer { counts in
            sums.withUnsafeMutableBufferPointer { sums in
                errors.withUnsafeMutableBufferPointer { errors in
                    distances.withUnsafeMutableBufferPointer { distances in
                        guard let base = counts.baseAddress else { return }
                        // Without squares `distances` is never touched: any address does.
                        body(
                            Groups(
                                counts: base, sums: sums.baseAddress!, errors: errors.baseAddress!,
                                distances: distances.baseAddress ?? sums.baseAddress!))
                    }
                }
            }
        }
    }

    private func values(of column: Column) -> [Double] {
        widens ? column.floatValues!.map(Double.init) : column.doubleValues!
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        let tracksSquares = tracksSquares
        values(of: arguments[0]).withUnsafeBufferPointer { values in
            precondition(runs.last.map { Int($0.end) <= values.count } ?? true, "runs lie within the batch")
            guard let values = values.baseAddress else { return }
            var room = BlockRoom()
            swap(&room, &self.room)
            room.blocks.cut(runs, rowsMax: Self.blockRows)
            let count = room.blocks.count
            if room.sums.count < count {
                room.sums = [FirnDoubleAggregate](repeating: FirnDoubleAggregate(), count: count)
                if tracksSquares {
                    room.means = [Double](repeating: 0, count: count)
                    room.distances = [Double](repeating: 0, count: count)
                }
            }
            room.blocks.withBlocks { ends, _ in
                room.sums.withUnsafeMutableBufferPointer { sums in
                    Kernels.aggregateRuns(values, ends: ends, into: sums.baseAddress!)
                }
                guard tracksSquares else { return }
                room.means.withUnsafeMutableBufferPointer { means in
                    room.sums.withUnsafeBufferPointer { sums in
                        for block in 0..<count { means[block] = sums[block].sum / Double(sums[block].count) }
                    }
                    room.distances.withUnsafeMutableBufferPointer { distances in
                        Kernels.squaresOfRuns(
                            values, ends: ends, around: means.baseAddress!, into: distances.baseAddress!)
                    }
                }
            }
            let oddBlocks = addBlocks(room)
            if !oddBlocks.isEmpty { addRows(ofBlocks: oddBlocks, room, values) }
            swap(&room, &self.room)
        }
    }

    /// Adds the blocks of a batch to their groups; gives those whose rows are to be added one by one.
    private func addBlocks(_ room: BlockRoom) -> [Int] {
        let tracksSquares = tracksSquares
        var oddBlocks: [Int] = []
        withGroups { groups in
            room.blocks.withBlocks { _, blockGroups in
                room.sums.withUnsafeBufferPointer { sums in
                    room.distances.withUnsafeBufferPointer { distances in
                        for block in blockGroups.indices {
                            let part = sums[block]
                            // A run of one value has no spread, whatever its mean was rounded to.
                            let isConstant = part.min == part.max && part.nanCount == 0
                            if part.hasHuge || (!isConstant && part.isSumOutside) {
                                oddBlocks.append(block)
                                continue
                            }
                            let (sum, error) = isConstant ? part.sumOfEquals : (part.sum, 0)
                            groups.add(
                                Int(blockGroups[block]), count: part.count, sum: sum, error: error,
                                distance: tracksSquares && !isConstant ? distances[block] : 0,
                                tracksSquares: tracksSquares)
                        }
                    }
                }
            }
        }
        return oddBlocks
    }

    /// Adds the rows of some blocks one by one.
    private func addRows(ofBlocks blocks: [Int], _ room: BlockRoom, _ values: UnsafePointer<Double>) {
        room.blocks.withBlocks { ends, blockGroups in
            for block in blocks {
                // In bounds: blocks lie within the batch.
                for row in (block == 0 ? 0 : Int(ends[block - 1]))..<Int(ends[block]) {
                    addRow(values[row], toGroup: Int(blockGroups[block]))
                }
            }
        }
    }

    /// Adds a row that may be huge.
    private func addRow(_ value: Double, toGroup group: Int) {
        if value.magnitude > HugeMoments.threshold, value.isFinite {
            huge[group, default: HugeMoments()].add(value)
        } else {
            withGroups { $0.addRow(value, to: group, tracksSquares: tracksSquares) }
        }
    }

    func update(groups rowGroups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        let tracksSquares = tracksSquares
        values(of: arguments[0]).withUnsafeBufferPointer { values in
            precondition(values.count >= rowGroups.count, "a value for each row")
            guard let base = values.baseAddress else { return }
            if !widens, Kernels.aggregate(base, count: rowGroups.count).hasHuge {
                for row in 0..<rowGroups.count { addRow(values[row], toGroup: Int(rowGroups[row])) }
                return
            }
            withGroups { groups in
                for row in 0..<rowGroups.count {
                    groups.addRow(values[row], to: Int(rowGroups[row]), tracksSquares: tracksSquares)
                }
            }
        }
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        let other = sameKind(other)
        let tracksSquares = tracksSquares
        withGroups { groups in
            other.withGroups { added in
                for pair in pairs where added.counts[Int(pair.from)] > 0 {
                    let index = Int(pair.from)
                    groups.add(
                        Int(pair.to), count: added.counts[index], sum: added.sums[index],
                        error: added.errors[index], distance: tracksSquares ? added.distances[index] : 0,
                        tracksSquares: tracksSquares)
                }
            }
        }
        if other.huge.isEmpty { return }
        for pair in pairs {
            guard let added = other.huge[Int(pair.from)] else { continue }
            huge[Int(pair.to), default: HugeMoments()].add(added)
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) throws(FirnError) -> Column {
        let minimum: Int64 = output == .sampleVariance || output == .sampleDeviation ? 2 : 1
        let results: [Double]
        switch output {
        case .sum: results = try self.results(groups, minimum) { sum, _, _ in sum.value }
        case .average: results = try self.results(groups, minimum) { sum, _, rows in sum.divided(by: rows) }
        case .sampleVariance: results = try self.results(groups, minimum) { _, distance, rows in distance / (rows - 1) }
        case .populationVariance: results = try self.results(groups, minimum) { _, distance, rows in distance / rows }
        case .sampleDeviation:
            results = try self.results(groups, minimum) { _, distance, rows in (distance / (rows - 1)).squareRoot() }
        case .populationDeviation:
            results = try self.results(groups, minimum) { _, distance, rows in (distance / rows).squareRoot() }
        case .count, .value: unsupported(output)
        }
        let counts = groups.map { rowCount(ofGroup: $0) }
        let validity = groupValidity(ofCounts: counts[...], atLeast: minimum)
        guard type == .real else { return Column(type: type, values: .double(results), validity: validity) }
        let floats = results.map(Float.init)
        // What a double holds may be too much for a REAL.
        for (float, double) in zip(floats, results) where float.isInfinite && double.isFinite { throw .floatOverflow }
        return Column(type: type, values: .float(floats), validity: validity)
    }

    private func rowCount(ofGroup group: Int) -> Int64 {
        huge.isEmpty ? counts[group] : counts[group] + (huge[group]?.count ?? 0)
    }

    /// One number a group, 0 where a group has too few rows. Error 22003 where finite values have no finite one.
    @inline(__always)
    private func results(
        _ range: Range<Int>, _ rowsMin: Int64,
        _ number: (_ sum: CompensatedSum, _ distance: Double, _ rows: Double) -> Double
    ) throws(FirnError) -> [Double] {
        let (counts, sums, errors, distances) = (counts, sums, errors, distances)
        let tracksSquares = tracksSquares
        var results = [Double](unsafeUninitializedCapacity: range.count) { target, count in
            for (index, group) in range.enumerated() {
                let sum = CompensatedSum(high: sums[group], low: errors[group])
                (target.baseAddress! + index).initialize(
                    to: number(sum, tracksSquares ? distances[group] : 0, Double(counts[group])))
            }
            count = range.count
        }
        for (group, huge) in huge where range.contains(group) {
            let (count, sum, error) = (counts[group], sums[group], errors[group])
            // Infinities and NaN among the other values make the result what it is without the huge ones.
            guard sum.isFinite, rowCount(ofGroup: group) >= rowsMin else { continue }
            let total = CompensatedSum(high: huge.sum(with: sum, error))
            let distance =
                tracksSquares
                ? huge.distances(withCount: count, sum: sum, error, distances: distances[group]) : 0
            let result = number(total, distance, Double(count + huge.count))
            guard result.isFinite else { throw .floatOverflow }
            results[group - range.lowerBound] = result
        }
        return results
    }

    var byteCount: Int { counts.count * (tracksSquares ? 32 : 24) + huge.count * 64 }
}

extension FirnDoubleAggregate {
    /// Whether infinities or values that HugeMoments takes are among these.
    @inline(__always)
    fileprivate var hasHuge: Bool { max > HugeMoments.threshold || min < -HugeMoments.threshold }

    /// Whether rounding left the sum below that of as many smallest values, or above that of as many largest ones.
    @inline(__always)
    fileprivate var isSumOutside: Bool {
        let rows = Double(count)
        return sum < rows * min || sum > rows * max
    }

    /// The sum, and what it lost to rounding, where all values are the same.
    @inline(__always)
    fileprivate var sumOfEquals: (sum: Double, error: Double) {
        guard count > 1 else { return (sum, 0) }
        let rows = Double(count)
        let product = rows * min
        return (product, (-product).addingProduct(rows, min))
    }
}

extension CompensatedSum {
    /// The quotient, rounded once: an average of values that are all the same is that value.
    @inline(__always)
    fileprivate func divided(by rows: Double) -> Double {
        let total = value
        let quotient = total / rows
        guard quotient.isFinite else { return quotient }
        return quotient + (Self.remainder(of: total, quotient, rows) + ((high - total) + low)) / rows
    }

    /// total - quotient x rows, exactly.
    @inline(__always)
    private static func remainder(of total: Double, _ quotient: Double, _ rows: Double) -> Double {
        guard rows < 0x1p26 else { return total.addingProduct(-quotient, rows) }
        // Halves of the quotient, whose products with the count of rows are exact (Dekker, 1971).
        let upper = Double(bitPattern: quotient.bitPattern & ~0x7FF_FFFF)
        return (total - upper * rows) - (quotient - upper) * rows
    }
}
