// SPDX-License-Identifier: Apache-2.0
//
// Turns values of one type into another over whole blocks, as PostgreSQL's casts do.
//
// Types of one physical form and a wider range change their name alone. What may fail is tried for all rows at
// once and looked at row by row only when some row failed; NULL rows never fail. Text goes through the value
// types, and through its dictionary where it has one.

enum CastEvaluator {
    /// The vector under another type. Throws without a position where a value does not fit.
    static func cast(
        _ vector: Vector, to type: DataType, rowCount: Int, _ context: EvaluationContext
    ) throws(FirnError) -> Vector {
        switch vector {
        case .constant(.null, _): return .constant(.null, type)
        case .constant(let value, let source):
            if source == type { return vector }
            let column = Column(repeating: value, type: source, count: 1)
            return .constant(try cast(column, to: type, context)[0], type)
        case .column(let column): return .column(try cast(column, to: type, context))
        }
    }

    /// The column under another type. Throws without a position where a value does not fit.
    static func cast(_ column: Column, to type: DataType, _ context: EvaluationContext) throws(FirnError) -> Column {
        if column.type == type { return column }
        switch (column.type.family, type.family) {
        case (.text, .text), (.unknown, .text), (.text, .unknown), (.unknown, .unknown): return column.retyped(type)
        case (.text, .character), (.unknown, .character), (.character, .unknown), (.jsonb, .character):
            return column.retyped(type)
        case (.character, .text): return withoutTrailingBlanks(column)
        case (_, .character): return try text(of: column, context).retyped(.character)
        case (.text, _), (.unknown, _), (.character, _): return try parsed(column, as: type, context)
        case (.jsonb, .text): return column.retyped(.text)
        case (_, .text), (_, .unknown): return try text(of: column, context)
        case (.jsonb, _): return try fromJSON(column, to: type, context)
        default:
            let rows = Rows(column, type)
            switch column.values {
            case .boolean(let values):
                guard type == .integer else { throw noCast(column, type) }
                return rows.integers(values.map { $0 ? 1 : 0 })
            case .integer(let values): return try fromInteger(rows, values, context)
            case .float(let values):
                return try fromFloating(rows, values) { value throws(ValueError) in try Decimal(value) }
            case .double(let values):
                return try fromFloating(rows, values) { value throws(ValueError) in try Decimal(value) }
            case .decimal(let values): return try fromDecimal(rows, values)
            case .vector:
                guard case .vector(let dimensions) = type, case .vector(let own) = column.type else {
                    throw noCast(column, type)
                }
                throw FirnError(SQLState("22000"), "expected \(dimensions) dimensions, not \(own)")
            default: throw noCast(column, type)
            }
        }
    }

    /// Whether some value of the one type has none in the other.
    static func mayFail(_ source: DataType, to target: DataType) -> Bool {
        switch (source, target) {
        case (.smallint, .integer), (.smallint, .bigint), (.integer, .bigint), (.real, .double), (_, .text),
            (_, .character):
            false
        case (.numeric, .double), (.numeric, .numeric(nil, _)): false
        case (_, .double), (_, .real), (_, .numeric(nil, _)): !source.isInteger
        default: source != target
        }
    }

    private static func noCast(_ column: Column, _ type: DataType) -> FirnError {
        FirnError(.cannotCoerce, "cannot cast type \(column.type.familyName) to \(type.familyName)")
    }

    /// The column that is cast, and the type that it gets.
    private struct Rows {
        let column: Column
        let type: DataType
        var count: Int { column.count }

        init(_ column: Column, _ type: DataType) {
            self.column = column
            self.type = type
        }

        func isNull(_ row: Int) -> Bool { column.isNull(row) }

        func integers(_ values: [Int64]) -> Column {
            Column(type: type, values: .integer(values), validity: column.validity)
        }
        func doubles(_ values: [Double]) -> Column {
            Column(type: type, values: .double(values), validity: column.validity)
        }
        func floats(_ values: [Float]) -> Column {
            Column(type: type, values: .float(values), validity: column.validity)
        }
        func booleans(_ values: [Bool]) -> Column {
            Column(type: type, values: .boolean(values), validity: column.validity)
        }

