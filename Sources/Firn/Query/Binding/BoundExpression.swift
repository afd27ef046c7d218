// SPDX-License-Identifier: Apache-2.0
//
// Expressions after binding: names resolved to columns of the input, overloads chosen, every cast explicit,
// every node typed. Evaluation needs no further look-up and can fail only on values.

import FirnIO

/// A typed expression over the columns of an input batch.
struct BoundExpression: Sendable {
    var kind: Kind
    var type: DataType
    /// UTF-8 byte offset in the statement, for errors on values.
    var position: Int

    indirect enum Kind: Sendable {
        case constant(Value)
        /// Column of the input, by position.
        case column(Int)
        /// A function of the catalogue that treats each row alone; strict ones give NULL for any NULL argument.
        case call(ScalarFunction, [BoundExpression])
        /// Both operands have one type, units and modifiers included. NULL where either is NULL.
        case compare(Comparison, BoundExpression, BoundExpression)
        /// To the expression's type.
        case cast(BoundExpression)
        case and([BoundExpression])
        case or([BoundExpression])
        case not(BoundExpression)
        case isNull(BoundExpression, negated: Bool)
        case isDistinct(BoundExpression, BoundExpression, negated: Bool)
        /// IS TRUE, IS FALSE (and their negations).
        case isBoolean(BoundExpression, Bool, negated: Bool)
        /// Only the branch that a row takes is evaluated for it. Conditions are boolean.
        case `case`(branches: [(condition: BoundExpression, result: BoundExpression)], otherwise: BoundExpression?)
        /// The first that is not NULL; later ones are evaluated only for rows that need them.
        case coalesce([BoundExpression])
        /// The operand among constants of its type; `hasNull` where the list holds NULL.
        case inConstants(BoundExpression, [Value], hasNull: Bool, negated: Bool)
    }

    init(_ kind: Kind, _ type: DataType, position: Int = 0) {
        self.kind = kind
        self.type = type
        self.position = position
    }
}

/// The six comparisons. The raw value is the SQL spelling.
enum Comparison: String, Sendable, Hashable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// `a op b` is `b op.swapped a`.
    var swapped: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }

    /// What holds where this one does not.
    var negated: Comparison {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .less: .greaterOrEqual
        case .lessOrEqual: .greater
        case .greater: .lessOrEqual
        case .greaterOrEqual: .less
        }
    }
}

/// What evaluation knows beside the rows.
struct EvaluationContext: Sendable {
    /// The session's zone, for text, truncation and casts of TIMESTAMPTZ.
    var timeZone: TimeZoneRules
    /// Where zone names in expressions are looked up.
    var timeZones: TimeZoneDatabase = .withoutFiles
    /// `now()`: microseconds since 1970-01-01T00:00:00Z, the same throughout a statement.
    var statementMicroseconds: Int64
    /// For `clock_timestamp()`; nil gives the statement's time.
    var clock: (any TimeSource)?
    /// For `gen_random_uuid()` and `random()`.
    var random: any RandomSource
    /// Throws 57014 once the statement was cancelled; called once a block.
    var cancellation: CancellationFlag
    /// Bytes that the statement may hold.
    var memoryBytesMax = Int.max
    /// What compress_chunk and decompress_chunk work on; nil where nothing can be changed.
    var chunkRewriting: ChunkRewriting?
    /// What functions gave for whole dictionaries, so that each dictionary is worked through once a statement.
    var dictionaryResults = DictionaryResultCache()
}

/// The outcome of evaluating an expression over a batch: one value for all rows, or a column.
enum Vector: Sendable {
    case constant(Value, DataType)
    case column(Column)

    var type: DataType {
        switch self {
        case .constant(_, let type): type
        case .column(let column): column.type
        }
    }

    /// As a column of so many rows.
    func materialized(rowCount: Int) -> Column {
        switch self {
        case .constant(let value, let type): Column(repeating: value, type: type, count: rowCount)
        case .column(let column): column
        }
    }
}

/// A function of the catalogue with its overload chosen.
struct ScalarFunction: Sendable {
    var name: String
    var argumentTypes: [DataType]
    var resultType: DataType
    var volatility: Volatility
    var nulls: NullHandling
    /// Whether some values of the arguments make it throw.
    var mayFail = true
    /// Arguments from this one on are seen as they are, NULL too; nil where there are none.
    var nullableFrom: Int?
    /// Called once a block. Arguments have the declared types; all columns have `rowCount` rows.
    var evaluate:
        @Sendable (_ arguments: [Vector], _ rowCount: Int, _ context: EvaluationContext) throws(FirnError) -> Vector

    enum Volatility: Sendable {
        /// Depends on its arguments alone: folded when they are constant.
        case immutable
        /// The same throughout a statement, like now().
        case stable
        /// New at each row, like random().
        case volatile
    }

    /// How a function meets NULL. In the first two any NULL argument gives NULL, and the caller sees to it.
    enum NullHandling: Sendable {
        /// Never sees a NULL: it is called for the rows alone in which no argument is NULL.
        case neverSeen
        /// Is called for all rows with the validity left in the columns: rows with a NULL argument hold any
        /// value and give any value, but must not throw. The result's own validity is ignored.
        case ignored
        /// Sees NULL constants and columns with NULL rows, and decides itself.
        case handled
    }
}

/// A call of an aggregate function.
struct BoundAggregate: Sendable {
    var function: AggregateKind
    /// Bound over the input of the aggregation.
    var arguments: [BoundExpression]
    var isDistinct: Bool
    /// FILTER (WHERE …).
    var filter: BoundExpression?
    var type: DataType
    /// The call as written, for EXPLAIN.
    var text: String
    var position: Int
}

/// The aggregate functions; the argument types choose their states.
enum AggregateKind: String, Sendable {
    case countRows, count, sum, average, minimum, maximum
    case sampleDeviation, populationDeviation, sampleVariance, populationVariance
    /// first(value, time) and last(value, time): the value at the smallest or largest time; ties by commit order.
    case first, last
    case booleanAnd, booleanOr
}

extension EvaluationContext {
    /// What the meaning of a date or time text depends on.
    var dateTime: DateTimeContext {
        DateTimeContext(zone: timeZone, zones: timeZones, now: Timestamp(microseconds: statementMicroseconds))
    }
}
