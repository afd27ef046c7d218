// SPDX-License-Identifier: Apache-2.0
//
// IN a list of constants: compared one by one while the list is short, looked up in a set where it is long.

enum Membership {
    /// From so many constants on a set is faster than comparing whole blocks with each.
    private static let setCountMin = 16

    /// True where the operand is among the values; unknown where it is not and the list holds NULL, and for NULL.
    static func evaluate(
        _ operand: Vector, in values: [Value], hasNull: Bool, count: Int, _ context: EvaluationContext
    ) -> Truth {
        let outcome: Truth
        switch operand {
        case .constant(.null, _): return Truth(nil, count: count)
        case .constant(let value, _):
            outcome = Truth(values.contains { ValueOrder.compare($0, value) == 0 }, count: count)
        case .column(let column):
            outcome = Truth(matches(column, values, context), validity: column.validity)
        }
        // What is not found among the others may still equal the NULL.
        return hasNull ? outcome || Truth(nil, count: count) : outcome
    }

    private static func matches(_ column: Column, _ values: [Value], _ context: EvaluationContext) -> Bitmap {
        if let (codes, dictionary) = column.dictionaryValues {
            let operation = DictionaryResultCache.Operation(
                name: "IN", resultType: .boolean, constants: values, position: 0)
            let cache = context.dictionaryResults
            let known = cache.result(of: operation, for: dictionary)
            let result =
                known
                ?? {
                    let entries = Column(type: column.type, values: .bytes(dictionary.values))
                    let outcomes = matches(entries, values, context).unpacked
                    return cache.keep(.init(column: .booleans(outcomes)), of: operation, for: dictionary)
                }()
            return lookUp(result.column.booleanValues!, codes)
        }
        if values.count >= setCountMin {
            switch column.values {
            case .integer(let integers):
                let set = Set(values.compactMap { if case .integer(let value) = $0 { value } else { nil } })
                return integers.withUnsafeBufferPointer { integers in
                    bitmap(count: integers.count) { set.contains(integers[$0]) }
                }
            case .bytes(let texts):
                let set = Set(values.map { Array(Vector.constant($0, column.type).texts[0]) })
                return bitmap(count: texts.count) { set.contains(Array(texts[$0])) }
            case .uuid(let uuids):
                let set = Set(values.compactMap { if case .uuid(let value) = $0 { value } else { nil } })
                return bitmap(count: uuids.count) { set.contains(uuids[$0]) }
            default: break
            }
        }
        var found = Bitmap(repeating: false, count: column.count)
        let plain = Vector.column(column.with(validity: nil))
        for value in values {
            found =
                found
                | Comparison.equal.evaluate(plain, .constant(value, column.type), count: column.count, context).isTrue
        }
        return found
    }
}
