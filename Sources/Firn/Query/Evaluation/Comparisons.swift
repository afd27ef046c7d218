// SPDX-License-Identifier: Apache-2.0
//
// The six comparisons over whole blocks of every type, into bitmaps.
//
// NaN equals itself and is larger than every other number, text goes by its bytes, false before true, UUIDs by
// their bytes, intervals by their length with months of 30 days: PostgreSQL's orders. The operator and the type
// are chosen once a block; dictionary-coded text is compared once per dictionary entry.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Orders of values, as PostgreSQL has them.
enum ValueOrder {
    /// Total order of floating-point numbers: NaN equals NaN and comes last; -0 equals 0.
    @inline(__always)
    static func precedes<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Bool {
        left < right || (right != right && left == left)
    }

    @inline(__always)
    static func equals<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Bool {
        left == right || (left != left && right != right)
    }

    /// Negative, zero or positive as the left bytes come before, are the same as, or come after the right ones.
    static func compare(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Int {
        let outcome: Int? = left.withContiguousStorageIfAvailable { left in
            right.withContiguousStorageIfAvailable { right in
                compareBytes(left.baseAddress, left.count, right.baseAddress, right.count)
            } ?? 0
        }
        return outcome ?? (left.lexicographicallyPrecedes(right) ? -1 : (left.elementsEqual(right) ? 0 : 1))
    }

    /// Negative, zero or positive; neither may be NULL and both have the physical form of one type.
    static func compare(_ left: Value, _ right: Value) -> Int {
        switch (left, right) {
        case (.boolean(let left), .boolean(let right)): (left ? 1 : 0) - (right ? 1 : 0)
        case (.integer(let left), .integer(let right)): sign(left < right, left == right)
        case (.float(let left), .float(let right)): sign(precedes(left, right), equals(left, right))
        case (.double(let left), .double(let right)): sign(precedes(left, right), equals(left, right))
        case (.decimal(let left), .decimal(let right)): sign(left < right, left == right)
        case (.text(let left), .text(let right)): compare(Array(left.utf8), Array(right.utf8))
        case (.bytes(let left), .bytes(let right)): compare(left, right)
        case (.uuid(let left), .uuid(let right)): sign(left < right, left == right)
        case (.interval(let left), .interval(let right)): sign(left < right, left == right)
        default: preconditionFailure("values of one type that has an order")
        }
    }

    private static func sign(_ isLess: Bool, _ isEqual: Bool) -> Int { isLess ? -1 : (isEqual ? 0 : 1) }
}

extension Comparison {
    /// What the operator says of an order: negative, zero or positive.
    @inline(__always)
    func accepts(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    /// The outcome for each row. Both sides have one physical form.
    func evaluate(
        _ left: Vector, _ right: Vector, count: Int, _ context: EvaluationContext
    ) -> Truth {
        if left.type == .jsonb {
            return evaluate(left.comparable, right.comparable, count: count, context)
        }
        switch (left, right) {
        case (.constant(.null, _), _), (_, .constant(.null, _)): return Truth(nil, count: count)
        case (.constant(let left, _), .constant(let right, _)):
            return Truth(accepts(ValueOrder.compare(left, right)), count: count)
        case (.constant, .column): return swapped.evaluate(right, left, count: count, context)
        case (.column(let column), .constant(let value, _)):
            if let dictionary = column.dictionaryValues {
                return compareDictionary(column, dictionary.codes, dictionary.dictionary, with: value, context)
            }
            return Truth(test(left, right, count: count), validity: column.validity)
        case (.column(let one), .column(let other)):
            return Truth(test(left, right, count: count), validity: combinedValidity(one.validity, other.validity))
        }
    }

    /// Text by code: the comparison is made once for each dictionary entry.
    private func compareDictionary(
        _ column: Column, _ codes: [UInt32], _ dictionary: BytesDictionary, with value: Value,
        _ context: EvaluationContext
    ) -> Truth {
        let operation = DictionaryResultCache.Operation(
            name: rawValue, resultType: .boolean, constants: [.null, value], position: 0)
        let cache = context.dictionaryResults
        let result =
            cache.result(of: operation, for: dictionary)
            ?? {
                let entries = Vector.column(Column(type: column.type, values: .bytes(dictionary.values)))
                let outcomes = test(entries, .constant(value, column.type), count: dictionary.count).unpacked
                return cache.keep(.init(column: .booleans(outcomes)), of: operation, for: dictionary)
            }()
        return Truth(lookUp(result.column.booleanValues!, codes), validity: column.validity)
    }

    /// The bits of all rows, whatever their validity.
    private func test(_ left: Vector, _ right: Vector, count: Int) -> Bitmap {
        switch left.type.physical {
        case .boolean:
            test(left.booleans, right.booleans, count: count, { !$0 && $1 }, { $0 == $1 })
        case .integer: testIntegers(left.integers, right.integers, count: count)
        case .float:
            test(
                left.floats, right.floats, count: count, { ValueOrder.precedes($0, $1) }, { ValueOrder.equals($0, $1) })
        case .double: testDoubles(left.doubles, right.doubles, count: count)
        case .decimal: test(left.decimals, right.decimals, count: count, { $0 < $1 }, { $0 == $1 })
        case .uuid: test(left.uuids, right.uuids, count: count, { $0 < $1 }, { $0 == $1 })
        case .interval: test(left.intervals, right.intervals, count: count, { $0 < $1 }, { $0 == $1 })
        case .bytes: testTexts(left.texts, right.texts, count: count)
        case .vector:
            bitmap(count: count) { accepts(left.row($0) == right.row($0) ? 0 : 1) }
        }
    }

    @inline(__always)
    private func test<Element>(
        _ left: Lane<Element>, _ right: Lane<Element>, count: Int,
        _ precedes: (Element, Element) -> Bool, _ equals: (Element, Element) -> Bool
    ) -> Bitmap {
        switch self {
        case .equal: testPairs(left, right, count: count) { equals($0, $1) }
        case .notEqual: testPairs(left, right, count: count) { !equals($0, $1) }
        case .less: testPairs(left, right, count: count) { precedes($0, $1) }
        case .lessOrEqual: testPairs(left, right, count: count) { !precedes($1, $0) }
        case .greater: testPairs(left, right, count: count) { precedes($1, $0) }
        case .greaterOrEqual: testPairs(left, right, count: count) { !precedes($0, $1) }
        }
    }

    private func testIntegers(_ left: Lane<Int64>, _ right: Lane<Int64>, count: Int) -> Bitmap {
        if case .column(let values) = left, case .constant(let bound) = right {
            return bitmap(of: values) { Kernels.compare($0, count: $1, forKernels, bound, into: $2) }
        }
        return test(left, right, count: count, { $0 < $1 }, { $0 == $1 })
    }

    private func testDoubles(_ left: Lane<Double>, _ right: Lane<Double>, count: Int) -> Bitmap {
        if case .column(let values) = left, case .constant(let bound) = right, !bound.isNaN {
            return bitmap(of: values) { Kernels.compare($0, count: $1, forKernels, bound, into: $2) }
        }
        return test(
            left, right, count: count, { ValueOrder.precedes($0, $1) }, { ValueOrder.equals($0, $1) })
    }

    private var forKernels: KernelComparison {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        }
    }

