// SPDX-License-Identifier: Apache-2.0
//
// Type names, in all the spellings that SQL has for them.

extension Parser {
    mutating func parseTypeName() throws(SyntaxError) -> TypeName {
        let start = start
        var type = try parseScalarType()
        while true {
            if acceptSymbol("[") {
                if current.kind == .integer { _ = try parseSmallInteger() }
                try expectSymbol("]")
                type.arrayDimensionCount += 1
            } else if type.arrayDimensionCount == 0, accept("array") {
                if acceptSymbol("[") {
                    _ = try parseSmallInteger()
                    try expectSymbol("]")
                }
                type.arrayDimensionCount = 1
            } else {
                break
            }
        }
        type.range = range(from: start)
        return type
    }

    /// `(10, 2)`.
    mutating func parseModifiers() throws(SyntaxError) -> [Int] {
        try expectSymbol("(")
        var modifiers = [try parseSmallInteger()]
        while acceptSymbol(",") { modifiers.append(try parseSmallInteger()) }
        try expectSymbol(")")
        return modifiers
    }

    private mutating func parseOptionalModifiers() throws(SyntaxError) -> [Int] {
        atSymbol("(") ? try parseModifiers() : []
    }

    private mutating func parseScalarType() throws(SyntaxError) -> TypeName {
        let token = current
        guard token.kind == .word else { return try parseNamedType() }
        switch token.text {
        case "double":
            advance()
            _ = accept("precision")
            return builtIn("double precision", [], token)
        case "character", "char", "nchar", "national":
            advance()
            if token.text == "national", !accept("character") { try expect("char") }
            let isVarying = accept("varying")
            return builtIn(isVarying ? "varchar" : "character", try parseOptionalModifiers(), token)
        case "bit":
            advance()
            let isVarying = accept("varying")
            return builtIn(isVarying ? "bit varying" : "bit", try parseOptionalModifiers(), token)
        case "timestamp", "time":
            advance()
            let modifiers = try parseOptionalModifiers()
            let hasZone = try parseZoneClause()
            return builtIn(hasZone ? "\(token.text)tz" : token.text, modifiers, token)
        case "interval":
            advance()
            var modifiers = try parseOptionalModifiers()
            var type = builtIn("interval", [], token)
            type.intervalFields = try parseIntervalFields(&modifiers)
            type.modifiers = modifiers
            return type
        default: return try parseNamedType()
        }
    }

    /// `WITH TIME ZONE` and `WITHOUT TIME ZONE`.
    private mutating func parseZoneClause() throws(SyntaxError) -> Bool {
        guard isWord(peek(1), "time") else { return false }
        let hasZone = at("with")
        guard hasZone || at("without") else { return false }
        advance()
        advance()
        try expect("zone")
        return hasZone
    }

    private mutating func parseNamedType() throws(SyntaxError) -> TypeName {
        let start = start
        guard atName(.function) || (current.kind == .word && Self.typeKeywords.contains(current.text)) else {
            throw unexpected()
        }
        var parts = [try takeIdentifier()]
        while acceptSymbol(".") { parts.append(try parseName(.label)) }
        let modifiers = try parseOptionalModifiers()
        return TypeName.folding(QualifiedName(parts), modifiers: modifiers, range: range(from: start))
    }

    /// The types among the keywords that are no other type's or function's name.
    private static let typeKeywords: Set<String> = [
        "bigint", "boolean", "dec", "decimal", "float", "int", "integer", "numeric", "real", "smallint", "varchar",
    ]

    private func builtIn(_ name: String, _ modifiers: [Int], _ token: Token) -> TypeName {
        TypeName(QualifiedName([Identifier(name, range: token.range)]), modifiers: modifiers, range: token.range)
    }
}

extension TypeName {
    /// The type of a name as written: synonyms folded into the canonical name.
    static func folding(_ name: QualifiedName, modifiers: [Int], range: SourceRange) -> TypeName {
        var name = name
        if name.parts.count == 2, name.parts[0].name == "pg_catalog" { name = QualifiedName([name.last]) }
        var modifiers = modifiers
        if name.parts.count == 1, !name.last.isQuoted {
            var word = name.last.name
            if word == "float" {
                // float(1...24) is real, float(25...53) double precision; other precisions stay for the binder to refuse.
                if let precision = modifiers.first, modifiers.count == 1, (1...53).contains(precision) {
                    word = precision <= 24 ? "real" : "double precision"
                    modifiers = []
                } else {
                    word = "double precision"
                }
            } else {
                word = synonyms[word] ?? word
            }
            name = QualifiedName([Identifier(word, range: name.range)])
        }
        return TypeName(name, modifiers: modifiers, range: range)
    }

    private static let synonyms: [String: String] = [
        "bool": "boolean", "int": "integer", "int2": "smallint", "int4": "integer", "int8": "bigint",
        "float4": "real", "float8": "double precision", "dec": "numeric", "decimal": "numeric", "string": "text",
        "varbit": "bit varying",
    ]
}
