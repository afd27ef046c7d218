// SPDX-License-Identifier: Apache-2.0
//
// Cuts a stream of bytes into records and fields, as PostgreSQL's COPY does for its formats `csv` and `text`.
//
// The stream is read in blocks; the current record always lies whole in the buffer. All places are byte offsets
// from the record's start, so that they stay true when the record is moved to make room. Fields that hold quotes
// or escapes are rewritten in place, since unescaping never lengthens. Line ends are LF, CRLF or CR; those in
// quoted fields belong to the field. A UTF-8 byte order mark is skipped.
//
// Source: RFC 4180, and the PostgreSQL 15 documentation of COPY.

/// Reads records one after another. Not thread-safe.
final class CSVReader {
    /// A field of the current record: its bytes, and whether quotes or escapes kept it from being NULL.
    struct Field {
        var start: Int
        var end: Int
        var isQuoted: Bool
    }

    /// Most bytes of one record; a missing quote would otherwise swallow the rest of a large file.
    static let recordBytesMax = 64 << 20

    private let source: any ByteSource
    private let format: CSVFormat
    private let name: String
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    /// Where the current record starts in the buffer, and where what was read ends.
    private var recordStart = 0
    private var end = 0
    private var sourceEnded = false
    /// Bytes of the current record with its line end; the next record starts behind them.
    private var recordBytes = 0
    private var nextLine = 1

    /// Fields of the current record.
    private(set) var fields: [Field] = []
    /// 1-based line on which the current record begins.
    private(set) var line = 1

    /// - Parameter name: the stream's name in error messages.
    init(_ source: any ByteSource, format: CSVFormat, name: String) throws(FirnError) {
        self.source = source
        self.format = format
        self.name = name
        while end < 3, try readMore() {}
        let start = [UInt8](buffer[..<min(end, 3)])
        if start == [0xEF, 0xBB, 0xBF] { recordStart = 3 }
        if start.starts(with: [0xFE, 0xFF]) || start.starts(with: [0xFF, 0xFE]) {
            throw FirnError(
                .characterNotInRepertoire, "\(name) is UTF-16, not UTF-8",
                hint: "Convert it first: iconv -f UTF-16 -t UTF-8")
        }
    }

    deinit { buffer.deallocate() }

    /// The bytes of a field of the current record; valid until the next record is read.
    func bytes(of field: Field) -> UnsafeBufferPointer<UInt8> {
        // Fields lie within what was read: recordStart + start <= recordStart + end <= self.end <= buffer.count.
        UnsafeBufferPointer(start: base + field.start, count: field.end - field.start)
    }

    /// True where the field means NULL.
    func isNull(_ field: Field) -> Bool {
        guard !field.isQuoted, field.end - field.start == format.null.count else { return false }
        return format.null.isEmpty || bytes(of: field).elementsEqual(format.null)
    }

    /// The current record as it stands in the stream, without its line end, cut to a length fit for messages.
    /// Fields that were quoted read as they were rewritten.
    var recordText: String {
        let bytes = fields.map { String(decoding: self.bytes(of: $0), as: UTF8.self) }
        let text = bytes.joined(separator: String(UnicodeScalar(format.delimiter)))
        return text.count > 100 ? text.prefix(100) + "…" : text
    }

    /// Moves to the next record; false at the end of the stream.
    func next() throws(FirnError) -> Bool {
        recordStart += recordBytes
        recordBytes = 0
        line = nextLine
        fields.removeAll(keepingCapacity: true)
        if available == 0, try !readMore() { return false }
        switch format.style {
        case .csv: return try nextQuoted()
        case .text: return try nextEscaped()
        }
    }

    // MARK: CSV

    private func nextQuoted() throws(FirnError) -> Bool {
        let delimiter = format.delimiter
        let quote = format.quote
        var base = base
        var count = available
        var fieldStart = 0
        var cursor = 0
        while true {
            // A stretch without quotes: it stands as it is.
            while cursor < count {
                let byte = base[cursor]
                if byte == delimiter || byte == newline || byte == carriageReturn || byte == quote { break }
                cursor &+= 1
            }
            if cursor == count {
                if try readMore() {
                    base = self.base
                    count = available
                    continue
                }
                if fields.isEmpty, cursor == 0 { return false }
                fields.append(Field(start: fieldStart, end: cursor, isQuoted: false))
                return endOfStream()
            }
            let byte = base[cursor]
            if byte == quote {
                let target = try unquote(from: &cursor)
                base = self.base
                count = available
                fields.append(Field(start: fieldStart, end: target, isQuoted: true))
                if cursor == count { return endOfStream() }
            } else {
                fields.append(Field(start: fieldStart, end: cursor, isQuoted: false))
            }
            if base[cursor] != delimiter { return try finishLine(at: cursor) }
            cursor += 1
            fieldStart = cursor
        }
    }

