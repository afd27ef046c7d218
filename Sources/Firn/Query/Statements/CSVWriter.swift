// SPDX-License-Identifier: Apache-2.0
//
// Rows into text as COPY … TO writes it: PostgreSQL's formats `csv` and `text`.

/// Builds up text; the caller takes it away in pieces.
struct CSVWriter {
    private let format: CSVFormat
    private let columns: [OutputColumn]
    private let writers: [ValueText]
    /// What was written and not yet taken.
    private(set) var bytes: [UInt8] = []
    /// Bytes that make a quoted field necessary.
    private let special: Set<UInt8>
    private var field: [UInt8] = []

    init(format: CSVFormat, columns: [OutputColumn], zone: TimeZoneRules) {
        self.format = format
        self.columns = columns
        writers = columns.map { ValueText(type: $0.type, zone: zone) }
        special = [format.delimiter, format.quote, UInt8(ascii: "\n"), UInt8(ascii: "\r")]
    }

    /// The bytes written since the last call.
    mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// The names of the columns, where the format has a header.
    mutating func appendHeader() {
        if format.header == .none { return }
        for (index, column) in columns.enumerated() {
            if index > 0 { bytes.append(format.delimiter) }
            appendField(Array(column.name.utf8))
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// All rows of a batch.
    mutating func append(_ batch: ColumnBatch) throws(FirnError) {
        for row in 0..<batch.rowCount {
            for (index, column) in batch.columns.enumerated() {
                if index > 0 { bytes.append(format.delimiter) }
                if column.isNull(row) {
                    bytes.append(contentsOf: format.null)
                    continue
                }
                field.removeAll(keepingCapacity: true)
                writers[index].append(column, row: row, to: &field)
                appendField(field)
            }
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    private mutating func appendField(_ field: [UInt8]) {
        switch format.style {
        case .csv:
            // Quoted where it must be, and where it would read as NULL or as the end of data.
            let needsQuotes =
                field.elementsEqual(format.null) || field.contains { special.contains($0) }
                || (columns.count == 1 && field.elementsEqual("\\.".utf8))
            if !needsQuotes {
                bytes.append(contentsOf: field)
                return
            }
            bytes.append(format.quote)
            for byte in field {
                if byte == format.quote || byte == format.escape { bytes.append(format.escape) }
                bytes.append(byte)
            }
            bytes.append(format.quote)
        case .text:
            for byte in field {
                let letter: UInt8? =
                    switch byte {
                    case 8: UInt8(ascii: "b")
                    case 9: UInt8(ascii: "t")
                    case 10: UInt8(ascii: "n")
                    case 11: UInt8(ascii: "v")
                    case 12: UInt8(ascii: "f")
                    case 13: UInt8(ascii: "r")
                    case UInt8(ascii: "\\"): UInt8(ascii: "\\")
                    case format.delimiter: byte
                    default: nil
                    }
                if let letter {
                    bytes.append(UInt8(ascii: "\\"))
                    bytes.append(letter)
                } else {
                    bytes.append(byte)
                }
            }
        }
    }
}
