// SPDX-License-Identifier: Apache-2.0
//
// Calls: overloads of scalar functions, named arguments, the special forms that look like calls, aggregates.

import FirnSyntax

extension Binder {
    func bindCall(
        _ call: FunctionCall, position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        let name = call.name.name
        try checkSchema(of: call.name)
        if call.over != nil { throw Binder.unsupported("a window function (OVER)", position: position) }
        if !call.withinGroup.isEmpty { throw Binder.unsupported("WITHIN GROUP", position: position) }
        if call.isVariadic { throw Binder.unsupported("VARIADIC", position: position) }
        if AggregateCatalogue.contains(name) { return try bindAggregate(call, position: position, in: scope) }
        if call.hasStar || call.isDistinct || call.filter != nil || !call.orderBy.isEmpty || call.nullTreatment != nil {
            let what = call.isDistinct ? "DISTINCT" : call.filter != nil ? "FILTER" : "an ordering of arguments"
            guard !call.hasStar, functions.functions[name] != nil else {
                throw functionError(name, nil, position: position)
            }
            throw FirnError(
                .wrongObjectType, "\(what) specified, but \(name) is not an aggregate function", position: position)
        }
        if call.arguments.contains(where: { $0.name != nil }) {
            return try bindNamedCall(call, position: position, in: scope)
        }
        var arguments: [BoundExpression] = []
        for argument in call.arguments { arguments.append(try bind(argument.value, in: scope)) }
        if let special = try bindSpecial(name, arguments, position: position) { return special }
        return try self.call(name, arguments, position: position)
    }

    /// Functions are in PostgreSQL's schema and in ours. Error 3F000 for another.
    func checkSchema(of name: QualifiedName) throws(FirnError) {
        guard let schema = name.qualifier else { return }
        guard name.parts.count == 2, ["pg_catalog", "public"].contains(schema.name) else {
            let shown = name.parts.dropLast().map(\.name).joined(separator: ".")
            throw FirnError(
                "3F000", "schema \"\(shown)\" does not exist",
                hint: "Functions need no schema; theirs are pg_catalog and public.",
                position: name.range.start.byteOffset)
        }
    }

    /// A call of a function of the catalogue.
    func call(_ name: String, _ arguments: [BoundExpression], position: Int) throws(FirnError) -> BoundExpression {
        if !arguments.dropFirst().contains(where: { $0.constantValue?.isNull == true }),
            let missing = KnownNames.missingOverload(name, arguments.map(\.type), position: position)
        {
            throw missing
        }
        guard let overloads = functions.functions[name] else {
            throw functionError(name, arguments.map(\.type), position: position)
        }
        switch OverloadResolution.resolve(overloads, arguments.map(\.type), isOperator: false) {
        case .found(let overload): return try apply(overload, named: name, arguments, position: position)
        case .none: throw functionError(name, arguments.map(\.type), position: position)
        case .ambiguous:
            throw FirnError(
                SQLState("42725"), "function \(signature(name, arguments.map(\.type))) is not unique",
                hint: "Could not choose a best candidate function. You might need to add explicit type casts.",
                position: position)
        }
    }

    /// The call with every argument brought to its parameter's type.
    func apply(
        _ overload: FunctionOverload, named name: String, _ arguments: [BoundExpression], position: Int
    ) throws(FirnError) -> BoundExpression {
        var converted: [BoundExpression] = []
        for (index, argument) in arguments.enumerated() {
            switch overload.parameter(at: index) {
            case .any: converted.append(try resolvingUnknown(argument))
            case .family(let family):
                let type = argument.type.family == family ? argument.type : family.type
                converted.append(try convert(argument, to: overload.keepsUnits ? type : type.inMicroseconds))
            }
        }
        if !overload.defaults.isEmpty {
            for index in converted.count..<overload.parameters.count {
                let type = overload.family(at: index)!.type
                converted.append(BoundExpression(.constant(overload.defaults[index]), type, position: position))
            }
        }
        if overload.keepsUnits, converted.contains(where: { $0.type.isNanoseconds }) {
            for index in converted.indices {
                converted[index] = try convert(converted[index], to: converted[index].type.inNanoseconds)
            }
        }
        let function = overload.function(named: name, for: converted.map(\.type))
        return fold(BoundExpression(.call(function, converted), function.resultType, position: position))
    }

    private func bindNamedCall(
        _ call: FunctionCall, position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        let name = call.name.name
        var positional: [BoundExpression] = []
        var named: [String: BoundExpression] = [:]
        for argument in call.arguments {
            let value = try bind(argument.value, in: scope)
            guard let label = argument.name else {
                guard named.isEmpty else {
                    throw FirnError(
                        .syntaxError, "positional argument cannot follow named argument", position: value.position)
                }
                positional.append(value)
                continue
            }
            guard named.updateValue(value, forKey: label.name) == nil else {
                throw FirnError(
                    .syntaxError, "argument name \"\(label.name)\" used more than once", position: value.position)
            }
        }
        // Each overload that has parameters of these names, its parameters in the order in which the arguments stand: so
        // all of them are weighed against each other, in the order of their declaration.
        let labels = call.arguments.compactMap { $0.name?.name }
        let candidates = (functions.functions[name] ?? []).compactMap {
            NamedCandidate($0, positionalCount: positional.count, labels)
        }
        let given = positional + labels.map { named[$0]! }
        if let chosen = OverloadResolution.resolve(candidates, given.map(\.type)) {
            let overload = chosen.overload
            var arguments = positional
            for index in positional.count..<overload.parameters.count {
                let type = overload.family(at: index)!.type
                arguments.append(
                    named[overload.parameterNames[index]]
                        ?? BoundExpression(.constant(overload.defaults[index]), type, position: position))
            }
            return try apply(overload, named: name, arguments, position: position)
        }
        throw functionError(
            name, positional.map(\.type), named: call.arguments.compactMap { $0.name?.name }, position: position)
    }

