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
            addBlocks(room)
            swap(&room, &self.room)
        }
    }

    /// Adds the blocks of a batch to their groups.
    private func addBlocks(_ room: BlockRoom) {
        let tracksSquares = tracksSquares
        withGroups { groups in
            room.blocks.withBlocks { _, blockGroups in
                room.sums.withUnsafeBufferPointer { sums in
                    room.distances.withUnsafeBufferPointer { distances in
                        for block in blockGroups.indices {
                            let part = sums[block]
                            // A run of one value has no spread, whatever its mean was rounded to.
                            let isConstant = part.min == part.max && part.nanCount == 0 && part.min.isFinite
                            groups.add(
                                Int(blockGroups[block]), count: part.count, sum: part.sum, error: 0,
                                distance: tracksSquares && !isConstant ? distances[block] : 0,
                                tracksSquares: tracksSquares)
                        }
                    }
                }
            }
        }
    }

    func update(groups rowGroups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        let tracksSquares = tracksSquares
        values(of: arguments[0]).withUnsafeBufferPointer { values in
            precondition(values.count >= rowGroups.count, "a value for each row")
            withGroups { groups in
                for row in 0..<rowGroups.count {
                    let group = Int(rowGroups[row])
                    let value = values[row]
                    let count = groups.counts[group] &+ 1
                    groups.counts[group] = count
                    let held = groups.sums[group]
                    let total = held + value
                    let virtual = total - held
                    groups.errors[group] += (held - (total - virtual)) + (value - virtual)
                    groups.sums[group] = total
                    if tracksSquares {
                        if count > 1 {
                            // Youngs and Cramer.
                            let rows = Double(count)
                            let distance = value * rows - (total + groups.errors[group])
                            groups.distances[group] += distance * distance / (rows * (rows - 1))
                        } else {
                            // NaN and infinity spoil the variance of a single row, too.
                            groups.distances[group] = value - value
                        }
                    }
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
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) -> Column {
        let minimum: Int64 = output == .sampleVariance || output == .sampleDeviation ? 2 : 1
        let results =
            switch output {
            case .sum: results(groups) { sum, _, _ in sum }
            case .average: results(groups) { sum, _, rows in sum / rows }
            case .sampleVariance: results(groups) { _, distance, rows in distance / (rows - 1) }
            case .populationVariance: results(groups) { _, distance, rows in distance / rows }
            case .sampleDeviation: results(groups) { _, distance, rows in (distance / (rows - 1)).squareRoot() }
            case .populationDeviation: results(groups) { _, distance, rows in (distance / rows).squareRoot() }
            case .count, .value: unsupported(output)
            }
        let validity = groupValidity(ofCounts: counts[groups], atLeast: minimum)
        let values: Column.Values = type == .real ? .float(results.map(Float.init)) : .double(results)
        return Column(type: type, values: values, validity: validity)
    }

    /// One number a group.
    @inline(__always)
    private func results(
        _ range: Range<Int>, _ number: (_ sum: Double, _ distance: Double, _ rows: Double) -> Double
    ) -> [Double] {
        let (counts, sums, errors, distances) = (counts, sums, errors, distances)
        let tracksSquares = tracksSquares
        return [Double](unsafeUninitializedCapacity: range.count) { target, count in
            for (index, group) in range.enumerated() {
                // Once the sum is infinite or NaN its error is meaningless.
                let sum = sums[group].isFinite ? sums[group] + errors[group] : sums[group]
                let distance = tracksSquares ? max(0, distances[group]) : 0
                (target.baseAddress! + index).initialize(to: number(sum, distance, Double(counts[group])))
            }
            count = range.count
        }
    }

    var byteCount: Int { counts.count * (tracksSquares ? 32 : 24) }
}
