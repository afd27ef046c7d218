// SPDX-License-Identifier: Apache-2.0
//
// One argument of a function as its loop sees it: one Swift value for all rows, or an array of them.
//
// The helpers below choose the loop once a block by which arguments are constant; the body that the caller
// gives is inlined into it, so that no closure, enum or check is left per row.

/// The values of one argument.
enum Lane<Element: Sendable>: Sendable {
    case constant(Element)
    case column([Element])
}

extension Vector {
    /// SMALLINT to BIGINT, times and dates.
    var integers: Lane<Int64> {
        switch self {
        case .constant(.integer(let value), _): .constant(value)
        case .column(let column): .column(column.integerValues!)
        default: preconditionFailure("an integer argument, not \(type)")
        }
    }
    var doubles: Lane<Double> {
        switch self {
        case .constant(.double(let value), _): .constant(value)
        case .column(let column): .column(column.doubleValues!)
        default: preconditionFailure("a double argument, not \(type)")
        }
    }
    var floats: Lane<Float> {
        switch self {
        case .constant(.float(let value), _): .constant(value)
        case .column(let column): .column(column.floatValues!)
        default: preconditionFailure("a real argument, not \(type)")
        }
    }
    var booleans: Lane<Bool> {
        switch self {
        case .constant(.boolean(let value), _): .constant(value)
        case .column(let column): .column(column.booleanValues!)
        default: preconditionFailure("a boolean argument, not \(type)")
        }
    }
    var decimals: Lane<Decimal> {
        switch self {
        case .constant(.decimal(let value), _): .constant(value)
        case .column(let column): .column(column.decimalValues!)
        default: preconditionFailure("a numeric argument, not \(type)")
        }
    }
    var uuids: Lane<UInt128> {
        switch self {
        case .constant(.uuid(let value), _): .constant(value)
        case .column(let column): .column(column.uuidValues!)
        default: preconditionFailure("a uuid argument, not \(type)")
        }
    }
    var intervals: Lane<Interval> {
        switch self {
        case .constant(.interval(let value), _): .constant(value)
        case .column(let column): .column(column.intervalValues!)
        default: preconditionFailure("an interval argument, not \(type)")
        }
    }
    /// TEXT, JSONB and BYTEA as bytes.
    var texts: TextLane {
        switch self {
        case .constant(.text(let value), _): .constant(Array(value.utf8))
        case .constant(.bytes(let value), _): .constant(value)
        case .column(let column):
            if let (codes, dictionary) = column.dictionaryValues,
                dictionary.values.bytes.count > max(1, dictionary.count) * Self.writtenBytesMax
            {
                .dictionary(codes, dictionary)
            } else {
                .column(column.bytesValues!)
            }
        default: preconditionFailure("a text argument, not \(type)")
        }
    }
}

extension Vector {
    /// Texts of a dictionary that are longer, on the average, are not written out a row: few of them are many bytes.
    fileprivate static let writtenBytesMax = 512
}

/// The bytes of one text argument.
enum TextLane: Sendable {
    case constant([UInt8])
    case column(BytesValues)
    case dictionary([UInt32], BytesDictionary)

    /// Bytes of all rows together.
    func byteCount(count: Int) -> Int {
        switch self {
        case .constant(let value): value.count * count
        case .column(let values): values.bytes.count
        case .dictionary: (0..<count).reduce(0) { $0 + self[$1].count }
        }
    }

    /// The bytes of one row.
    @inline(__always)
    subscript(row: Int) -> ArraySlice<UInt8> {
        switch self {
        case .constant(let value): value[...]
        case .column(let values): values[row]
        // A NULL row may hold any code.
        case .dictionary(let codes, let dictionary): dictionary.values[min(Int(codes[row]), dictionary.count - 1)]
        }
    }
}

extension TextLane {
    /// Lends the bytes of each row in turn.
    @inline(__always)
    func forEach(count: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        switch self {
        case .constant(let text):
            text.withUnsafeBufferPointer { text in for _ in 0..<count { body(text) } }
        case .column(let values):
            precondition(values.count == count, "a value a row")
            values.withUnsafeValues { bytes, offsets in
                // In bounds: offsets cut the column's bytes.
                for row in 0..<count {
                    let start = offsets[row]
                    body(UnsafeBufferPointer(start: bytes + start, count: offsets[row + 1] - start))
                }
            }
        case .dictionary:
            for row in 0..<count { self[row].withUnsafeBufferPointer(body) }
        }
    }
}

