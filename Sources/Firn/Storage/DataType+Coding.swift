// SPDX-License-Identifier: Apache-2.0
//
// SQL types and single values as bytes: what footers and manifest edits store about columns.
//
//     type:   [tag: u8], then numeric: [precision: varint, 0 = none][scale: signed varint], vector: [n: varint]
//     modifier: [tag: u8, 0 = none], then length: [n: varint], fractional digits: [n: u8], interval:
//             [fields: u8][digits: u8, 255 = none]
//     value:  [tag: u8], then the value: integers as signed varints, floats and doubles by their bits,
//             text and bytes length-prefixed, UUIDs and coefficients as 16 bytes
//
// Tags are written to disk and never reused.

extension DataType {
    /// Appends the type: 1 byte, or a few more where it has parameters.
    func encode(into output: inout ByteWriter) {
        switch self {
        case .boolean: output.append(1 as UInt8)
        case .smallint: output.append(2 as UInt8)
        case .integer: output.append(3 as UInt8)
        case .bigint: output.append(4 as UInt8)
        case .real: output.append(5 as UInt8)
        case .double: output.append(6 as UInt8)
        case .numeric(let precision, let scale):
            output.append(7 as UInt8)
            output.appendVarint(precision ?? 0)
            if precision != nil { output.appendSignedVarint(Int64(scale ?? 0)) }
        case .text: output.append(8 as UInt8)
        case .uuid: output.append(9 as UInt8)
        case .timestamptz(.microseconds): output.append(10 as UInt8)
        case .timestamptz(.nanoseconds): output.append(11 as UInt8)
        case .timestamp(.microseconds): output.append(12 as UInt8)
        case .timestamp(.nanoseconds): output.append(13 as UInt8)
        case .date: output.append(14 as UInt8)
        case .interval: output.append(15 as UInt8)
        case .jsonb: output.append(16 as UInt8)
        case .bytea: output.append(17 as UInt8)
        case .vector(let dimensions):
            output.append(18 as UInt8)
            output.appendVarint(dimensions)
        case .character: output.append(19 as UInt8)
        case .unknown: preconditionFailure("the type \"unknown\" is never a column's")
        }
    }

    /// Most floats in a value of type VECTOR that a file may ask for.
    static let vectorDimensionsMax = 65_536

    static func decode(from reader: inout ByteReader, _ version: FormatVersion) throws(FormatError) -> DataType {
        let start = reader.offset
        let tag = try reader.readByte()
        switch tag {
        case 1: return .boolean
        case 2: return .smallint
        case 3: return .integer
        case 4: return .bigint
        case 5: return .real
        case 6: return .double
        case 7:
            let precision = try reader.readCount(atMost: 1_000)
            if precision == 0 { return .numeric(precision: nil, scale: nil) }
            let scale = try reader.readSignedVarint()
            guard scale.magnitude <= 1_000 else { throw FormatError("a scale of \(scale) is out of range", at: start) }
            return .numeric(precision: precision, scale: Int(scale))
        case 8: return .text
        case 9: return .uuid
        case 10: return .timestamptz(.microseconds)
        case 11: return .timestamptz(.nanoseconds)
        case 12: return .timestamp(.microseconds)
        case 13: return .timestamp(.nanoseconds)
        case 14: return .date
        case 15: return .interval
        case 16: return .jsonb
        case 17: return .bytea
        case 18:
            let dimensions = try reader.readCount(atMost: vectorDimensionsMax)
            guard dimensions > 0 else { throw FormatError("a vector of no dimensions", at: start) }
            return .vector(dimensions)
        case 19 where version >= .two: return .character
        default: throw FormatError("type tag \(tag) is not known", at: start)
        }
    }
}

extension TypeModifier? {
    /// Appends the modifier, or that there is none.
    func encode(into output: inout ByteWriter) {
        switch self {
        case nil: output.append(0 as UInt8)
        case .length(let length):
            output.append(1 as UInt8)
            output.appendVarint(length)
        case .fractionalDigits(let digits):
            output.append(2 as UInt8)
            output.append(UInt8(digits))
        case .interval(let fields, let digits):
            output.append(3 as UInt8)
            output.append(fields.number)
            output.append(digits.map { UInt8($0) } ?? TypeModifier.noDigits)
        }
    }

