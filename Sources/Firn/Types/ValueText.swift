// SPDX-License-Identifier: Apache-2.0
//
// Every type's text as PostgreSQL prints and reads it: for casts, COPY in both directions, and rendering.
//
// The type is switched on once a value at most; the work is that of the value types in Types/.

/// Writes values of one type as PostgreSQL prints them. Cheap to make; keep one per column.
public struct ValueText: Sendable {
    /// The type of the values.
    public let type: DataType
    /// The session's zone, in which TIMESTAMPTZ is shown.
    public let zone: TimeZoneRules

    /// Writes values of a type as a session in that zone shows them.
    public init(type: DataType, zone: TimeZoneRules) {
        self.type = type
        self.zone = zone
    }

    /// Appends a value that is not NULL.
    func append(_ value: Value, to output: inout [UInt8]) {
        switch value {
        case .null: preconditionFailure("NULL has no text of its own")
        case .boolean(let value): NumberText.append(value, to: &output)
        case .integer(let value): append(integer: value, to: &output)
        case .float(let value): NumberText.append(value, to: &output)
        case .double(let value): NumberText.append(value, to: &output)
        case .decimal(let value): value.append(to: &output)
        case .text(let value): output.append(contentsOf: value.utf8)
        case .bytes(let value): value.withUnsafeBufferPointer { ByteText.append($0, to: &output) }
        case .uuid(let value): UUIDValue(value).append(to: &output)
        case .interval(let value): value.append(to: &output)
        case .vector(let values): append(vector: values[...], to: &output)
        }
    }

    /// Appends one row of a column of this type; the row is not NULL.
    package func append(_ column: Column, row: Int, to output: inout [UInt8]) {
        switch column.values {
        case .boolean(let values): NumberText.append(values[row], to: &output)
        case .integer(let values): append(integer: values[row], to: &output)
        case .float(let values): NumberText.append(values[row], to: &output)
        case .double(let values): NumberText.append(values[row], to: &output)
        case .decimal(let values): values[row].append(to: &output)
        case .bytes(let values): append(bytes: values[row], to: &output)
        case .dictionary(let codes, let dictionary): append(bytes: dictionary.values[Int(codes[row])], to: &output)
        case .uuid(let values): UUIDValue(values[row]).append(to: &output)
        case .interval(let values): values[row].append(to: &output)
        case .vector(let values, let dimensions):
            append(vector: values[row * dimensions..<(row + 1) * dimensions], to: &output)
        }
    }