        /// A value for each row that is not NULL, `filler` for the others.
        func mapped<Result>(
            filler: Result, _ body: (Int) throws(ValueError) -> Result
        ) throws(FirnError) -> [Result] {
            var results: [Result] = []
            results.reserveCapacity(count)
            do throws(ValueError) {
                for row in 0..<count { results.append(isNull(row) ? filler : try body(row)) }
            } catch {
                throw FirnError(error)
            }
            return results
        }

        func decimals(_ body: (Int) throws(ValueError) -> Decimal) throws(FirnError) -> Column {
            var decimals = try mapped(filler: .zero, body)
            if case .numeric(let precision?, let scale) = type {
                decimals = try mapped(filler: .zero) { row throws(ValueError) in
                    try decimals[row].rescaled(precision: precision, scale: scale ?? 0)
                }
            }
            return Column(type: type, values: .decimal(DecimalValues(decimals)), validity: column.validity)
        }

        var outOfRange: FirnError { FirnError(.numericValueOutOfRange, "\(type.name) out of range") }
    }

    // MARK: Numbers

    private static func fromInteger(
        _ rows: Rows, _ values: [Int64], _ context: EvaluationContext
    ) throws(FirnError) -> Column {
        switch (rows.column.type, rows.type) {
        case (let source, .smallint) where source.isInteger, (let source, .integer) where source.isInteger,
            (let source, .bigint) where source.isInteger:
            let range = rows.type.integerRange!
            let lower = range.lowerBound
            let width = UInt64(bitPattern: range.upperBound &- lower)
            if width < .max {
                var anyOutside = false
                for value in values { anyOutside = anyOutside || UInt64(bitPattern: value &- lower) > width }
                if anyOutside {
                    for row in 0..<rows.count where !rows.isNull(row) && !range.contains(values[row]) {
                        throw rows.outOfRange
                    }
                }
            }
            return rows.column.retyped(rows.type)
        case (let source, .double) where source.isInteger: return rows.doubles(values.map { Double($0) })
        case (let source, .real) where source.isInteger: return rows.floats(values.map { Float($0) })
        case (let source, .numeric) where source.isInteger:
            if case .numeric(nil, _) = rows.type {
                let decimals = DecimalValues(coefficients: values.map { Int128($0) }, scales: .uniform(0))
                return Column(type: rows.type, values: .decimal(decimals), validity: rows.column.validity)
            }
            return try rows.decimals { row throws(ValueError) in Decimal(values[row]) }
        case (.integer, .boolean): return rows.booleans(values.map { $0 != 0 })
        default: return try fromTime(rows, values, context)
        }
    }

    private static func fromFloating<Number: BinaryFloatingPoint & Sendable>(
        _ rows: Rows, _ values: [Number], _ decimal: (Number) throws(ValueError) -> Decimal
    ) throws(FirnError) -> Column {
        switch rows.type {
        case .double: return rows.doubles(values.map { Double($0) })
        case .real:
            let floats = values.map { Float($0) }
            for row in 0..<rows.count where !rows.isNull(row) {
                if floats[row].isInfinite, !values[row].isInfinite {
                    throw FirnError(.numericValueOutOfRange, "value out of range: overflow")
                }
                if floats[row] == 0, values[row] != 0 {
                    throw FirnError(.numericValueOutOfRange, "value out of range: underflow")
                }
            }
            return rows.floats(floats)
        case .smallint, .integer, .bigint:
            let range = rows.type.integerRange!
            // The bounds as doubles: the upper one is the first number beyond, exact for each type.
            let lower = Number(range.lowerBound)
            let upper = -lower
            let integers = try rows.mapped(filler: 0) { row throws(ValueError) -> Int64 in
                let rounded = values[row].rounded(.toNearestOrEven)
                guard rounded >= lower, rounded < upper else {
                    throw ValueError(code: "22003", message: "\(rows.type.name) out of range")
                }
                return Int64(rounded)
            }
            return rows.integers(integers)
        case .numeric: return try rows.decimals { row throws(ValueError) in try decimal(values[row]) }
        default: throw noCast(rows.column, rows.type)
        }
    }

