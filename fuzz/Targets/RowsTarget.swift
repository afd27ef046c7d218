// SPDX-License-Identifier: Apache-2.0
//
// Rows as the payload of a log frame; what is read must write itself again, value for value.

import FirnIO

@testable import Firn

extension FuzzTarget {
    static let rows = FuzzTarget(name: "rows") { input in
        do throws(FormatError) {
            let rows = try RowsCodec.decode(input, .current)
            require(try RowsCodec.table(of: input) == rows.table, "two answers to whose rows they are")
            let columns = zip(rows.columns, rows.batch.columns).map { id, column in
                require(column.count == rows.batch.rowCount, "a column of another length")
                return ColumnDefinition(id: id, name: "c", type: column.type)
            }
            if let first = rows.batch.columns.first, case .bytes(let values) = first.values, values.count > 0 {
                plantedBug(values[0])
            }
            var written = ByteWriter()
            RowsCodec.encode(rows.batch, columns: columns, table: rows.table, into: &written)
            check(rows.batch, written.bytes)
            return .accepted
        } catch {
            return .refused
        }
    }

    private static func check(_ batch: ColumnBatch, _ written: [UInt8]) {
        do throws(FormatError) {
            let again = try RowsCodec.decode(written, .current).batch
            require(again.rowCount == batch.rowCount, "other rows than were written")
            // A batch without columns may have any number of rows; one of long rows is told by its first ones.
            for (left, right) in zip(batch.columns, again.columns) {
                require(left.type == right.type, "a column of another type")
                for row in 0..<min(batch.rowCount, 10_000) {
                    require(isSame(left[row], right[row]), "\(left[row]) came back as \(right[row])")
                }
            }
        } catch {
            fatalError("fuzz: rows that were read cannot be written anew: \(error)")
        }
    }

    /// Equal, or a NaN both times.
    private static func isSame(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.float(let left), .float(let right)): left.bitPattern == right.bitPattern
        case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern
        case (.vector(let left), .vector(let right)): left.map(\.bitPattern) == right.map(\.bitPattern)
        default: left == right
        }
    }
}
