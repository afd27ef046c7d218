// SPDX-License-Identifier: Apache-2.0
//
// The name of an output column that has no alias, by PostgreSQL's rule (FigureColname in
// src/backend/parser/parse_target.c): a strong name (column, function) wins, a weak one (type of a
// cast, `case`) serves when nothing stronger is inside, else `?column?`.

extension Expression {
    /// The name of the output column that this expression makes without an alias.
    public var impliedName: String { nameWithStrength.name ?? "?column?" }

    /// The name, and whether a surrounding cast must keep it.
    private var nameWithStrength: (name: String?, isStrong: Bool) {
        switch kind {
        case .column(let name): return (name.name, true)
        case .field(_, let field): return (field.name, true)
        case .functionCall(let call): return (call.name.name, true)
        case .extract: return ("extract", true)
        case .atTimeZone: return ("timezone", true)
        case .currentValue(let value, _): return (value.rawValue, true)
        case .collate(let inner, _), .element(let inner, _): return inner.nameWithStrength
        case .cast(let inner, let type):
            let found = inner.nameWithStrength
            return found.isStrong ? found : (Self.internalName(of: type), false)
        case .typedLiteral(let type, _): return (Self.internalName(of: type), false)
        case .caseWhen(_, _, let otherwise):
            if let found = otherwise?.nameWithStrength, found.isStrong { return found }
            return ("case", false)
        case .array, .arrayQuery: return ("array", true)
        case .row: return ("row", true)
        case .exists: return ("exists", true)
        case .scalarQuery(let query): return (query.firstOutputName, true)
        default: return (nil, false)
        }
    }

    /// PostgreSQL's internal name of a built-in type, which is what its column naming shows.
    private static func internalName(of type: TypeName) -> String {
        switch type.canonicalName {
        case "boolean": "bool"
        case "smallint": "int2"
        case "integer": "int4"
        case "bigint": "int8"
        case "real": "float4"
        case "double precision": "float8"
        case "character": "bpchar"
        case "bit varying": "varbit"
        case let name: name
        }
    }
}

extension Query {
    /// The name of the first output column, which a scalar subquery passes on; nil when it has none.
    fileprivate var firstOutputName: String? {
        var body = body
        while true {
            switch body {
            case .select(let select):
                guard let item = select.items.first else { return nil }
                if case .star = item.expression.kind { return nil }
                return item.outputName
            case .setOperation(_, _, let left, _): body = left
            case .query(let inner): body = inner.body
            case .values: return "column1"
            case .table: return nil
            }
        }
    }
}
