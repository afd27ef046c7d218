// SPDX-License-Identifier: Apache-2.0
//
// What a modifier does to the values of a column: lengths are cut and padded, seconds rounded, fields left out.
//
// A value that is too long for VARCHAR(n) or CHAR(n) is error 22001 on its way into a column, unless all that is too
// much are blanks; an explicit cast cuts it. CHAR(n) is padded with blanks. Seconds are rounded to the digits that
// TIMESTAMP(p) and INTERVAL(p) keep, halves away from 2000-01-01 and from zero.
//
// Source: the behaviour of varchar(), bpchar(), AdjustTimestampForTypmod and AdjustIntervalForTypmod, PostgreSQL 15.

/// A value that a modifier does not let in, and its row.
struct ModifierFailure: Error {
    var row: Int
    var error: ValueError
}

extension TypeModifier {
    /// How a value comes to its modifier.
    enum Occasion {
        /// Into a column: what would be lost is an error.
        case assignment
        /// By CAST or `::`.
        case explicitCast
    }

    /// The column under the modifier, which is one of its type. NULL rows stay.
    func applied(to column: Column, _ occasion: Occasion) throws(ModifierFailure) -> Column {
        switch self {
        case .length(let length): return try Self.limited(column, to: length, occasion)
        case .fractionalDigits(let digits): return try Self.rounded(column, toFractionalDigits: digits)
        case .interval(let fields, let digits):
            guard case .interval(let values) = column.values else { preconditionFailure("a modifier of INTERVAL") }
            var results: [Interval] = []
            results.reserveCapacity(values.count)
            for (row, value) in values.enumerated() {
                do throws(ValueError) {
                    let kept = column.isNull(row) ? .zero : value.limited(to: fields)
                    results.append(
                        try digits.map { (digits) throws(ValueError) in
                            try kept.rounded(toFractionDigits: digits)
                        } ?? kept)
                } catch {
                    throw ModifierFailure(row: row, error: error)
                }
            }
            return Column(type: column.type, values: .interval(results), validity: column.validity)
        }
    }

    // MARK: Lengths

    private static func limited(
        _ column: Column, to length: Int, _ occasion: Occasion
    ) throws(ModifierFailure) -> Column {
        let isPadded = column.type == .character
        switch column.values {
        case .bytes(let values):
            if (0..<values.count).allSatisfy({ fits(values[$0], length, isPadded) }) { return column }
        case .dictionary(_, let dictionary):
            let values = dictionary.values
            if (0..<values.count).allSatisfy({ fits(values[$0], length, isPadded) }) { return column }
        default: preconditionFailure("a modifier of text")
        }
        let values = column.bytesValues!
        var results = BytesValues()
        results.reserveCapacity(values.count, byteCount: values.bytes.count)
        for row in 0..<values.count {
            guard !column.isNull(row) else {
                results.append("")
                continue
            }
            let value = values[row]
            let end = self.end(ofCharacters: length, in: value)
            if occasion == .assignment, value[end.index...].contains(where: { $0 != UInt8(ascii: " ") }) {
                throw ModifierFailure(row: row, error: tooLong(column.type, length))
            }
            results.append { output in
                output.append(contentsOf: value[..<end.index])
                if isPadded { output.append(contentsOf: repeatElement(32, count: length - end.characterCount)) }
            }
        }
        return Column(type: column.type, values: .bytes(results), validity: column.validity)
    }

    /// Error 22001 where a text on its way into a column is too long by more than blanks.
    func checkLength(_ text: UnsafeBufferPointer<UInt8>, of type: DataType) throws(ValueError) {
        guard case .length(let length) = self, text.count > length else { return }
        let value = Array(text)[...]
        let end = Self.end(ofCharacters: length, in: value)
        if value[end.index...].contains(where: { $0 != UInt8(ascii: " ") }) { throw Self.tooLong(type, length) }
    }

    private static func tooLong(_ type: DataType, _ length: Int) -> ValueError {
        ValueError(code: "22001", message: "value too long for type \(type.name(with: .length(length)))")
    }

    /// Whether a text stays as it is.
    @inline(__always)
    private static func fits(_ value: ArraySlice<UInt8>, _ length: Int, _ isPadded: Bool) -> Bool {
        if !isPadded, value.count <= length { return true }
        var characters = 0
        // Every byte of UTF-8 but those that continue a character begins one.
        for byte in value where byte & 0xC0 != 0x80 { characters += 1 }
        return isPadded ? characters == length : characters <= length
    }

    /// Where the first `length` characters end, and how many there are up to there.
    private static func end(
        ofCharacters length: Int, in value: ArraySlice<UInt8>
    ) -> (index: Int, characterCount: Int) {
        var characters = 0
        for index in value.indices where value[index] & 0xC0 != 0x80 {
            if characters == length { return (index, length) }
            characters += 1
        }
        return (value.endIndex, characters)
    }

    // MARK: Seconds

    private static func rounded(
        _ column: Column, toFractionalDigits digits: Int
    ) throws(ModifierFailure) -> Column {
        let isNanoseconds = column.type.isNanoseconds
        let unit = Int64(UInt64.powersOfTen[(isNanoseconds ? 9 : 6) - digits])
        guard case .integer(let values) = column.values else { preconditionFailure("a modifier of a time") }
        if values.allSatisfy({ $0 % unit == 0 || $0 == .min || $0 == .max }) { return column }
        let epoch = Int128(Timestamp.yearTwoThousand) * (isNanoseconds ? 1_000 : 1)
        let (step, half) = (Int128(unit), Int128(unit / 2))
        var results: [Int64] = []
        results.reserveCapacity(values.count)
        for (row, value) in values.enumerated() {
            if value % unit == 0 || value == .min || value == .max || column.isNull(row) {
                results.append(value)
                continue
            }
            let distance = Int128(value) - epoch
            let magnitude = ((distance < 0 ? -distance : distance) + half) / step * step
            let result = epoch + (distance < 0 ? -magnitude : magnitude)
            do throws(ValueError) {
                if isNanoseconds {
                    guard let narrow = Int64(exactly: result) else { throw .timestampOutOfRange }
                    results.append(narrow)
                } else {
                    results.append(try Timestamp.checked(result).microseconds)
                }
            } catch {
                throw ModifierFailure(row: row, error: error)
            }
        }
        return Column(type: column.type, values: .integer(results), validity: column.validity)
    }
}

extension Timestamp {
    /// 2000-01-01 in microseconds: PostgreSQL's own epoch, from which its ties are rounded away.
    static let yearTwoThousand: Int64 = 946_684_800_000_000
}
