// SPDX-License-Identifier: Apache-2.0
//
// Rows of one table as the payload of a log frame: columnar, as the batch came.
//
//     [table: varint][rows: varint][columns: varint], then for each column
//     [column id: varint][type (DataType+Coding.swift)][form: u8][has validity: u8][validity: u64 words][values]
//
//     form 1 boolean     a byte each            form 6 bytes       offsets: u32 x (rows + 1), bytes
//     form 2 integer     i64 each               form 7 dictionary  [count: varint], a bytes form of count values,
//     form 3 float       f32 each                                  [code bytes: u8 = 1, 2, 4], a code each
//     form 4 double      f64 each               form 8 uuid        u128 each
//     form 5 decimal     [scale or 255: u8], scales when 255, i128 each
//     form 9 interval    months i32, days i32, microseconds i64 each     form 10 vector   f32 each
//
// Arrays are copied as they lie in memory; both sides are little-endian (checked at compile time below).

struct RowsPayload: Sendable {
    var table: TableID
    var columns: [ColumnID]
    var batch: ColumnBatch
}

enum RowsCodec {
    private enum Form: UInt8 {
        case boolean = 1, integer, float, double, decimal, bytes, dictionary, uuid, interval, vector
    }

    /// Most rows that a payload may claim: a row of one boolean takes a byte.
    static let rowCountMax = WALFrameHeader.payloadBytesMax * 255

    // MARK: Writing

    static func encode(
        _ batch: ColumnBatch, columns: [ColumnDefinition], table: TableID, into output: inout ByteWriter
    ) {
        precondition(batch.columns.count == columns.count, "a positional batch has a column for each of the table's")
        output.appendVarint(table.rawValue)
        output.appendVarint(batch.rowCount)
        output.appendVarint(columns.count)
        for (column, definition) in zip(batch.columns, columns) {
            output.appendVarint(definition.id.rawValue)
            definition.type.encode(into: &output)
            encode(column, into: &output)
        }
    }

    private static func encode(_ column: Column, into output: inout ByteWriter) {
        let form = form(of: column)
        output.append(form.rawValue)
        output.append(column.validity == nil ? 0 : 1 as UInt8)
        if let validity = column.validity { append(validity.words, to: &output) }
        switch column.values {
        case .boolean(let values):
            output.appendUninitialized(values.count) { target in
                for index in values.indices {
                    target.storeBytes(of: values[index] ? 1 : 0, toByteOffset: index, as: UInt8.self)
                }
            }
        case .integer(let values): append(values, to: &output)
        case .float(let values): append(values, to: &output)
        case .double(let values): append(values, to: &output)
        case .decimal(let values):
            switch values.scales {
            case .uniform(let scale): output.append(scale)
            case .each(let scales):
                output.append(255)
                output.append(scales)
            }
            append(values.coefficients, to: &output)
        case .bytes(let values): append(values, to: &output)
        case .dictionary(let codes, let dictionary):
            if form == .dictionary {
                append(codes, dictionary, to: &output)
            } else {
                append(dictionary.values.gather(codes.map { Int32(bitPattern: $0) }), to: &output)
            }
        case .uuid(let values): append(values, to: &output)
        case .interval(let values):
            for value in values {
                output.appendLittleEndian(value.months)
                output.appendLittleEndian(value.days)
                output.appendLittleEndian(value.microseconds)
            }
        case .vector(let values, _): append(values, to: &output)
        }
    }

    private static func form(of column: Column) -> Form {
        switch column.values {
        case .boolean: .boolean
        case .integer: .integer
        case .float: .float
        case .double: .double
        case .decimal: .decimal
        case .bytes: .bytes
        // A dictionary much larger than the batch would be written again and again with every small batch.
        case .dictionary(let codes, let dictionary): dictionary.count <= codes.count * 4 ? .dictionary : .bytes
        case .uuid: .uuid
        case .interval: .interval
        case .vector: .vector
        }
    }