    /// The text of one row of a column of this type; the row is not NULL.
    public func text(_ column: Column, row: Int) -> String {
        var output: [UInt8] = []
        append(column, row: row, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// The text of a value; nil for NULL, which has none.
    public func text(_ value: Value) -> String? { value.isNull ? nil : text(of: value) }

    /// The text of a value that is not NULL.
    package func text(of value: Value) -> String {
        var output: [UInt8] = []
        append(value, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func append(integer value: Int64, to output: inout [UInt8]) {
        switch type {
        case .timestamptz(.microseconds): Timestamp(microseconds: value).append(to: &output, in: zone)
        case .timestamp(.microseconds): Timestamp(microseconds: value).appendWithoutZone(to: &output)
        case .timestamptz(.nanoseconds): NanosecondTimestamp(nanoseconds: value).append(to: &output, in: zone)
        case .timestamp(.nanoseconds): NanosecondTimestamp(nanoseconds: value).appendWithoutZone(to: &output)
        case .date: DayNumber(days: Int32(truncatingIfNeeded: value)).append(to: &output)
        default: NumberText.append(value, to: &output)
        }
    }

    private func append(bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        if type == .bytea {
            bytes.withUnsafeBufferPointer { ByteText.append($0, to: &output) }
        } else {
            output.append(contentsOf: bytes)
        }
    }

    private func append(vector values: ArraySlice<Float>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            NumberText.append(value, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }
}

/// Reads text into values of one type. Cheap to make; keep one per column.
struct ValueParser {
    let type: DataType
    let context: DateTimeContext
    private let modifier: TypeModifier?
    private let intervalFields: IntervalFields

    /// - Parameter modifier: of the column that the values are for: text that is too long for it is refused, and a number
    ///   without a unit means its field of an interval.
    init(type: DataType, modifier: TypeModifier? = nil, context: DateTimeContext) {
        self.type = type
        self.context = context
        self.modifier = modifier
        if case .interval(let fields, _) = modifier { intervalFields = fields } else { intervalFields = .all }
    }

    /// Reads one value and adds it to a builder of the same type. Throws without a place, leaving the builder as it was.
    func parse(_ text: UnsafeBufferPointer<UInt8>, into builder: inout ColumnBuilder) throws(FirnError) {
        do throws(ValueError) {
            switch type {
            case .boolean: builder.append(try NumberText.parseBoolean(text))
            case .smallint: builder.append(Int64(try NumberText.parseInteger(text, as: Int16.self)))
            case .integer: builder.append(Int64(try NumberText.parseInteger(text, as: Int32.self)))
            case .bigint: builder.append(try NumberText.parseInteger(text, as: Int64.self))
            case .real: builder.append(try NumberText.parseFloat(text))
            case .double: builder.append(try NumberText.parseDouble(text))
            case .numeric(let precision, let scale):
                let value = try Decimal.parse(text)
                guard let precision else { return builder.append(value) }
                builder.append(try value.rescaled(precision: precision, scale: scale ?? 0))
            case .text, .character, .unknown:
                guard UTF8Check.isValid(text) else {
                    throw ValueError(code: "22021", message: "invalid byte sequence for encoding \"UTF8\"")
                }
                try modifier?.checkLength(text, of: type)
                builder.append(bytes: text)
            case .uuid: builder.append(try UUIDValue.parse(text).value)
            case .timestamptz(.microseconds):
                builder.append(try Timestamp.parse(text, as: .withTimeZone, in: context).microseconds)
            case .timestamp(.microseconds):
                builder.append(try Timestamp.parse(text, as: .withoutTimeZone, in: context).microseconds)
            case .timestamptz(.nanoseconds):
                builder.append(try NanosecondTimestamp.parse(text, as: .withTimeZone, in: context).nanoseconds)
            case .timestamp(.nanoseconds):
                builder.append(try NanosecondTimestamp.parse(text, as: .withoutTimeZone, in: context).nanoseconds)
            case .date: builder.append(Int64(try DayNumber.parse(text, in: context).days))
            case .interval: builder.append(try Interval.parse(text, fields: intervalFields))
            case .jsonb:
                var canonical: [UInt8] = []
                try JSONText.appendCanonical(text, to: &canonical)
                builder.append(bytes: canonical)
            case .bytea: builder.append(bytes: try ByteText.parse(text))
            case .vector(let dimensions): builder.append(try ValueParser.vector(text, dimensions: dimensions))
            }
        } catch {
            throw FirnError(error)
        }
    }

    /// Reads one value.
    func parse(_ text: UnsafeBufferPointer<UInt8>) throws(FirnError) -> Value {
        var builder = ColumnBuilder(type: type)
        try parse(text, into: &builder)
        return builder.finish()[0]
    }

    /// Reads one value.
    func parse(_ text: String) throws(FirnError) -> Value {
        let bytes = Array(text.utf8)
        var builder = ColumnBuilder(type: type)
        try bytes.withBuffer { buffer throws(FirnError) in try parse(buffer, into: &builder) }
        return builder.finish()[0]
    }

    /// `[1, 2.5, -3e4]`, as pgvector writes it. `dimensions` 0 takes any number of them.
    private static func vector(
        _ text: UnsafeBufferPointer<UInt8>, dimensions: Int
    ) throws(ValueError) -> [Float] {
        let trimmed = ASCII.trimmed(text)
        guard trimmed.count >= 2, trimmed[0] == UInt8(ascii: "["), trimmed[trimmed.count - 1] == UInt8(ascii: "]")
        else {
            throw ValueError(
                code: "22P02", message: "invalid input syntax for type vector: \"\(String(bytes: text))\"",
                detail: "Vector contents must start with \"[\" and end with \"]\".")
        }
        var values: [Float] = []
        values.reserveCapacity(dimensions)
        var start = 1
        for end in 1..<trimmed.count where trimmed[end] == UInt8(ascii: ",") || end == trimmed.count - 1 {
            let part = UnsafeBufferPointer(rebasing: trimmed[start..<end])
            let value: Float
            do throws(ValueError) {
                value = try NumberText.parseFloat(part)
            } catch {
                throw .invalidSyntax("vector", text)
            }
            guard value.isFinite else {
                throw ValueError(code: "22003", message: "NaN and infinity are not allowed in vector")
            }
            values.append(value)
            start = end + 1
        }
        guard dimensions == 0 || values.count == dimensions else {
            throw ValueError(
                code: "22000", message: "expected \(dimensions) dimensions, not \(values.count)")
        }
        return values
    }
}

extension [UInt8] {
    /// Lends the bytes to `body`, and passes on what it throws with its type.
    func withBuffer<Outcome>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(FirnError) -> Outcome
    ) throws(FirnError) -> Outcome {
        let outcome: Result<Outcome, FirnError> = withUnsafeBufferPointer { bytes in
            do throws(FirnError) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
