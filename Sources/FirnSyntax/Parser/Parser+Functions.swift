// SPDX-License-Identifier: Apache-2.0
//
// CREATE FUNCTION and CREATE PROCEDURE. A quoted body stays text: its language decides what it means.

extension Parser {
    mutating func parseCreateFunction(orReplace: Bool) throws(SyntaxError) -> CreateFunction {
        let isProcedure = accept("procedure")
        if !isProcedure { try expect("function") }
        var function = CreateFunction(
            isProcedure: isProcedure, name: try parseQualifiedName(), orReplace: orReplace, parameters: [],
            returns: nil, language: nil, body: "", bodyRange: .unknown, returnExpression: nil, attributes: [])
        function.parameters = try parseParameters()
        if accept("returns") { function.returns = try parseResult() }
        var hasBody = false
        while true {
            if accept("language") {
                function.language = try parseLanguage()
            } else if accept("as") {
                guard !hasBody else { throw unexpected(tokens[index - 1]) }
                hasBody = true
                function.bodyRange = bodyRange(current)
                function.body = try parseString()
            } else if accept("return") {
                hasBody = true
                function.returnExpression = try parseExpression()
            } else if let attribute = try parseAttribute() {
                function.attributes.append(attribute)
            } else {
                break
            }
        }
        if at("begin", "atomic") { throw notSupported("BEGIN ATOMIC", current.range, hint: "Use AS $$ ... $$.") }
        if !hasBody {
            guard current.kind == .end || atSymbol(";") else { throw unexpected() }
            throw SyntaxError(message: "no function body specified", code: "42P13", range: function.name.range)
        }
        return function
    }

    private func bodyRange(_ token: Token) -> SourceRange {
        guard token.kind == .dollarString else { return token.range }
        let content = constants.dollarContent(token)
        return SourceRange(content.lowerBound, content.upperBound)
    }

    private mutating func parseLanguage() throws(SyntaxError) -> Identifier {
        let range = current.range
        if current.isString { return Identifier(try parseString().lowercased(), range: range) }
        return try parseName(.label)
    }

    private mutating func parseParameters() throws(SyntaxError) -> [FunctionParameter] {
        try expectSymbol("(")
        var parameters: [FunctionParameter] = []
        if !atSymbol(")") {
            repeat { parameters.append(try parseParameter()) } while acceptSymbol(",")
        }
        try expectSymbol(")")
        return parameters
    }

    /// `[mode] [name] type [DEFAULT e]`.
    mutating func parseParameter() throws(SyntaxError) -> FunctionParameter {
        var mode = ParameterMode.input
        if accept("inout") {
            mode = .inputOutput
        } else if accept("out") {
            mode = .output
        } else if accept("variadic") {
            mode = .variadic
        } else if accept("in") {
            mode = accept("out") ? .inputOutput : .input
        }
        // A name stands here if a type follows it; `double precision` and its kin are types of two words.
        var name: Identifier?
        if atName(.column) || atName(.function), isName(peek(1), .column) || isName(peek(1), .function),
            !isTwoWordType
        {
            name = try takeIdentifier()
        }
        let type = try parseTypeName()
        var defaultValue: Expression?
        if accept("default") || acceptOperator("=") || acceptSymbol(":=") { defaultValue = try parseExpression() }
        return FunctionParameter(mode: mode, name: name, type: type, defaultValue: defaultValue)
    }

    private var isTwoWordType: Bool {
        switch current.text {
        case "double": isWord(peek(1), "precision")
        case "character", "char", "nchar", "bit": isWord(peek(1), "varying")
        case "national": isWord(peek(1), "character") || isWord(peek(1), "char")
        case "interval": IntervalFields(rawValue: peek(1).text) != nil
        case "time", "timestamp": isWord(peek(1), "without") && isWord(peek(2), "time")
        default: false
        }
    }

    private mutating func parseResult() throws(SyntaxError) -> FunctionResult {
        if at("table"), isSymbol(peek(1), "(") {
            advance()
            try expectSymbol("(")
            var columns: [FunctionParameter] = []
            repeat {
                let name = try parseName()
                columns.append(
                    FunctionParameter(mode: .output, name: name, type: try parseTypeName(), defaultValue: nil))
            } while acceptSymbol(",")
            try expectSymbol(")")
            return .table(columns)
        }
        if accept("setof") { return .setOf(try parseTypeName()) }
        return .type(try parseTypeName())
    }

    private mutating func parseAttribute() throws(SyntaxError) -> String? {
        let start = index
        if accept("immutable") || accept("stable") || accept("volatile") || accept("strict") || accept("leakproof")
            || accept("window")
        {
        } else if at("not"), isWord(peek(1), "leakproof") {
            advance()
            advance()
        } else if accept("called") || (at("returns") && isWord(peek(1), "null") && accept("returns")) {
            _ = accept("null")
            for word in ["on", "null", "input"] { try expect(word) }
        } else if accept("external") || at("security") {
            try expect("security")
            if !accept("definer") { try expect("invoker") }
        } else if accept("parallel") {
            _ = try parseName(.label)
        } else if accept("cost") || accept("rows") {
            guard current.kind == .integer || current.kind == .decimal else { throw unexpected() }
            advance()
        } else if at("set") {
            advance()
            _ = try parseQualifiedName(.label)
            if !acceptOperator("=") { try expect("to") }
            _ = try parseOptionValue()
            while acceptSymbol(",") { _ = try parseOptionValue() }
        } else {
            return nil
        }
        // `RETURNS NULL ON NULL INPUT` and `CALLED ON NULL INPUT` differ only in their first words.
        return tokens[start..<index].map {
            String(decoding: bytes[$0.start..<$0.end], as: UTF8.self).lowercased()
        }.joined(separator: " ")
    }
}
