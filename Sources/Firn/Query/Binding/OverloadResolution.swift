// SPDX-License-Identifier: Apache-2.0
//
// Picks the overload that a call means, by PostgreSQL's rules (documentation chapter 10, "Type Conversion";
// func_select_candidate in src/backend/parser/parse_func.c): exact matches win, then those that need the fewest
// conversions, then preferred types; literals of unknown type follow the category that the candidates share.

enum OverloadResolution {
    enum Outcome {
        case found(FunctionOverload)
        case none
        case ambiguous
    }

    /// The candidate for arguments of these types, in the order of the call; nil where there is none or more than one.
    static func resolve(_ candidates: [NamedCandidate], _ types: [DataType]) -> NamedCandidate? {
        var numbered = candidates.map(\.asCalled)
        for index in numbered.indices { numbered[index].number = index }
        guard case .found(let chosen) = resolve(numbered, types, isOperator: false) else { return nil }
        return candidates[chosen.number]
    }

    /// The overload for arguments of these types; `.unknown` fits everything.
    static func resolve(_ overloads: [FunctionOverload], _ types: [DataType], isOperator: Bool) -> Outcome {
        let families = types.map(\.family)
        let arity = overloads.filter { $0.accepts(argumentCount: families.count) }
        if let exact = exactMatch(arity, families, isOperator: isOperator) { return .found(exact) }
        var candidates = arity.filter { candidate in
            families.indices.allSatisfy { candidate.fits(families[$0], at: $0) }
        }
        if candidates.count <= 1 { return candidates.first.map { .found($0) } ?? .none }
        candidates = best(candidates) { candidate in
            families.indices.count { candidate.family(at: $0) == families[$0] }
        }
        if candidates.count == 1 { return .found(candidates[0]) }
        candidates = best(candidates) { candidate in
            families.indices.count { index in
                guard let family = candidate.family(at: index) else { return false }
                return family == families[index]
                    || (families[index] != .unknown && family.isPreferred
                        && family.category == families[index].category)
            }
        }
        if candidates.count == 1 { return .found(candidates[0]) }
        if families.contains(.unknown) {
            candidates = narrowedByUnknowns(candidates, families)
            if candidates.count == 1 { return .found(candidates[0]) }
            // All known arguments of one type: the unknown ones are taken for that type, too.
            let known = Set(families.filter { $0 != .unknown })
            if known.count == 1, let family = known.first {
                let assumed = families.map { $0 == .unknown ? family : $0 }
                let fitting = candidates.filter { candidate in
                    assumed.indices.allSatisfy { candidate.fits(assumed[$0], at: $0) }
                }
                if fitting.count == 1 { return .found(fitting[0]) }
            }
        }
        return .ambiguous
    }

    private static func exactMatch(
        _ overloads: [FunctionOverload], _ families: [TypeFamily], isOperator: Bool
    ) -> FunctionOverload? {
        func matching(_ families: [TypeFamily]) -> FunctionOverload? {
            overloads.first { overload in
                families.indices.allSatisfy { overload.family(at: $0) == families[$0] }
            }
        }
        if !families.contains(.unknown) { return matching(families) }
        // One unknown operand of an operator is first taken for the type of the other.
        guard isOperator, families.count == 2, let known = families.first(where: { $0 != .unknown }) else { return nil }
        return matching([known, known])
    }

    /// The candidates that reach the highest score.
    private static func best(
        _ candidates: [FunctionOverload], _ score: (FunctionOverload) -> Int
    ) -> [FunctionOverload] {
        let highest = candidates.map(score).max() ?? 0
        return candidates.filter { score($0) == highest }
    }

    /// Strings are taken for text where a candidate takes text, else for the category that all agree on.
    private static func narrowedByUnknowns(
        _ candidates: [FunctionOverload], _ families: [TypeFamily]
    ) -> [FunctionOverload] {
        var narrowed = candidates
        for index in families.indices where families[index] == .unknown {
            let offered = candidates.map { $0.family(at: index) }
            // Parameters that take anything are a category of their own.
            let categories = Set(offered.map { $0?.category })
            let category: TypeFamily.Category?
            if categories.contains(.string) {
                category = .string
            } else if categories.count == 1 {
                category = categories.first!
            } else {
                return candidates
            }
            let hasPreferred = offered.contains { $0?.category == category && $0?.isPreferred == true }
            let kept = narrowed.filter { candidate in
                let family = candidate.family(at: index)
                return family?.category == category && (!hasPreferred || family?.isPreferred == true)
            }
            if !kept.isEmpty { narrowed = kept }
        }
        return narrowed
    }
}

extension FunctionOverload {
    func accepts(argumentCount: Int) -> Bool {
        if isVariadic { return argumentCount >= parameters.count }
        return argumentCount == parameters.count
            || (!defaults.isEmpty && argumentCount < parameters.count && argumentCount >= requiredCount)
    }

    /// The parameter that an argument goes to.
    func parameter(at index: Int) -> Parameter { parameters[min(index, parameters.count - 1)] }

    /// The family of the parameter; nil for one that takes any.
    func family(at index: Int) -> TypeFamily? {
        if case .family(let family) = parameter(at: index) { family } else { nil }
    }

    func fits(_ family: TypeFamily, at index: Int) -> Bool {
        switch parameter(at: index) {
        case .any: true
        case .family(let wanted): CoercionRules.allows(family, to: wanted, .implicit)
        }
    }
}