    private static func append(_ codes: [UInt32], _ dictionary: BytesDictionary, to output: inout ByteWriter) {
        // Only the values that occur, in the order of their codes.
        var isUsed = [Bool](repeating: false, count: dictionary.count)
        for code in codes { isUsed[Int(code)] = true }
        var newCodes = [UInt32](repeating: 0, count: dictionary.count)
        var used: [Int32] = []
        for code in isUsed.indices where isUsed[code] {
            newCodes[code] = UInt32(used.count)
            used.append(Int32(code))
        }
        output.appendVarint(used.count)
        append(used.count == dictionary.count ? dictionary.values : dictionary.values.gather(used), to: &output)
        let codeByteCount = used.count <= 256 ? 1 : used.count <= 65_536 ? 2 : 4
        output.append(UInt8(codeByteCount))
        output.appendUninitialized(codes.count * codeByteCount) { target in
            newCodes.withUnsafeBufferPointer { newCodes in
                codes.withUnsafeBufferPointer { codes in
                    // Each code is below dictionary.count: the first loop indexed isUsed, of that count, by all of them.
                    switch codeByteCount {
                    case 1:
                        let target = target.bindMemory(to: UInt8.self, capacity: codes.count)
                        for index in codes.indices {
                            target[index] = UInt8(truncatingIfNeeded: newCodes[Int(codes[index])])
                        }
                    case 2:
                        for index in codes.indices {
                            let code = UInt16(truncatingIfNeeded: newCodes[Int(codes[index])])
                            target.storeBytes(of: code, toByteOffset: index * 2, as: UInt16.self)
                        }
                    default:
                        for index in codes.indices {
                            target.storeBytes(of: newCodes[Int(codes[index])], toByteOffset: index * 4, as: UInt32.self)
                        }
                    }
                }
            }
        }
    }

    private static func append(_ values: BytesValues, to output: inout ByteWriter) {
        // What does not fit 32 bits makes the frame too large, and it is given up.
        output.appendUninitialized(values.offsets.count * 4) { target in
            for (index, offset) in values.offsets.enumerated() {
                target.storeBytes(of: UInt32(truncatingIfNeeded: offset), toByteOffset: index * 4, as: UInt32.self)
            }
        }
        output.append(values.bytes)
    }

    private static func append<Element: BitwiseCopyable>(_ values: [Element], to output: inout ByteWriter) {
        #if _endian(big)
            #error("arrays are written as they lie in memory, which must be little-endian")
        #endif
        values.withUnsafeBytes { output.append($0) }
    }

    // MARK: Reading

    /// The table alone: what replay needs to know to skip a frame.
    static func table(of payload: [UInt8]) throws(FormatError) -> TableID {
        try payload.reading { (reader) throws(FormatError) in TableID(try reader.readVarint()) }
    }

    static func decode(_ payload: [UInt8], _ version: FormatVersion) throws(FormatError) -> RowsPayload {
        try payload.reading { (reader) throws(FormatError) in
            let table = TableID(try reader.readVarint())
            let rowCount = try reader.readCount(atMost: rowCountMax)
            var ids: [ColumnID] = []
            var columns: [Column] = []
            for _ in 0..<(try reader.readCount(atMost: TableSchema.columnCountMax)) {
                ids.append(ColumnID(try reader.readVarint()))
                columns.append(try decodeColumn(from: &reader, count: rowCount, version))
            }
            try reader.expectEnd()
            return RowsPayload(table: table, columns: ids, batch: ColumnBatch(columns, rowCount: rowCount))
        }
    }

