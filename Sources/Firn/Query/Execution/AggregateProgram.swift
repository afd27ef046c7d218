// SPDX-License-Identifier: Apache-2.0
//
// What a GROUP BY computes, with SQL taken out of it: keys, distinct argument expressions, and the states that
// several aggregates may share (avg and stddev of one column need one state).

/// An aggregation, ready to run. Immutable; shared by all threads.
struct AggregateProgram: Sendable {
    /// One aggregate's state and what feeds it.
    struct StateSlot: Sendable {
        var kind: AggregateStateKind
        /// Indices into `expressions`.
        var arguments: [Int]
        /// Arguments whose NULL rows are left out.
        var skipsNullsOf: [Int]
        /// Index into `expressions` of FILTER's condition.
        var filter: Int?
        /// Present for DISTINCT.
        var distinctLayout: KeyLayout?

        /// All expressions of which it needs values, but for the filter's. Some may be there twice.
        var inputs: [Int] { arguments + skipsNullsOf }

        func makeState() -> any AggregateState {
            if let distinctLayout { return DistinctState(kind, layout: distinctLayout) }
            return kind.makeState()
        }
    }

    struct Output: Sendable {
        var state: Int
        var output: AggregateOutput
        var type: DataType
    }

    let keys: [BoundExpression]
    /// For each key its time_bucket, where it is one that arithmetic can follow.
    let buckets: [BucketKey?]
    /// Nil without keys.
    let layout: KeyLayout?
    let expressions: [BoundExpression]
    let states: [StateSlot]
    let outputs: [Output]

    /// - Parameter memory: what counts the texts of keys and of DISTINCT.
    init(keys: [BoundExpression], aggregates: [BoundAggregate], memory: MemoryBudget) throws(FirnError) {
        self.keys = keys
        buckets = keys.map { BucketKey($0) }
        layout = keys.isEmpty ? nil : KeyLayout(types: keys.map(\.type), memory: memory)
        var builder = Builder(memory: memory)
        for aggregate in aggregates { try builder.add(aggregate) }
        expressions = builder.expressions
        states = builder.states
        outputs = builder.outputs
    }

    private struct Builder {
        let memory: MemoryBudget
        var expressions: [BoundExpression] = []
        var states: [StateSlot] = []
        var outputs: [Output] = []

        mutating func index(of expression: BoundExpression) -> Int {
            // A volatile expression gives each use values of its own.
            if !expression.isVolatile, let index = expressions.firstIndex(where: { $0.isSame(as: expression) }) {
                return index
            }
            expressions.append(expression)
            return expressions.count - 1
        }

        mutating func add(_ aggregate: BoundAggregate) throws(FirnError) {
            let (kind, output) = try aggregate.stateAndOutput()
            let arguments = aggregate.arguments.map { index(of: $0) }
            let filter = aggregate.filter.map { index(of: $0) }
            let skipsNullsOf: [Int]
            switch aggregate.function {
            case .countRows: skipsNullsOf = []
            // The value may be NULL, the time not.
            case .first, .last: skipsNullsOf = [arguments[1]]
            default: skipsNullsOf = arguments
            }
            // min and max are the same with DISTINCT, so are the booleans.
            var isDistinct = aggregate.isDistinct
            switch aggregate.function {
            case .minimum, .maximum, .booleanAnd, .booleanOr, .first, .last, .countRows: isDistinct = false
            default: break
            }
            let usedArguments = kind == .count && !isDistinct ? [] : arguments
            let shared = states.firstIndex { state in
                state.arguments == usedArguments && state.skipsNullsOf == skipsNullsOf && state.filter == filter
                    && (state.distinctLayout != nil) == isDistinct && (isDistinct || state.kind.serves(kind))
                    && (!isDistinct || state.kind == kind)
            }
            if let shared {
                if !states[shared].kind.covers(kind) { states[shared].kind = kind }
                outputs.append(Output(state: shared, output: output, type: aggregate.type))
                return
            }
            states.append(
                StateSlot(
                    kind: kind, arguments: usedArguments, skipsNullsOf: skipsNullsOf, filter: filter,
                    distinctLayout: isDistinct
                        ? DistinctState.layout(valueType: aggregate.arguments[0].type, memory: memory) : nil))
            outputs.append(Output(state: states.count - 1, output: output, type: aggregate.type))
        }
    }
}

extension AggregateStateKind {
    /// The kind without regard to squares.
    private var family: AggregateStateKind {
        switch self {
        case .integers: .integers(squares: false)
        case .doubles: .doubles(squares: false)
        case .floats: .floats(squares: false)
        case .decimals: .decimals(squares: false)
        default: self
        }
    }

    private var tracksSquares: Bool {
        switch self {
        case .integers(true), .doubles(true), .floats(true), .decimals(true): true
        default: false
        }
    }

    /// True where one state, with squares if either asks for them, answers both.
    fileprivate func serves(_ other: AggregateStateKind) -> Bool { family == other.family }

    /// True where this state answers the other without more.
    fileprivate func covers(_ other: AggregateStateKind) -> Bool { tracksSquares || !other.tracksSquares }
}

extension BoundAggregate {
    /// The state and the output of it that give this aggregate's result.
    fileprivate func stateAndOutput() throws(FirnError) -> (AggregateStateKind, AggregateOutput) {
        switch function {
        case .countRows, .count: return (.count, .count)
        case .sum: return (try moments(squares: false), .sum)
        case .average: return (try moments(squares: false), .average)
        case .sampleVariance: return (try moments(squares: true), .sampleVariance)
        case .populationVariance: return (try moments(squares: true), .populationVariance)
        case .sampleDeviation: return (try moments(squares: true), .sampleDeviation)
        case .populationDeviation: return (try moments(squares: true), .populationDeviation)
        case .minimum: return (.minimum(try ordered()), .value)
        case .maximum: return (.maximum(try ordered()), .value)
        case .first, .last:
            guard arguments.count == 2, arguments[1].type.physical == .integer else {
                throw FirnError(
                    .featureNotSupported, "\(function.rawValue) orders by times and integers only",
                    position: position)
            }
            return (function == .first ? .first(arguments[0].type) : .last(arguments[0].type), .value)
        case .booleanAnd: return (.every, .value)
        case .booleanOr: return (.some, .value)
        }
    }

    private func ordered() throws(FirnError) -> DataType {
        let type = arguments[0].type
        if type.physical == .vector { throw unsupported(type) }
        return type
    }

    private func moments(squares: Bool) throws(FirnError) -> AggregateStateKind {
        let type = arguments[0].type
        switch type.physical {
        case .integer: return .integers(squares: squares)
        case .double: return .doubles(squares: squares)
        case .float: return .floats(squares: squares)
        case .decimal: return .decimals(squares: squares)
        case .interval where !squares: return .intervals
        default: throw unsupported(type)
        }
    }

    private func unsupported(_ type: DataType) -> FirnError {
        FirnError(.undefinedFunction, "\(text) does not exist for type \(type)", position: position)
    }
}
