// SPDX-License-Identifier: Apache-2.0
//
// Generated rows as files for the peers: CSV, or one raw file a column, which numpy reads as it lies.
//
// CSV: a header row; times as `2016-01-01 00:00:00.000000` in UTC without a zone; doubles in their shortest exact form.
// Columns: little-endian, packed, NAME.i64 (integers, and times in microseconds since 1970), NAME.f64, NAME.u32 (codes
// of text) with its values in NAME.dictionary, one a line, and NAME.u128 (UUIDs, most significant byte first).

import Firn

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What went wrong with a file, in the words of the operating system.
struct OutputError: Error, CustomStringConvertible {
    let description: String
    init(_ action: String, _ path: String) {
        description = "cannot \(action) \(path): \(String(cString: strerror(errno)))"
    }
}

/// A buffered file that is written from front to back.
final class OutputFile {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private static let bufferBytes = 1 << 20

    /// Makes the file, or empties it. `-` is standard output.
    init(_ path: String) throws(OutputError) {
        self.path = path
        descriptor = path == "-" ? dup(1) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw OutputError("create", path) }
        buffer.reserveCapacity(Self.bufferBytes + 4_096)
    }

    deinit { close(descriptor) }

    func write(_ fill: (inout [UInt8]) -> Void) throws(OutputError) {
        fill(&buffer)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Hands everything to the operating system. Call it after the last row.
    func flush() throws(OutputError) {
        var start = 0
        while start < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                // `start` is below the count, so the address lies within the buffer.
                #if canImport(Glibc)
                    Glibc.write(descriptor, bytes.baseAddress! + start, bytes.count - start)
                #elseif canImport(Musl)
                    Musl.write(descriptor, bytes.baseAddress! + start, bytes.count - start)
                #else
                    Darwin.write(descriptor, bytes.baseAddress! + start, bytes.count - start)
                #endif
            }
            if written < 0 && errno == EINTR { continue }
            if written <= 0 { throw OutputError("write", path) }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Writes batches as CSV.
struct CSVOutput {
    /// How times are written.
    enum Times {
        /// `2016-01-01 00:00:00.000000`, UTC.
        case text
        /// Since 1970.
        case microseconds
    }
    private let file: OutputFile
    private let times: Times

    init(_ path: String, header: [String], times: Times = .text) throws(OutputError) {
        self.times = times
        file = try OutputFile(path)
        try file.write { $0.append(contentsOf: (header.joined(separator: ",") + "\n").utf8) }
    }

    func write(_ batch: ColumnBatch) throws(OutputError) {
        let fields = batch.columns.map(fieldWriter)
        for row in 0..<batch.rowCount {
            try file.write { bytes in
                for index in fields.indices {
                    if index > 0 { bytes.append(UInt8(ascii: ",")) }
                    fields[index](row, &bytes)
                }
                bytes.append(UInt8(ascii: "\n"))
            }
        }
    }

    func finish() throws(OutputError) { try file.flush() }

    /// What appends the text of a row's value. The tables have no value that CSV must quote.
    private func fieldWriter(_ column: Column) -> (Int, inout [UInt8]) -> Void {
        if let values = column.integerValues {
            if column.type.isTimestamp && times == .text {
                return { row, bytes in Self.appendTime(values[row], &bytes) }
            }
            return { row, bytes in bytes.append(contentsOf: String(values[row]).utf8) }
        }
        if let values = column.doubleValues {
            return { row, bytes in bytes.append(contentsOf: values[row].description.utf8) }
        }
        if let (codes, dictionary) = column.dictionaryValues {
            return { row, bytes in bytes.append(contentsOf: dictionary.values[Int(codes[row])]) }
        }
        if let values = column.bytesValues { return { row, bytes in bytes.append(contentsOf: values[row]) } }
        if let values = column.uuidValues { return { row, bytes in Self.appendUUID(values[row], &bytes) } }
        preconditionFailure("benchmark tables have no column of type \(column.type)")
    }

    private static func appendDigits(_ number: Int64, width: Int, _ bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    /// Civil date from days by Hinnant's algorithm, for years from 1970 to 9999.
    private static func appendTime(_ microseconds: Int64, _ bytes: inout [UInt8]) {
        let (days, rest) = microseconds.quotientAndRemainder(dividingBy: 86_400 * microsecondsPerSecond)
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        appendDigits(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), width: 4, &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(month, width: 2, &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, width: 2, &bytes)
        bytes.append(UInt8(ascii: " "))
        let seconds = rest / microsecondsPerSecond
        appendDigits(seconds / 3_600, width: 2, &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(seconds / 60 % 60, width: 2, &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(seconds % 60, width: 2, &bytes)
        bytes.append(UInt8(ascii: "."))
        appendDigits(rest % microsecondsPerSecond, width: 6, &bytes)
    }

    private static func appendUUID(_ value: UInt128, _ bytes: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(digits[Int(truncatingIfNeeded: value >> (124 - 4 * digit)) & 15])
        }
    }
}

/// Writes batches as one file a column. Text columns must share one dictionary over all batches.
final class ColumnFilesOutput {
    private let folder: String
    private let names: [String]
    private var files: [OutputFile] = []

    init(_ folder: String, names: [String]) throws(OutputError) {
        self.folder = folder
        self.names = names
        if mkdir(folder, 0o755) != 0 && errno != EEXIST { throw OutputError("create the folder", folder) }
    }

    func write(_ batch: ColumnBatch) throws(OutputError) {
        if files.isEmpty {
            for (name, column) in zip(names, batch.columns) { files.append(try open(name, column)) }
        }
        for (file, column) in zip(files, batch.columns) {
            try file.write { bytes in
                func append<T>(_ values: [T]) { values.withUnsafeBytes { bytes.append(contentsOf: $0) } }
                if let values = column.integerValues { append(values) }
                if let values = column.doubleValues { append(values) }
                if let values = column.dictionaryValues { append(values.codes) }
                if let values = column.uuidValues { append(values.map(\.bigEndian)) }
            }
        }
    }

    func finish() throws(OutputError) { for file in files { try file.flush() } }

    private func open(_ name: String, _ column: Column) throws(OutputError) -> OutputFile {
        if let (_, dictionary) = column.dictionaryValues {
            let list = try OutputFile("\(folder)/\(name).dictionary")
            for code in 0..<dictionary.count {
                try list.write { bytes in
                    bytes.append(contentsOf: dictionary.values[code])
                    bytes.append(UInt8(ascii: "\n"))
                }
            }
            try list.flush()
            return try OutputFile("\(folder)/\(name).u32")
        }
        if column.doubleValues != nil { return try OutputFile("\(folder)/\(name).f64") }
        if column.uuidValues != nil { return try OutputFile("\(folder)/\(name).u128") }
        precondition(column.integerValues != nil, "benchmark tables have no column of type \(column.type)")
        return try OutputFile("\(folder)/\(name).i64")
    }
}