    /// Rewrites the rest of a field, from its first quote on, without quotes and escapes.
    ///
    /// - Parameter cursor: at the first quote; afterwards at the delimiter or line end behind the field, or at the
    ///   end of the stream.
    /// - Returns: the end of the rewritten field.
    private func unquote(from cursor: inout Int) throws(FirnError) -> Int {
        let delimiter = format.delimiter
        let quote = format.quote
        let escape = format.escape
        var target = cursor
        var isInQuotes = false
        while true {
            if cursor == available, try !readMore() {
                if isInQuotes { throw located(.badCopyFileFormat, "unterminated CSV quoted field") }
                return target
            }
            let byte = base[cursor]
            if isInQuotes {
                if byte == escape {
                    if cursor + 1 == available { _ = try readMore() }
                    if cursor + 1 < available, base[cursor + 1] == quote || base[cursor + 1] == escape {
                        base[target] = base[cursor + 1]
                        target += 1
                        cursor += 2
                        continue
                    }
                }
                if byte == quote {
                    isInQuotes = false
                    cursor += 1
                    continue
                }
                if byte == newline { nextLine += 1 }
            } else {
                if byte == delimiter || byte == newline || byte == carriageReturn { return target }
                if byte == quote {
                    isInQuotes = true
                    cursor += 1
                    continue
                }
            }
            base[target] = byte
            target += 1
            cursor += 1
        }
    }

    // MARK: Text

    private func nextEscaped() throws(FirnError) -> Bool {
        var cursor = 0
        var fieldStart = 0
        var target = 0
        var hasEscapes = false
        while true {
            if cursor == available, try !readMore() {
                if fields.isEmpty, cursor == 0 { return false }
                fields.append(Field(start: fieldStart, end: target, isQuoted: hasEscapes))
                return endOfStream()
            }
            let byte = base[cursor]
            if byte == format.delimiter || byte == newline || byte == carriageReturn {
                fields.append(Field(start: fieldStart, end: target, isQuoted: hasEscapes))
                if byte != format.delimiter {
                    if fields.count == 1, bytes(of: fields[0]).elementsEqual("\\.".utf8) { return false }
                    return try finishLine(at: cursor)
                }
                cursor += 1
                fieldStart = cursor
                target = cursor
                hasEscapes = false
                continue
            }
            guard byte == UInt8(ascii: "\\") else {
                base[target] = byte
                target += 1
                cursor += 1
                continue
            }
            if cursor + 1 == available, try !readMore() {
                throw located(.badCopyFileFormat, "a backslash ends the data")
            }
            let following = base[cursor + 1]
            cursor += 2
            // \N (NULL) and \. (end of data) keep their backslash; they are recognised as whole fields.
            if following == UInt8(ascii: "N") || following == UInt8(ascii: ".") {
                base[target] = byte
                base[target + 1] = following
                target += 2
                continue
            }
            hasEscapes = true
            base[target] =
                switch following {
                case UInt8(ascii: "b"): 8
                case UInt8(ascii: "f"): 12
                case UInt8(ascii: "n"): 10
                case UInt8(ascii: "r"): 13
                case UInt8(ascii: "t"): 9
                case UInt8(ascii: "v"): 11
                default: following
                }
            target += 1
        }
    }

    // MARK: The buffer

    private let newline = UInt8(ascii: "\n")
    private let carriageReturn = UInt8(ascii: "\r")

    /// The record's first byte. Offsets below `available` may be read and written through it.
    private var base: UnsafeMutablePointer<UInt8> {
        buffer.baseAddress!.assumingMemoryBound(to: UInt8.self) + recordStart
    }

    /// Bytes in the buffer from the record's start on.
    private var available: Int { end - recordStart }

    /// Steps over the line end at `cursor`.
    private func finishLine(at cursor: Int) throws(FirnError) -> Bool {
        recordBytes = cursor + 1
        if base[cursor] == carriageReturn {
            if cursor + 1 == available { _ = try readMore() }
            if cursor + 1 < available, base[cursor + 1] == newline { recordBytes += 1 }
        }
        nextLine += 1
        return true
    }

    /// The last record has no line end.
    private func endOfStream() -> Bool {
        recordBytes = available
        nextLine += 1
        return true
    }

    /// Reads more behind what is there, moving the record to the front and growing the buffer where it must;
    /// false at the end of the stream.
    private func readMore() throws(FirnError) -> Bool {
        if sourceEnded { return false }
        if end == buffer.count {
            if recordStart > 0 {
                // Both ranges lie in the buffer; memmove allows them to overlap.
                buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + recordStart, byteCount: available)
                end = available
                recordStart = 0
            } else {
                guard buffer.count < CSVReader.recordBytesMax else {
                    throw located(
                        .programLimitExceeded, "a record is longer than \(CSVReader.recordBytesMax) bytes",
                        hint: "Look for a quote that is not closed.")
                }
                let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
                larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
                buffer.deallocate()
                buffer = larger
            }
        }
        let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        sourceEnded = count == 0
        end += count
        return count > 0
    }

    /// The same error with its place: the line on which the current record begins, and the column.
    func located(_ error: FirnError, column: String) -> FirnError {
        var located = error
        located.location = FirnError.FileLocation(file: name, line: line, column: column)
        return located
    }

    /// An error at the line on which the current record begins.
    func located(_ code: SQLState, _ message: String, column: String? = nil, hint: String? = nil) -> FirnError {
        FirnError(code, message, hint: hint, location: .init(file: name, line: line, column: column))
    }
}