    private static func fromDecimal(_ rows: Rows, _ values: DecimalValues) throws(FirnError) -> Column {
        switch rows.type {
        case .double: return rows.doubles((0..<rows.count).map { values[$0].double })
        case .real: return rows.floats((0..<rows.count).map { values[$0].float })
        case .smallint:
            return rows.integers(
                try rows.mapped(filler: 0) { row throws(ValueError) in Int64(try values[row].integer(as: Int16.self)) })
        case .integer:
            return rows.integers(
                try rows.mapped(filler: 0) { row throws(ValueError) in Int64(try values[row].integer(as: Int32.self)) })
        case .bigint:
            return rows.integers(
                try rows.mapped(filler: 0) { row throws(ValueError) in try values[row].integer(as: Int64.self) })
        case .numeric(nil, _): return rows.column.retyped(rows.type)
        case .numeric: return try rows.decimals { row throws(ValueError) in values[row] }
        default: throw noCast(rows.column, rows.type)
        }
    }

    // MARK: Dates and times

    private static func fromTime(
        _ rows: Rows, _ values: [Int64], _ context: EvaluationContext
    ) throws(FirnError) -> Column {
        let zone = context.timeZone
        switch (rows.column.type, rows.type) {
        case (.timestamptz(.microseconds), .timestamptz(.nanoseconds)),
            (.timestamp(.microseconds), .timestamp(.nanoseconds)):
            return rows.integers(
                try rows.mapped(filler: 0) { row throws(ValueError) in
                    try NanosecondTimestamp(Timestamp(microseconds: values[row])).nanoseconds
                })
        case (.timestamptz(.nanoseconds), .timestamptz(.microseconds)),
            (.timestamp(.nanoseconds), .timestamp(.microseconds)):
            return rows.integers(values.map { NanosecondTimestamp(nanoseconds: $0).split.timestamp.microseconds })
        case (.timestamptz(let unit), .timestamp(let target)):
            return try viaMicroseconds(rows, values, from: unit, to: target) { moment throws(ValueError) in
                try moment.local(in: zone)
            }
        case (.timestamp(let unit), .timestamptz(let target)):
            return try viaMicroseconds(rows, values, from: unit, to: target) { moment throws(ValueError) in
                try zone.utc(fromLocal: moment.microseconds)
            }
        case (.timestamptz(let unit), .date):
            return rows.integers(
                values.map { value in
                    let moment = microseconds(value, unit)
                    let local = moment.isFinite ? Timestamp(microseconds: zone.local(moment)) : moment
                    return Int64(local.day.days)
                })
        case (.timestamp(let unit), .date):
            return rows.integers(values.map { Int64(microseconds($0, unit).day.days) })
        case (.date, .timestamp(let target)):
            return try viaMicroseconds(rows, values, from: nil, to: target) { midnight throws(ValueError) in midnight }
        case (.date, .timestamptz(let target)):
            return try viaMicroseconds(rows, values, from: nil, to: target) { midnight throws(ValueError) in
                try zone.utc(fromLocal: midnight.microseconds)
            }
        default: throw noCast(rows.column, rows.type)
        }
    }

    /// The microsecond that contains the moment.
    private static func microseconds(_ value: Int64, _ unit: TimeUnit) -> Timestamp {
        switch unit {
        case .microseconds: Timestamp(microseconds: value)
        case .nanoseconds: NanosecondTimestamp(nanoseconds: value).split.timestamp
        }
    }

    /// Changes finite moments as `body` says; the infinities and the nanoseconds beyond a microsecond stay.
    ///
    /// - Parameter unit: nil for a column of dates.
    private static func viaMicroseconds(
        _ rows: Rows, _ values: [Int64], from unit: TimeUnit?, to target: TimeUnit,
        _ body: (Timestamp) throws(ValueError) -> Timestamp
    ) throws(FirnError) -> Column {
        rows.integers(
            try rows.mapped(filler: 0) { row throws(ValueError) -> Int64 in
                var moment: Timestamp
                var rest: Int64 = 0
                switch unit {
                case nil: moment = try Timestamp(DayNumber(days: Int32(truncatingIfNeeded: values[row])))
                case .microseconds: moment = Timestamp(microseconds: values[row])
                case .nanoseconds:
                    let exact = NanosecondTimestamp(nanoseconds: values[row])
                    (moment, rest) = exact.split
                }
                if moment.isFinite { moment = try body(moment) }
                if target == .microseconds { return moment.microseconds }
                return try NanosecondTimestamp(moment, addingNanoseconds: rest).nanoseconds
            })
    }

    // MARK: Text

