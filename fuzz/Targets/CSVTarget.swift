// SPDX-License-Identifier: Apache-2.0
//
// Text files of rows, in both of COPY's layouts: how the bytes are handed over must not matter.
//
//     [layout: u8, bit 0 text, bits 1 to 3 the characters][piece byte count: u8][the file]

import FirnIO

@testable import Firn

extension FuzzTarget {
    static let csv = FuzzTarget(name: "csv") { input in
        guard input.count > 2 else { return .refused }
        let format = format(input[0])
        let file = Array(input[2...])
        let whole = records(file, pieceBytes: file.count, format)
        let pieces = records(file, pieceBytes: max(1, Int(input[1])), format)
        require(whole == pieces, "\(whole) when read at once, \(pieces) in pieces")
        plantedBug((whole.fields.first?.first ?? nil) ?? [])
        return whole.isWellFormed ? .accepted : .refused
    }

    private static func format(_ selector: UInt8) -> CSVFormat {
        var format = selector & 1 == 0 ? CSVFormat.csv : CSVFormat.text
        if selector & 2 != 0 { format.delimiter = UInt8(ascii: ";") }
        if selector & 4 != 0 { format.quote = UInt8(ascii: "'") }
        if selector & 8 != 0 { format.escape = UInt8(ascii: "\\") }
        if selector & 16 != 0 { format.null = Array("NULL".utf8) }
        return format
    }

    /// What a reader makes of a file: records, their lines, and the error that ends them.
    private struct Records: Equatable {
        /// Of each record its fields; NULL apart.
        var fields: [[[UInt8]?]] = []
        var lines: [Int] = []
        var error: String?

        var isWellFormed: Bool { error == nil }
    }

    private static func records(_ file: [UInt8], pieceBytes: Int, _ format: CSVFormat) -> Records {
        var records = Records()
        var position = 0
        let source = ClosureByteSource {
            guard position < file.count else { return nil }
            defer { position = min(position + pieceBytes, file.count) }
            return Array(file[position..<min(position + pieceBytes, file.count)])
        }
        do throws(FirnError) {
            let reader = try CSVReader(source, format: format, name: "input")
            while try reader.next() {
                records.fields.append(
                    reader.fields.map { reader.isNull($0) ? nil : Array(reader.bytes(of: $0)) })
                records.lines.append(reader.line)
                _ = reader.recordText
            }
        } catch {
            records.error = "\(error)"
        }
        return records
    }
}
