// SPDX-License-Identifier: Apache-2.0
//
// The aggregate functions: which arguments each takes and of what type its result is, as in PostgreSQL.

import FirnSyntax

enum AggregateCatalogue {
    private static let kinds: [String: AggregateKind] = [
        "count": .count, "sum": .sum, "avg": .average, "min": .minimum, "max": .maximum,
        "stddev": .sampleDeviation, "stddev_samp": .sampleDeviation, "stddev_pop": .populationDeviation,
        "variance": .sampleVariance, "var_samp": .sampleVariance, "var_pop": .populationVariance,
        "first": .first, "last": .last, "bool_and": .booleanAnd, "every": .booleanAnd, "bool_or": .booleanOr,
    ]

    static var names: [String] { Array(kinds.keys) }
    static func contains(_ name: String) -> Bool { kinds[name] != nil }
    static func kind(of name: String) -> AggregateKind? { kinds[name] }

    /// The types to which the arguments are brought and the type of the result; nil where there is no such function.
    static func signature(
        of kind: AggregateKind, _ types: [DataType]
    ) -> (arguments: [DataType], result: DataType)? {
        switch (kind, types.count) {
        case (.countRows, 0): return ([], .bigint)
        case (.count, 1): return ([types[0] == .unknown ? .text : types[0]], .bigint)
        case (.sum, 1):
            switch types[0] {
            case .smallint, .integer: return (types, .bigint)
            case .bigint, .numeric: return (types, .numeric)
            case .real, .double, .interval: return (types, types[0])
            default: return nil
            }
        case (.average, 1):
            switch types[0] {
            case .smallint, .integer, .bigint, .numeric: return (types, .numeric)
            case .real, .double: return (types, .double)
            case .interval: return (types, .interval)
            default: return nil
            }
        case (.minimum, 1), (.maximum, 1):
            let type = types[0] == .unknown ? .text : types[0]
            return hasOrder(type) && type != .boolean && type != .jsonb ? ([type], type) : nil
        case (.sampleDeviation, 1), (.populationDeviation, 1), (.sampleVariance, 1), (.populationVariance, 1):
            switch types[0] {
            case .smallint, .integer, .bigint, .numeric: return (types, .numeric)
            case .real, .double: return (types, .double)
            default: return nil
            }
        case (.first, 2), (.last, 2):
            let value = types[0] == .unknown ? .text : types[0]
            let time = types[1] == .unknown ? .text : types[1]
            return hasOrder(time) ? ([value, time], value) : nil
        case (.booleanAnd, 1), (.booleanOr, 1):
            return types[0] == .boolean || types[0] == .unknown ? ([.boolean], .boolean) : nil
        default: return nil
        }
    }

    /// Whether values of the type can be sorted.
    static func hasOrder(_ type: DataType) -> Bool {
        switch type {
        case .vector: false
        default: true
        }
    }
}

extension Binder {
    /// A call of an aggregate, which then stands as a column behind those of the input.
    func bindAggregate(
        _ call: FunctionCall, position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        let name = call.name.name
        guard let collector = scope.aggregates else {
            if scope.clause == .select {
                throw FirnError(.groupingError, "aggregate function calls cannot be nested", position: position)
            }
            throw FirnError(
                .groupingError, "aggregate functions are not allowed in \(scope.clause.rawValue)", position: position)
        }
        if !call.orderBy.isEmpty { throw Binder.unsupported("ORDER BY in an aggregate", position: position) }
        if call.nullTreatment != nil { throw Binder.unsupported("IGNORE NULLS", position: position) }
        // Aggregates in arguments are nested ones: .select without a collector says so.
        var inner = ExpressionScope(scope.scope, clause: .select)
        var arguments: [BoundExpression] = []
        for argument in call.arguments {
            guard argument.name == nil else { throw functionError(name, [], position: position) }
            arguments.append(try bind(argument.value, in: inner))
        }
        var kind = AggregateCatalogue.kind(of: name)!
        if call.hasStar {
            guard kind == .count else {
                throw functionError(name, [], position: position)
            }
            kind = .countRows
        } else if arguments.isEmpty, kind == .count {
            throw FirnError(
                .wrongObjectType, "count(*) must be used to call a parameterless aggregate function",
                position: position)
        }
        let types = arguments.map(\.type)
        guard let signature = AggregateCatalogue.signature(of: kind, types) else {
            if types.contains(.unknown), types.count == 1 {
                throw FirnError(
                    SQLState("42725"), "function \(self.signature(name, types)) is not unique",
                    hint: "Could not choose a best candidate function. You might need to add explicit type casts.",
                    position: position)
            }
            throw functionError(name, types, position: position)
        }
        for index in arguments.indices {
            arguments[index] = try convert(arguments[index], to: signature.arguments[index])
        }
        if call.isDistinct, !arguments.allSatisfy({ AggregateCatalogue.hasOrder($0.type) }) {
            throw FirnError(
                .undefinedFunction, "could not identify an equality operator for type \(arguments[0].type.familyName)",
                position: position)
        }
        inner.clause = .aggregateFilter
        var filter: BoundExpression?
        if let condition = call.filter { filter = try self.condition(condition, of: "FILTER", in: inner) }
        // DISTINCT changes nothing for these.
        let ignoresDuplicates = [.minimum, .maximum, .booleanAnd, .booleanOr].contains(kind)
        return collector.add(
            BoundAggregate(
                function: kind, arguments: arguments, isDistinct: call.isDistinct && !ignoresDuplicates,
                filter: filter, type: signature.result, text: Expression(.functionCall(call)).sqlText,
                position: position))
    }
}