    private static func parsed(
        _ column: Column, as type: DataType, _ context: EvaluationContext
    ) throws(FirnError) -> Column {
        let parser = ValueParser(type: type, context: context.dateTime)
        if let (codes, dictionary) = column.dictionaryValues, dictionary.count > 0, dictionary.count <= column.count {
            // Each text is read once; one that is no value of the type may be in no row.
            if let values = try? parsed(dictionary.values, validity: nil, parser) {
                let last = Int32(dictionary.count - 1)
                let rows = codes.map { min(Int32(truncatingIfNeeded: $0), last) }
                return values.gather(rows).with(validity: column.validity)
            }
        }
        return try parsed(column.bytesValues!, validity: column.validity, parser)
    }

    private static func parsed(
        _ values: BytesValues, validity: Bitmap?, _ parser: ValueParser
    ) throws(FirnError) -> Column {
        var builder = ColumnBuilder(type: parser.type, capacity: values.count)
        let outcome: Result<Void, FirnError> = values.withUnsafeValues { bytes, offsets in
            do throws(FirnError) {
                for row in 0..<values.count {
                    if validity?[row] == false {
                        builder.appendNull()
                        continue
                    }
                    // In bounds: offsets cut the column's bytes.
                    let start = offsets[row]
                    let text = UnsafeBufferPointer(start: bytes + start, count: offsets[row + 1] - start)
                    try parser.parse(text, into: &builder)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
        return builder.finish()
    }

    /// CHAR(n) as TEXT: the blanks that pad it are no part of the value.
    private static func withoutTrailingBlanks(_ column: Column) -> Column {
        let values = column.bytesValues!
        if !values.bytes.contains(UInt8(ascii: " ")) { return column.retyped(.text) }
        var texts = BytesValues()
        texts.reserveCapacity(values.count, byteCount: values.bytes.count)
        for row in 0..<values.count {
            let value = values[row]
            let end = value.lastIndex { $0 != UInt8(ascii: " ") }.map { $0 + 1 } ?? value.startIndex
            texts.append(contentsOf: value[..<end])
        }
        return Column(type: .text, values: .bytes(texts), validity: column.validity)
    }

    private static func text(of column: Column, _ context: EvaluationContext) throws(FirnError) -> Column {
        var texts = TextBlock(rowCount: column.count, context)
        let writer = ValueText(type: column.type, zone: context.timeZone)
        for row in 0..<column.count {
            try texts.append { output throws(FirnError) in
                if column.isNull(row) { return }
                if case .boolean(let values) = column.values {
                    // A cast says the word where output has a letter.
                    output.append(contentsOf: (values[row] ? "true" : "false").utf8)
                } else {
                    writer.append(column, row: row, to: &output)
                }
            }
        }
        return Column(type: .text, values: .bytes(texts.values), validity: column.validity)
    }

    /// A JSON number or truth value as SQL's.
    private static func fromJSON(
        _ column: Column, to type: DataType, _ context: EvaluationContext
    ) throws(FirnError) -> Column {
        guard type == .boolean || type.isNumber else { throw noCast(column, type) }
        let texts = column.bytesValues!
        var numbers = BytesValues()
        for row in 0..<column.count {
            let text = texts[row]
            let isBoolean = text.elementsEqual("true".utf8) || text.elementsEqual("false".utf8)
            let isNumber = text.first.map { ASCII.isDigit($0) || $0 == UInt8(ascii: "-") } ?? false
            if !column.isNull(row), type == .boolean ? !isBoolean : !isNumber {
                throw FirnError(
                    .invalidParameterValue, "cannot cast jsonb \(jsonKind(text)) to type \(type.familyName)")
            }
            numbers.append(contentsOf: text)
        }
        let texted = Column(type: .text, values: .bytes(numbers), validity: column.validity)
        if type == .boolean { return try parsed(texted, as: .boolean, context) }
        return try cast(try parsed(texted, as: .numeric, context), to: type, context)
    }

    private static func jsonKind(_ text: ArraySlice<UInt8>) -> String {
        switch text.first {
        case UInt8(ascii: "{"): "object"
        case UInt8(ascii: "["): "array"
        case UInt8(ascii: "\""): "string"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): "boolean"
        case UInt8(ascii: "n"): "null"
        default: "numeric"
        }
    }
}
