// SPDX-License-Identifier: Apache-2.0
//
// What SHOW FUNCTIONS answers: a row for each declaration of a function, in PostgreSQL's terms.

enum FunctionList {
    static let columns = ["name", "result", "arguments", "kind"]

    /// The rows by name, then by arguments.
    static let rows: [[String]] = {
        var rows: [[String]] = []
        for (name, overloads) in FunctionCatalogue.standard.functions {
            for overload in overloads {
                rows.append([name, overload.resultText, overload.argumentsText, "function"])
            }
        }
        for name in AggregateCatalogue.names {
            for (arguments, result) in aggregates(name) { rows.append([name, result, arguments, "aggregate"]) }
        }
        rows += expressions
        return rows.sorted { ($0[0], $0[2]) < ($1[0], $1[2]) }
    }()
}

extension FunctionList {
    /// What has a syntax or a binding of its own and stands in no catalogue.
    fileprivate static let expressions = [
        ["coalesce", "any", "any, ...", "expression"], ["greatest", "any", "any, ...", "expression"],
        ["least", "any", "any, ...", "expression"], ["nullif", "any", "any, any", "expression"],
        ["generate_series", "bigint", "start bigint, stop bigint, step bigint DEFAULT", "set"],
        ["show_chunks", "text", "relation text, older_than any DEFAULT, newer_than any DEFAULT", "set"],
    ]

    /// Arguments and results of an aggregate.
    fileprivate static func aggregates(_ name: String) -> [(arguments: String, result: String)] {
        switch AggregateCatalogue.kind(of: name) {
        case .count, .countRows: [("*", "bigint"), ("any", "bigint")]
        case .first, .last: [("value any, time any", "any")]
        case .minimum, .maximum: [("any", "any")]
        case .booleanAnd, .booleanOr: [("boolean", "boolean")]
        case .sum, .average:
            signatures(name, [.smallint, .integer, .bigint, .real, .double, .numeric, .interval])
        default: signatures(name, [.smallint, .integer, .bigint, .real, .double, .numeric])
        }
    }

    private static func signatures(_ name: String, _ types: [TypeFamily]) -> [(arguments: String, result: String)] {
        types.compactMap { family in
            guard let kind = AggregateCatalogue.kind(of: name),
                let signature = AggregateCatalogue.signature(of: kind, [family.type])
            else { return nil }
            return (family.type.name, signature.result.name)
        }
    }
}

extension FunctionOverload {
    fileprivate var argumentsText: String {
        let types = parameters.enumerated().map { index, parameter in
            let type =
                switch parameter {
                case .family(let family): family.type.name
                case .any: "any"
                }
            let name = index < parameterNames.count && !parameterNames[index].isEmpty ? parameterNames[index] + " " : ""
            let isOptional = index < defaults.count
            return name + type + (isOptional ? " DEFAULT" : "")
        }
        return types.joined(separator: ", ") + (isVariadic ? ", ..." : "")
    }

    fileprivate var resultText: String {
        switch result {
        case .type(let type): type.name
        case .sameAs(let index):
            switch parameters[index] {
            case .family(let family): family.type.name
            case .any: "any"
            }
        }
    }
}