    private func testTexts(_ left: TextLane, _ right: TextLane, count: Int) -> Bitmap {
        guard case .column(let values) = left else {
            return bitmap(count: count) { accepts(ValueOrder.compare(left[$0], right[$0])) }
        }
        return values.withUnsafeValues { bytes, offsets in
            switch right {
            case .constant(let bound):
                return bound.withUnsafeBufferPointer { bound in
                    let (base, length) = (bound.baseAddress, bound.count)
                    // In bounds: offsets[row + 1] exists for every row of the column.
                    switch self {
                    case .equal:
                        return bitmap(count: count) { row in
                            let start = offsets[row]
                            return offsets[row + 1] - start == length
                                && compareBytes(bytes + start, length, base, length) == 0
                        }
                    default:
                        return bitmap(count: count) { row in
                            let start = offsets[row]
                            return accepts(compareBytes(bytes + start, offsets[row + 1] - start, base, length))
                        }
                    }
                }
            case .column(let others):
                return others.withUnsafeValues { otherBytes, otherOffsets in
                    bitmap(count: count) { row in
                        let start = offsets[row]
                        let otherStart = otherOffsets[row]
                        return accepts(
                            compareBytes(
                                bytes + start, offsets[row + 1] - start,
                                otherBytes + otherStart, otherOffsets[row + 1] - otherStart))
                    }
                }
            case .dictionary:
                return bitmap(count: count) { accepts(ValueOrder.compare(left[$0], right[$0])) }
            }
        }
    }
}

/// A bit for each value, which a kernel writes.
@inline(__always)
func bitmap<Element>(
    of values: [Element],
    _ write: (_ values: UnsafePointer<Element>, _ count: Int, _ words: UnsafeMutablePointer<UInt64>) -> Void
) -> Bitmap {
    let wordCount = (values.count + 63) / 64
    let words = [UInt64](unsafeUninitializedCapacity: wordCount) { words, initialized in
        guard let words = words.baseAddress, wordCount > 0 else { return }
        // The kernel writes whole bytes, which may be fewer than the last word has.
        words[wordCount - 1] = 0
        values.withUnsafeBufferPointer { write($0.baseAddress!, $0.count, words) }
        initialized = wordCount
    }
    return Bitmap(words: words, count: values.count)
}

/// The table's bit for each code.
func lookUp(_ table: [Bool], _ codes: [UInt32]) -> Bitmap {
    table.withUnsafeBufferPointer { table in
        codes.withUnsafeBufferPointer { codes in
            // Codes come from columns that were checked; a NULL row may hold any code.
            bitmap(count: codes.count) { row in
                let code = Int(codes[row])
                return code < table.count && table[code]
            }
        }
    }
}

/// Rows that are valid in both.
func combinedValidity(_ left: Bitmap?, _ right: Bitmap?) -> Bitmap? {
    switch (left, right) {
    case (nil, let validity), (let validity, nil): validity
    case (let left?, let right?): left & right
    }
}

extension Vector {
    /// The value of one row.
    func row(_ row: Int) -> Value {
        switch self {
        case .constant(let value, _): value
        case .column(let column): column[row]
        }
    }
}
