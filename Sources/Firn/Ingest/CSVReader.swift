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
    /// An end-of-data mark was read: what follows it belongs to no record.
    private var hasEnded = false

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
        if hasEnded { return false }
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
            if base[cursor] != delimiter {
                if fields.count == 1, !fields[0].isQuoted, bytes(of: fields[0]).elementsEqual("\\.".utf8) {
                    hasEnded = true
                    return false
                }
                return try finishLine(at: cursor)
            }
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
        // Bytes written as \377 or \xFF, which may not be text.
        var hasCodedBytes = false
        while true {
            if cursor == available, try !readMore() {
                if fields.isEmpty, cursor == 0 { return false }
                try finishField(fieldStart, target, hasEscapes, hasCodedBytes)
                return endOfStream()
            }
            let byte = base[cursor]
            if byte == format.delimiter || byte == newline || byte == carriageReturn {
                try finishField(fieldStart, target, hasEscapes, hasCodedBytes)
                if byte != format.delimiter { return try finishLine(at: cursor) }
                cursor += 1
                fieldStart = cursor
                target = cursor
                hasEscapes = false
                hasCodedBytes = false
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
            // Nothing may stand behind \. on its line. What stands before it is the last record.
            if following == UInt8(ascii: ".") {
                try expectLineEnd(at: cursor)
                hasEnded = true
                if fields.isEmpty, target == fieldStart, !hasEscapes { return false }
                try finishField(fieldStart, target, hasEscapes, hasCodedBytes)
                return true
            }
            // \N (NULL) keeps its backslash; it is recognised as a whole field.
            if following == UInt8(ascii: "N") {
                base[target] = byte
                base[target + 1] = following
                target += 2
                continue
            }
            hasEscapes = true
            if following == newline { nextLine += 1 }
            let decoded = try decodeEscape(following, &cursor)
            hasCodedBytes = hasCodedBytes || decoded == 0 || decoded >= 0x80
            base[target] = decoded
            target += 1
        }
    }

    /// The byte that an escape stands for: a letter's, up to three octal digits', up to two hexadecimal digits'
    /// behind an x, or the character itself.
    ///
    /// - Parameter cursor: behind the character that follows the backslash; afterwards behind the escape.
    private func decodeEscape(_ following: UInt8, _ cursor: inout Int) throws(FirnError) -> UInt8 {
        switch following {
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "v"): return 11
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            var code = following - UInt8(ascii: "0")
            for _ in 0..<2 {
                guard let digit = try digit(at: cursor), digit < 8 else { break }
                // As in PostgreSQL only the low eight bits of \777 count.
                code = code &<< 3 | digit
                cursor += 1
            }
            return code
        case UInt8(ascii: "x"):
            guard let first = try digit(at: cursor) else { return following }
            cursor += 1
            guard let second = try digit(at: cursor) else { return first }
            cursor += 1
            return first << 4 | second
        default: return following
        }
    }

    /// The value of a hexadecimal digit; nil for another byte and at the end of the stream.
    private func digit(at cursor: Int) throws(FirnError) -> UInt8? {
        if cursor == available, try !readMore() { return nil }
        let byte = base[cursor]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }

    /// Error 22P04 where the end-of-data mark is not the end of its line.
    private func expectLineEnd(at cursor: Int) throws(FirnError) {
        if cursor == available, try !readMore() { return }
        guard base[cursor] == newline || base[cursor] == carriageReturn else {
            throw located(
                .badCopyFileFormat, "end-of-copy marker corrupt",
                hint: "A backslash before a full stop ends the data; a backslash in a text is written twice.")
        }
    }

    /// Takes a field. Error 22021 where bytes that were written as numbers make no text.
    private func finishField(
        _ start: Int, _ end: Int, _ hasEscapes: Bool, _ hasCodedBytes: Bool
    ) throws(FirnError) {
        let field = Field(start: start, end: end, isQuoted: hasEscapes)
        fields.append(field)
        guard hasCodedBytes else { return }
        let bytes = bytes(of: field)
        if bytes.contains(0) || String(validating: bytes, as: UTF8.self) == nil {
            throw located(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"")
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
