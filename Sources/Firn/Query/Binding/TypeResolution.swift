// SPDX-License-Identifier: Apache-2.0
//
// From a type as SQL names it to the type that a column or expression has.

import FirnSyntax

extension DataType {
    /// The type that a name means. Errors: 42704 for no such type, 0A000 for one that Firn lacks, 22023 for
    /// modifiers out of range.
    init(_ name: TypeName) throws(FirnError) {
        let position = name.range.start.byteOffset
        if name.isArray {
            throw FirnError(
                .featureNotSupported, "array types are not supported", hint: "use one row a value, or vector(n)",
                position: position)
        }
        let modifiers = name.modifiers
        switch name.canonicalName {
        case "boolean": self = .boolean
        case "smallint": self = .smallint
        case "integer": self = .integer
        case "bigint": self = .bigint
        case "real": self = .real
        case "double precision": self = .double
        case "numeric": self = try DataType.numeric(modifiers, position: position)
        case "text", "varchar", "name": self = .text
        case "character", "char", "bpchar": self = .character
        case "uuid": self = .uuid
        case "timestamptz": self = .timestamptz(try DataType.unit(modifiers, position: position))
        case "timestamp": self = .timestamp(try DataType.unit(modifiers, position: position))
        case "date": self = .date
        case "interval": self = .interval
        case "jsonb", "json": self = .jsonb
        case "bytea": self = .bytea
        case "vector":
            guard let dimensions = modifiers.first else {
                throw FirnError(
                    .invalidParameterValue, "type vector needs its number of dimensions",
                    hint: "write it as vector(384)", position: position)
            }
            guard (1...DataType.vectorDimensionsMax).contains(dimensions) else {
                throw FirnError(
                    .invalidParameterValue,
                    "dimensions for type vector must be between 1 and \(DataType.vectorDimensionsMax)",
                    position: position)
            }
            self = .vector(dimensions)
        case "time", "timetz":
            throw FirnError(
                .featureNotSupported, "type \(name.canonicalName) is not supported",
                hint: "use interval for a time of day", position: position)
        case let unknown:
            if let missing = KnownNames.missingType(unknown, position: position) { throw missing }
            throw FirnError(
                .undefinedObject, "type \"\(unknown)\" does not exist",
                hint: Suggestion.hint(for: unknown, among: DataType.knownNames), position: position)
        }
    }

    private static let knownNames = [
        "boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "text", "varchar", "uuid",
        "timestamptz", "timestamp", "date", "interval", "jsonb", "bytea", "vector",
    ]

    private static func numeric(_ modifiers: [Int], position: Int) throws(FirnError) -> DataType {
        guard let precision = modifiers.first else { return .numeric }
        guard (1...1_000).contains(precision) else {
            throw FirnError(
                .invalidParameterValue, "NUMERIC precision \(precision) must be between 1 and 1000", position: position)
        }
        guard precision <= 38 else {
            throw FirnError(
                .featureNotSupported, "NUMERIC precision \(precision) is beyond 38 digits",
                hint: "numeric without a precision keeps up to 38 digits", position: position)
        }
        let scale = modifiers.count > 1 ? modifiers[1] : 0
        guard (-1_000...1_000).contains(scale) else {
            throw FirnError(
                .invalidParameterValue, "NUMERIC scale \(scale) must be between -1000 and 1000", position: position)
        }
        guard (0...precision).contains(scale) else {
            throw FirnError(
                .featureNotSupported, "NUMERIC scale \(scale) is not between 0 and precision \(precision)",
                hint: "Use numeric, and round(x, \(scale)).", position: position)
        }
        return .numeric(precision: precision, scale: scale)
    }

    /// Up to 6 digits of a second are microseconds, up to 9 nanoseconds.
    private static func unit(_ modifiers: [Int], position: Int) throws(FirnError) -> TimeUnit {
        guard let digits = modifiers.first else { return .microseconds }
        guard (0...9).contains(digits) else {
            throw FirnError(
                .invalidParameterValue, "timestamp precision \(digits) must be between 0 and 9", position: position)
        }
        return digits <= 6 ? .microseconds : .nanoseconds
    }
}

extension IntervalFields {
    /// The fields that the syntax names.
    init(_ fields: FirnSyntax.IntervalFields) {
        self =
            switch fields {
            case .year: .year
            case .month: .month
            case .day: .day
            case .hour: .hour
            case .minute: .minute
            case .second: .second
            case .yearToMonth: .yearToMonth
            case .dayToHour: .dayToHour
            case .dayToMinute: .dayToMinute
            case .dayToSecond: .dayToSecond
            case .hourToMinute: .hourToMinute
            case .hourToSecond: .hourToSecond
            case .minuteToSecond: .minuteToSecond
            }
    }
}