    private static func decodeColumn(
        from reader: inout ByteReader, count: Int, _ version: FormatVersion
    ) throws(FormatError) -> Column {
        let type = try DataType.decode(from: &reader, version)
        let formOffset = reader.offset
        guard let form = Form(rawValue: try reader.readByte()) else {
            throw FormatError("a column's form is not known", at: formOffset)
        }
        var validity: Bitmap?
        switch try reader.readByte() {
        case 0: break
        case 1: validity = Bitmap(words: try array(UInt64.self, (count + 63) / 64, from: &reader), count: count)
        default: throw FormatError("a column's validity is neither there nor absent", at: reader.offset - 1)
        }
        let values: Column.Values
        switch form {
        case .boolean:
            let bytes = try reader.readBytes(count)
            values = .boolean(bytes.bytes.map { $0 != 0 })
        case .integer: values = .integer(try array(Int64.self, count, from: &reader))
        case .float: values = .float(try array(Float.self, count, from: &reader))
        case .double: values = .double(try array(Double.self, count, from: &reader))
        case .decimal:
            let scale = try reader.readByte()
            let scales: DecimalValues.Scales =
                scale == 255 ? .each(try array(UInt8.self, count, from: &reader)) : .uniform(scale)
            values = .decimal(
                DecimalValues(coefficients: try array(Int128.self, count, from: &reader), scales: scales))
        case .bytes: values = .bytes(try bytesValues(count, from: &reader))
        case .dictionary:
            let dictionaryCount = try reader.readCount(atMost: reader.remaining)
            let dictionary = BytesDictionary(distinct: try bytesValues(dictionaryCount, from: &reader))
            let codesOffset = reader.offset
            let codes: [UInt32]
            switch try reader.readByte() {
            case 1: codes = try reader.readBytes(count).bytes.map { UInt32($0) }
            case 2: codes = try array(UInt16.self, count, from: &reader).map { UInt32($0) }
            case 4: codes = try array(UInt32.self, count, from: &reader)
            default: throw FormatError("codes have 1, 2 or 4 bytes", at: codesOffset)
            }
            guard codes.allSatisfy({ $0 < dictionaryCount }) else {
                throw FormatError("a code is outside its dictionary", at: codesOffset)
            }
            values = .dictionary(codes, dictionary)
        case .uuid: values = .uuid(try array(UInt128.self, count, from: &reader))
        case .interval:
            var intervals: [Interval] = []
            guard count <= reader.remaining / 16 else {
                throw FormatError("intervals are cut short", at: reader.offset)
            }
            intervals.reserveCapacity(count)
            for _ in 0..<count {
                intervals.append(
                    Interval(
                        months: try reader.readLittleEndian(), days: try reader.readLittleEndian(),
                        microseconds: try reader.readLittleEndian()))
            }
            values = .interval(intervals)
        case .vector:
            guard case .vector(let dimensions) = type else {
                throw FormatError("floats in rows belong to a column that is no vector", at: formOffset)
            }
            guard count <= reader.remaining / dimensions else {
                throw FormatError("vectors are cut short", at: reader.offset)
            }
            values = .vector(try array(Float.self, count * dimensions, from: &reader), dimensions: dimensions)
        }
        let physical: DataType.Physical =
            switch form {
            case .boolean: .boolean
            case .integer: .integer
            case .float: .float
            case .double: .double
            case .decimal: .decimal
            case .bytes, .dictionary: .bytes
            case .uuid: .uuid
            case .interval: .interval
            case .vector: .vector
            }
        guard type.physical == physical else {
            throw FormatError("a column of type \(type) has values of another form", at: formOffset)
        }
        return Column(type: type, values: values, validity: validity)
    }

    private static func bytesValues(_ count: Int, from reader: inout ByteReader) throws(FormatError) -> BytesValues {
        let start = reader.offset
        guard count < reader.remaining else { throw FormatError("offsets are cut short", at: start) }
        let offsets = try array(UInt32.self, count + 1, from: &reader).map { Int($0) }
        guard offsets[0] == 0, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw FormatError("offsets do not ascend from 0", at: start)
        }
        return BytesValues(bytes: try array(UInt8.self, offsets[count], from: &reader), offsets: offsets)
    }

    private static func array<Element: BitwiseCopyable>(
        _ type: Element.Type, _ count: Int, from reader: inout ByteReader
    ) throws(FormatError) -> [Element] {
        guard count <= reader.remaining / MemoryLayout<Element>.stride else {
            throw FormatError("\(count) values are cut short", at: reader.offset)
        }
        let bytes = try reader.readBytes(count * MemoryLayout<Element>.stride)
        return [Element](unsafeUninitializedCapacity: count) { target, initialized in
            // `bytes` holds exactly the bytes of `count` elements.
            if count > 0 { UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes.bytes) }
            initialized = count
        }
    }
}

extension [UInt8] {
    /// Runs `body` with a reader at the first byte.
    func reading<Result>(
        _ body: (inout ByteReader) throws(FormatError) -> Result
    ) throws(FormatError) -> Result {
        try span.withUnsafeBytes { (bytes) throws(FormatError) in
            var reader = ByteReader(bytes)
            return try body(&reader)
        }
    }
}