extension Lane {
    /// The value of one row, for loops that are not hot.
    @inline(__always)
    subscript(row: Int) -> Element {
        switch self {
        case .constant(let value): value
        case .column(let values): values[row]
        }
    }

    /// `body` of each row.
    @inline(__always)
    func map<Result>(count: Int, _ body: (Element) -> Result) -> [Result] {
        [Result](unsafeUninitializedCapacity: count) { target, initialized in
            // In bounds: the caller's columns have `count` rows.
            switch self {
            case .constant(let value):
                for row in 0..<count { (target.baseAddress! + row).initialize(to: body(value)) }
            case .column(let values):
                precondition(values.count == count, "a value a row")
                values.withUnsafeBufferPointer { values in
                    for row in 0..<count { (target.baseAddress! + row).initialize(to: body(values[row])) }
                }
            }
            initialized = count
        }
    }

    /// `body` of each row; the first error ends the loop.
    @inline(__always)
    func tryMap<Result>(
        count: Int, _ body: (Element) throws(FirnError) -> Result
    ) throws(FirnError) -> [Result] {
        var results: [Result] = []
        results.reserveCapacity(count)
        switch self {
        case .constant(let value): for _ in 0..<count { results.append(try body(value)) }
        case .column(let values): for row in 0..<count { results.append(try body(values[row])) }
        }
        return results
    }
}

/// `body` of each pair of rows.
@inline(__always)
func combine<Left, Right, Result>(
    _ left: Lane<Left>, _ right: Lane<Right>, count: Int, _ body: (Left, Right) -> Result
) -> [Result] {
    [Result](unsafeUninitializedCapacity: count) { target, initialized in
        // Programmer errors only: a column of another length.
        if case .column(let values) = left { precondition(values.count == count, "a value a row") }
        if case .column(let values) = right { precondition(values.count == count, "a value a row") }
        let base = target.baseAddress
        switch (left, right) {
        case (.column(let left), .column(let right)):
            left.withUnsafeBufferPointer { left in
                right.withUnsafeBufferPointer { right in
                    for row in 0..<count { (base! + row).initialize(to: body(left[row], right[row])) }
                }
            }
        case (.column(let left), .constant(let right)):
            left.withUnsafeBufferPointer { left in
                for row in 0..<count { (base! + row).initialize(to: body(left[row], right)) }
            }
        case (.constant(let left), .column(let right)):
            right.withUnsafeBufferPointer { right in
                for row in 0..<count { (base! + row).initialize(to: body(left, right[row])) }
            }
        case (.constant(let left), .constant(let right)):
            for row in 0..<count { (base! + row).initialize(to: body(left, right)) }
        }
        initialized = count
    }
}

/// `body` of each pair of rows; the first error ends the loop.
@inline(__always)
func tryCombine<Left, Right, Result>(
    _ left: Lane<Left>, _ right: Lane<Right>, count: Int, _ body: (Left, Right) throws(FirnError) -> Result
) throws(FirnError) -> [Result] {
    var results: [Result] = []
    results.reserveCapacity(count)
    for row in 0..<count { results.append(try body(left[row], right[row])) }
    return results
}

/// A bit for each pair of rows.
@inline(__always)
func testPairs<Left, Right>(
    _ left: Lane<Left>, _ right: Lane<Right>, count: Int, _ test: (Left, Right) -> Bool
) -> Bitmap {
    switch (left, right) {
    case (.column(let left), .column(let right)):
        precondition(left.count == count && right.count == count, "a value a row")
        return left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in bitmap(count: count) { test(left[$0], right[$0]) } }
        }
    case (.column(let left), .constant(let right)):
        precondition(left.count == count, "a value a row")
        return left.withUnsafeBufferPointer { left in bitmap(count: count) { test(left[$0], right) } }
    case (.constant(let left), .column(let right)):
        precondition(right.count == count, "a value a row")
        return right.withUnsafeBufferPointer { right in bitmap(count: count) { test(left, right[$0]) } }
    case (.constant(let left), .constant(let right)):
        return Bitmap(repeating: test(left, right), count: count)
    }
}
