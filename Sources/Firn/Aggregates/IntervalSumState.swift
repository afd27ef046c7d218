// SPDX-License-Identifier: Apache-2.0
//
// sum and avg of INTERVAL: months, days and microseconds are summed apart, wider than one interval holds them.

/// Sums of intervals of each group.
final class IntervalSumState: AggregateState {
    private var counts: [Int64] = []
    private var months: [Int64] = []
    private var days: [Int64] = []
    private var microseconds: [Int128] = []

    func addGroups(_ count: Int) {
        counts.append(contentsOf: repeatElement(0, count: count))
        months.append(contentsOf: repeatElement(0, count: count))
        days.append(contentsOf: repeatElement(0, count: count))
        microseconds.append(contentsOf: repeatElement(0, count: count))
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        let rows = arguments[0].intervalValues!
        for run in runs { for row in run.rows { add(rows[row], Int(run.group)) } }
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        let rows = arguments[0].intervalValues!
        for (row, group) in groups.enumerated() { add(rows[row], Int(group)) }
    }

    private func add(_ value: Interval, _ group: Int) {
        counts[group] += 1
        months[group] += Int64(value.months)
        days[group] += Int64(value.days)
        microseconds[group] += Int128(value.microseconds)
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        let other = sameKind(other)
        for pair in pairs {
            let (index, group) = (Int(pair.from), Int(pair.to))
            counts[group] += other.counts[index]
            months[group] += other.months[index]
            days[group] += other.days[index]
            microseconds[group] += other.microseconds[index]
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) throws(FirnError) -> Column {
        var results: [Interval] = []
        for group in groups {
            guard let months = Int32(exactly: months[group]), let days = Int32(exactly: days[group]),
                let microseconds = Int64(exactly: microseconds[group])
            else { throw FirnError(.datetimeFieldOverflow, "interval out of range") }
            let sum = Interval(months: months, days: days, microseconds: microseconds)
            if output == .average, counts[group] > 0 {
                do throws(ValueError) {
                    results.append(try sum.divided(by: Double(counts[group])))
                } catch {
                    throw FirnError(valueError: error)
                }
            } else {
                results.append(sum)
            }
        }
        return Column(type: type, values: .interval(results), validity: groupValidity(ofCounts: counts[groups]))
    }

    var byteCount: Int { counts.count * 40 }
}