    /// COALESCE, NULLIF, GREATEST, LEAST, and what is known while binding.
    private func bindSpecial(
        _ name: String, _ arguments: [BoundExpression], position: Int
    ) throws(FirnError) -> BoundExpression? {
        switch name {
        case "coalesce":
            guard !arguments.isEmpty else { return nil }
            let unified = try unified(arguments, in: "COALESCE")
            // What reads a column stays until the optimiser: it must be a group's key where there are groups.
            if let value = unified[0].constantValue, !value.isNull, unified.allSatisfy(\.columnsRead.isEmpty) {
                return unified[0]
            }
            return fold(BoundExpression(.coalesce(unified), unified[0].type, position: position))
        case "nullif":
            guard arguments.count == 2 else { return nil }
            let (compared, other) = try comparable(arguments[0], arguments[1], symbol: "=", position: position)
            let type = CoercionRules.leftOperandType(arguments[0].type, arguments[1].type)!
            let first = try convert(arguments[0], to: type)
            let function = ScalarFunction.nullIf(type, comparedAs: compared.type, other.type)
            return fold(BoundExpression(.call(function, [first, other]), type, position: position))
        case "greatest", "least":
            guard !arguments.isEmpty else { return nil }
            let unified = try unified(arguments, in: name.uppercased())
            let type = unified[0].type
            let function = ScalarFunction.extreme(
                name == "greatest" ? .greater : .less, named: name, type: type, argumentCount: unified.count)
            return fold(BoundExpression(.call(function, unified), type, position: position))
        case "pg_typeof":
            guard arguments.count == 1 else { return nil }
            return BoundExpression(.constant(.text(arguments[0].type.familyName)), .text, position: position)
        default:
            // A type's name calls its cast: date(ts), float8(n).
            guard functions.functions[name] == nil, arguments.count == 1, let type = Binder.castNames[name] else {
                return nil
            }
            return try cast(arguments[0], to: type, position: position)
        }
    }

    private static let castNames: [String: DataType] = [
        "bool": .boolean, "int2": .smallint, "int4": .integer, "int8": .bigint, "float4": .real, "float8": .double,
        "numeric": .numeric, "text": .text, "date": .date, "timestamp": .timestamp, "timestamptz": .timestamptz,
        "interval": .interval, "uuid": .uuid, "jsonb": .jsonb,
    ]

    // MARK: Errors

    func signature(_ name: String, _ types: [DataType]) -> String {
        "\(name)(\(types.map(\.familyName).joined(separator: ", ")))"
    }

    /// Error 42883. `types` nil: arguments were not looked at.
    func functionError(
        _ name: String, _ types: [DataType]?, named labels: [String] = [], position: Int
    ) -> FirnError {
        let known = Array(functions.functions.keys) + AggregateCatalogue.names
        if !known.contains(name), let missing = KnownNames.missingFunction(name, position: position) { return missing }
        var shown = (types ?? []).map(\.familyName)
        shown += labels.map { "\($0) => …" }
        let hint =
            known.contains(name)
            ? "No function matches the given name and argument types. You might need to add explicit type casts."
            : Suggestion.hint(for: name, among: known)
        return FirnError(
            .undefinedFunction, "function \(name)(\(shown.joined(separator: ", "))) does not exist", hint: hint,
            position: position)
    }
}

/// An overload that a call with named arguments may mean.
struct NamedCandidate {
    let overload: FunctionOverload
    /// The overload with its parameters in the order of the call's arguments.
    let asCalled: FunctionOverload

    /// Nil where the overload has no such parameters, or where one is missing that has no default.
    init?(_ overload: FunctionOverload, positionalCount: Int, _ labels: [String]) {
        let names = overload.parameterNames
        guard names.count >= positionalCount + labels.count else { return nil }
        var places = Array(0..<positionalCount)
        for label in labels {
            guard let place = names[positionalCount...].firstIndex(of: label) else { return nil }
            places.append(place)
        }
        let missing = names.indices.filter { !places.contains($0) }
        guard missing.isEmpty || (!overload.defaults.isEmpty && missing[0] >= overload.requiredCount) else {
            return nil
        }
        self.overload = overload
        var copy = overload
        copy.parameters = places.map { overload.parameters[$0] }
        copy.defaults = []
        asCalled = copy
    }
}

extension DataType {
    /// The same type in microseconds, where it is a time in nanoseconds.
    var inMicroseconds: DataType {
        switch self {
        case .timestamptz: .timestamptz(.microseconds)
        case .timestamp: .timestamp(.microseconds)
        default: self
        }
    }

    /// The same type in nanoseconds, where it is a time.
    var inNanoseconds: DataType {
        switch self {
        case .timestamptz: .timestamptz(.nanoseconds)
        case .timestamp: .timestamp(.nanoseconds)
        default: self
        }
    }
}
