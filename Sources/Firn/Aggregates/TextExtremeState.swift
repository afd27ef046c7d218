// SPDX-License-Identifier: Apache-2.0
//
// min and max of text, JSONB and BYTEA: the smallest or largest value of each group, by its bytes.
//
// The best row of each group is found in a batch first; only it is copied, and only where it beats what the group has.
// So a group holds one value and nothing of the batches that it came from.

/// The smallest or largest value of each group.
final class TextExtremeState: AggregateState {
    private let extreme: Extreme
    /// Nil for groups without rows.
    private var values: [[UInt8]?] = []
    private var valueBytes = 0
    /// The row of the batch in work that is a group's best; -1 where it keeps what it has.
    private var pendingRows: [Int32] = []
    private var touched: [UInt32] = []

    init(_ extreme: Extreme) { self.extreme = extreme }

    func addGroups(_ count: Int) {
        values.append(contentsOf: repeatElement(nil, count: count))
        pendingRows.append(contentsOf: repeatElement(-1, count: count))
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        withBytes(of: arguments[0]) { bytes in
            for run in runs {
                var best = Int(run.start)
                for row in run.rows.dropFirst() where prefers(bytes(row), to: bytes(best)) { best = row }
                offer(row: best, group: Int(run.group), bytes)
            }
            takePending(bytes)
        }
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        withBytes(of: arguments[0]) { bytes in
            for row in 0..<groups.count { offer(row: row, group: Int(groups[row]), bytes) }
            takePending(bytes)
        }
    }

    private typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Calls `body` with what gives the bytes of each row.
    private func withBytes(of column: Column, _ body: ((Int) -> Bytes) -> Void) {
        switch column.values {
        case .bytes(let values):
            values.withUnsafeValues { bytes, offsets in
                body { row in Bytes(start: bytes + offsets[row], count: offsets[row + 1] - offsets[row]) }
            }
        case .dictionary(let codes, let dictionary):
            dictionary.values.withUnsafeValues { bytes, offsets in
                body { row in
                    let code = Int(codes[row])
                    return Bytes(start: bytes + offsets[code], count: offsets[code + 1] - offsets[code])
                }
            }
        default: preconditionFailure("byte strings lie in columns of bytes")
        }
    }

    /// True where `value` takes the place of `held`; of equal ones the first stays.
    private func prefers(_ value: Bytes, to held: Bytes) -> Bool {
        let order = compareBytes(value.baseAddress, value.count, held.baseAddress, held.count)
        return extreme == .smallest ? order < 0 : order > 0
    }

    private func offer(row: Int, group: Int, _ bytes: (Int) -> Bytes) {
        if pendingRows[group] >= 0 {
            guard prefers(bytes(row), to: bytes(Int(pendingRows[group]))) else { return }
        } else {
            let wins = values[group]?.withUnsafeBufferPointer { prefers(bytes(row), to: $0) } ?? true
            guard wins else { return }
            touched.append(UInt32(truncatingIfNeeded: group))
        }
        pendingRows[group] = Int32(truncatingIfNeeded: row)
    }

    private func takePending(_ bytes: (Int) -> Bytes) {
        for group in touched {
            keep(Array(bytes(Int(pendingRows[Int(group)]))), Int(group))
            pendingRows[Int(group)] = -1
        }
        touched.removeAll(keepingCapacity: true)
    }

    private func keep(_ value: [UInt8], _ group: Int) {
        valueBytes += Self.heldBytes(value) - Self.heldBytes(values[group])
        values[group] = value
    }

    /// Bytes of an array beside the pointer to it.
    private static func heldBytes(_ value: [UInt8]?) -> Int { value.map { $0.isEmpty ? 0 : $0.count + 32 } ?? 0 }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        let other = sameKind(other)
        for pair in pairs {
            guard let value = other.values[Int(pair.from)] else { continue }
            let group = Int(pair.to)
            let wins = value.withUnsafeBufferPointer { value in
                values[group]?.withUnsafeBufferPointer { prefers(value, to: $0) } ?? true
            }
            if wins { keep(value, group) }
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) -> Column {
        let known = groups.map { values[$0] != nil }
        var bytes = BytesValues()
        bytes.reserveCapacity(
            groups.count, byteCount: groups.reduce(0) { $0 + (values[$1]?.count ?? 0) })
        for group in groups { bytes.append(contentsOf: values[group] ?? []) }
        return Column(type: type, values: .bytes(bytes), validity: known.allSatisfy { $0 } ? nil : Bitmap(known))
    }

    var byteCount: Int { values.count * (MemoryLayout<[UInt8]?>.stride + 4) + valueBytes }
}
