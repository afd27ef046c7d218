// SPDX-License-Identifier: Apache-2.0
//
// Turns values of one type into another over whole blocks.

enum CastEvaluator {
    /// The vector under another type. Throws without a position where a value does not fit.
    static func cast(
        _ vector: Vector, to type: DataType, rowCount: Int, _ context: EvaluationContext
    ) throws(FirnError) -> Vector {
        switch vector {
        case .constant(.null, _): return .constant(.null, type)
        case .constant(let value, let source):
            let column = Column(repeating: value, type: source, count: 1)
            return .constant(try cast(column, to: type, context)[0], type)
        case .column(let column): return .column(try cast(column, to: type, context))
        }
    }

    /// The column under another type.
    static func cast(_ column: Column, to type: DataType, _ context: EvaluationContext) throws(FirnError) -> Column {
        if column.type == type { return column }
        switch (column.type, type) {
        case (.smallint, .integer), (.smallint, .bigint), (.integer, .bigint): return column.retyped(type)
        case (.smallint, .double), (.integer, .double), (.bigint, .double):
            let values = Vector.column(column).integers.map(count: column.count) { Double($0) }
            return Column(type: .double, values: .double(values), validity: column.validity)
        case (.real, .double):
            let values = Vector.column(column).floats.map(count: column.count) { Double($0) }
            return Column(type: .double, values: .double(values), validity: column.validity)
        default:
            throw FirnError(.cannotCoerce, "cannot cast type \(column.type) to \(type)")
        }
    }
}
