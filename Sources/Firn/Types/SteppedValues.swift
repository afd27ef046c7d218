// SPDX-License-Identifier: Apache-2.0
//
// Integers as arithmetic progressions, written out only when somebody asks for them one by one.
//
// Regular times and sorted keys are stored so (Codec/Encodings/SteppedRuns.swift). An operator that understands
// progressions, as grouping does, never has the values in memory; any other sees an ordinary column.

import Synchronization

/// `valueCount` values: first, first + step, first + 2 step ... Sums wrap.
struct SteppedRun: Equatable, Sendable {
    let first: Int64
    let step: Int64
    let valueCount: Int

    /// Value `index` of the run.
    @inline(__always)
    func value(at index: Int) -> Int64 { first &+ step &* Int64(truncatingIfNeeded: index) }

    /// The last value; nil where the sum wraps on the way, so that the values in between may lie anywhere.
    var lastWithoutWrapping: Int64? {
        let (distance, isTooFar) = step.multipliedReportingOverflow(by: Int64(valueCount - 1))
        let (last, wraps) = first.addingReportingOverflow(distance)
        return isTooFar || wraps ? nil : last
    }
}

/// The values of a column without NULLs as progressions. Thread-safe.
final class SteppedValues: Sendable {
    /// In order; none is empty.
    let runs: [SteppedRun]
    let count: Int
    /// Present where the integers are codes of text, all of them below the dictionary's count.
    let dictionary: BytesDictionary?
    /// The values one by one, once they were asked for.
    private let written: Mutex<Column.Values?>

    init(_ runs: [SteppedRun], dictionary: BytesDictionary? = nil) {
        self.runs = runs
        self.dictionary = dictionary
        count = runs.reduce(0) { $0 + $1.valueCount }
        written = Mutex(nil)
    }

    /// The values one by one. The first call takes O(values), others take a lock.
    func values() -> Column.Values {
        written.withLock { written in
            if let written { return written }
            let values: Column.Values =
                if let dictionary {
                    .dictionary(writtenOut(as: UInt32.self), dictionary)
                } else {
                    .integer(writtenOut(as: Int64.self))
                }
            written = values
            return values
        }
    }

    private func writtenOut<Number: FixedWidthInteger>(as type: Number.Type) -> [Number] {
        [Number](unsafeUninitializedCapacity: count) { target, initialized in
            var place = target.baseAddress!
            for run in runs {
                var value = Number(truncatingIfNeeded: run.first)
                let step = Number(truncatingIfNeeded: run.step)
                for index in 0..<run.valueCount {
                    place[index] = value
                    value &+= step
                }
                place += run.valueCount
            }
            initialized = count
        }
    }

    /// The values of ascending rows, without writing out the others.
    func gather(ascending rows: [Int32]) -> Column.Values {
        if let dictionary { return .dictionary(picked(rows, as: UInt32.self), dictionary) }
        return .integer(picked(rows, as: Int64.self))
    }

    private func picked<Number: FixedWidthInteger>(_ rows: [Int32], as type: Number.Type) -> [Number] {
        [Number](unsafeUninitializedCapacity: rows.count) { target, initialized in
            runs.withUnsafeBufferPointer { runs in
                var run = 0
                var start = 0
                for index in rows.indices {
                    let row = Int(rows[index])
                    precondition(row >= start && row < count, "rows ascend within the column")
                    while row - start >= runs[run].valueCount {
                        start += runs[run].valueCount
                        run += 1
                    }
                    (target.baseAddress! + index)
                        .initialize(to: Number(truncatingIfNeeded: runs[run].value(at: row - start)))
                }
            }
            initialized = rows.count
        }
    }
}