    /// The modifier of a column of `type`.
    static func decode(from reader: inout ByteReader, of type: DataType) throws(FormatError) -> TypeModifier? {
        let start = reader.offset
        var modifier: TypeModifier?
        switch try reader.readByte() {
        case 0: return nil
        case 1: modifier = .length(try reader.readCount(atMost: TypeModifier.lengthMax))
        case 2: modifier = .fractionalDigits(Int(try reader.readByte()))
        case 3:
            let number = try reader.readByte()
            let digits = try reader.readByte()
            modifier = IntervalFields(number: number).map {
                .interval($0, fractionalDigits: digits == TypeModifier.noDigits ? nil : Int(digits))
            }
        case let tag: throw FormatError("type modifier \(tag) is not known", at: start)
        }
        guard let modifier, modifier.fits(type) else {
            throw FormatError("the type modifier is none of type \(type)", at: start)
        }
        return modifier
    }
}

extension TypeModifier {
    fileprivate static let noDigits: UInt8 = 255
}

extension IntervalFields {
    /// Numbers are written to disk and never reused.
    private static let numbered: [IntervalFields] = [
        .all, .year, .month, .day, .hour, .minute, .second, .yearToMonth, .dayToHour, .dayToMinute, .dayToSecond,
        .hourToMinute, .hourToSecond, .minuteToSecond,
    ]

    fileprivate var number: UInt8 { UInt8(Self.numbered.firstIndex(of: self)!) }

    fileprivate init?(number: UInt8) {
        guard Self.numbered.indices.contains(Int(number)) else { return nil }
        self = Self.numbered[Int(number)]
    }
}

extension Value {
    /// Appends the value, self-describing.
    func encode(into output: inout ByteWriter) {
        switch self {
        case .null: output.append(0 as UInt8)
        case .boolean(let value): output.append(value ? 2 : 1 as UInt8)
        case .integer(let value):
            output.append(3 as UInt8)
            output.appendSignedVarint(value)
        case .float(let value):
            output.append(4 as UInt8)
            output.appendLittleEndian(value)
        case .double(let value):
            output.append(5 as UInt8)
            output.appendLittleEndian(value)
        case .decimal(let value):
            output.append(6 as UInt8)
            output.append(value.scale)
            output.appendLittleEndian(value.coefficient)
        case .text(let value):
            output.append(7 as UInt8)
            output.appendLengthPrefixed(value)
        case .bytes(let value):
            output.append(8 as UInt8)
            value.withUnsafeBytes { output.appendLengthPrefixed($0) }
        case .uuid(let value):
            output.append(9 as UInt8)
            output.appendLittleEndian(value)
        case .interval(let value):
            output.append(10 as UInt8)
            output.appendSignedVarint(Int64(value.months))
            output.appendSignedVarint(Int64(value.days))
            output.appendSignedVarint(value.microseconds)
        case .vector(let value):
            output.append(11 as UInt8)
            output.appendVarint(value.count)
            for element in value { output.appendLittleEndian(element) }
        }
    }

    static func decode(from reader: inout ByteReader) throws(FormatError) -> Value {
        let start = reader.offset
        let tag = try reader.readByte()
        switch tag {
        case 0: return .null
        case 1: return .boolean(false)
        case 2: return .boolean(true)
        case 3: return .integer(try reader.readSignedVarint())
        case 4: return .float(try reader.readFloat())
        case 5: return .double(try reader.readDouble())
        case 6:
            let scale = try reader.readByte()
            let coefficient = try reader.readLittleEndian(Int128.self)
            guard scale <= Decimal.scaleMax, coefficient.magnitude < Decimal.coefficientLimit else {
                throw FormatError("a decimal has more than 38 digits", at: reader.offset)
            }
            return .decimal(Decimal(unchecked: coefficient, scale: Int(scale)))
        case 7: return .text(try reader.readText())
        case 8: return .bytes(Array(try reader.readLengthPrefixed().bytes))
        case 9: return .uuid(try reader.readLittleEndian(UInt128.self))
        case 10:
            guard let months = Int32(exactly: try reader.readSignedVarint()),
                let days = Int32(exactly: try reader.readSignedVarint())
            else { throw FormatError("an interval is out of range", at: start) }
            return .interval(Interval(months: months, days: days, microseconds: try reader.readSignedVarint()))
        case 11:
            let count = try reader.readCount(atMost: min(DataType.vectorDimensionsMax, reader.remaining / 4))
            var elements: [Float] = []
            elements.reserveCapacity(count)
            for _ in 0..<count { elements.append(try reader.readFloat()) }
            return .vector(elements)
        default: throw FormatError("value tag \(tag) is not known", at: start)
        }
    }
}
