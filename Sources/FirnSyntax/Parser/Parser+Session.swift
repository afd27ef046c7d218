// SPDX-License-Identifier: Apache-2.0
//
// EXPLAIN, SHOW, DESCRIBE, CALL, SET, transactions, prepared statements, upkeep.

extension Parser {
    /// A statement of this file, nil when another word begins here.
    mutating func parseSessionStatement() throws(SyntaxError) -> Statement.Kind? {
        if accept("show") { return .show(try parseShow()) }
        if accept("describe") || accept("desc") {
            _ = accept("table")
            return .describe(try parseQualifiedName())
        }
        if accept("call") { return try parseCallStatement() }
        if at("set") { return try parseSet() }
        if accept("reset") { return .reset(try parseReset()) }
        if let transaction = try parseTransaction() { return .transaction(transaction) }
        if accept("prepare") { return .prepare(try parsePrepare()) }
        if accept("execute") { return .execute(try parseExecute()) }
        if accept("deallocate") {
            _ = accept("prepare")
            return .deallocate(accept("all") ? nil : try parseName())
        }
        if accept("discard") {
            try expect("all")
            return .discardAll
        }
        if accept("checkpoint") {
            return .checkpoint(Checkpoint(folder: accept("to") ? try parseString() : nil))
        }
        if accept("vacuum") { return .vacuum(try parseVacuum()) }
        if accept("analyze") || accept("analyse") { return .analyze(try parseAnalyze()) }
        return nil
    }

    // MARK: - EXPLAIN, SHOW, CALL

    mutating func parseExplain() throws(SyntaxError) -> Explain {
        try expect("explain")
        var options: [Option] = []
        if atSymbol("("), !isQueryStart(at: 1), !isSymbol(peek(1), "(") {
            options = try parseOptions(.spaced)
        } else {
            if at("analyze") || at("analyse") { options.append(takeFlag("analyze")) }
            if at("verbose") { options.append(takeFlag("verbose")) }
        }
        return Explain(options: options, statement: try parseStatement())
    }

    /// The current word as an option that is on.
    private mutating func takeFlag(_ name: String) -> Option {
        let range = current.range
        advance()
        return Option(name: name, value: nil, range: range, valueRange: range)
    }

    private mutating func parseShow() throws(SyntaxError) -> Show {
        if accept("all") { return .all }
        if at("columns") || at("fields") {
            advance()
            if !accept("from") { try expect("in") }
            return .columns(try parseQualifiedName())
        }
        if isStatementEnd(peek(1)) {
            if accept("tables") { return .tables }
            if accept("views") { return .views }
            if accept("functions") { return .functions }
        }
        return .parameter(try parseParameterName())
    }

    private func isStatementEnd(_ token: Token) -> Bool { token.kind == .end || isSymbol(token, ";") }

    private mutating func parseCallStatement() throws(SyntaxError) -> Statement.Kind {
        let name = try parseQualifiedName()
        return .call(try parseArguments(FunctionCall(name: name, arguments: [])))
    }

    // MARK: - SET, RESET

    /// `search_path`, `firn.option`, `TIME ZONE`, `TRANSACTION ISOLATION LEVEL`.
    private mutating func parseParameterName() throws(SyntaxError) -> Identifier {
        let start = start
        if at("time", "zone") {
            advance()
            advance()
            return Identifier("timezone", range: range(from: start))
        }
        if at("transaction"), isWord(peek(1), "isolation") {
            for word in ["transaction", "isolation", "level"] { try expect(word) }
            return Identifier("transaction_isolation", range: range(from: start))
        }
        if accept("session", "authorization") {
            return Identifier("session_authorization", range: range(from: start))
        }
        let name = try parseQualifiedName()
        return Identifier(name.parts.map(\.name).joined(separator: ".").lowercased(), range: range(from: start))
    }

    private mutating func parseSet() throws(SyntaxError) -> Statement.Kind {
        try expect("set")
        var scope = SetScope.session
        if at("session"), !isOperator(peek(1), "="), !isWord(peek(1), "to") {
            advance()
            if accept("characteristics") {
                try expect("as")
                try expect("transaction")
                return .transaction(.setModes(try parseTransactionModes()))
            }
        } else if at("local"), !isOperator(peek(1), "="), !isWord(peek(1), "to") {
            advance()
            scope = .local
        }
        if at("transaction"), !isOperator(peek(1), "=") {
            advance()
            return .transaction(.setModes(try parseTransactionModes()))
        }
        let start = start
        if accept("time", "zone") {
            let name = Identifier("timezone", range: range(from: start))
            let valueStart = self.start
            if accept("local") || accept("default") { return set(name, nil, scope, valueStart) }
            return set(name, [try parseOptionValue()], scope, valueStart)
        }
        if at("schema") || at("names") || at("role"), current.kind == .word, !isOperator(peek(1), "="),
            !isWord(peek(1), "to")
        {
            let parameters = ["schema": "search_path", "names": "client_encoding", "role": "role"]
            let name = Identifier(parameters[current.text] ?? current.text, range: current.range)
            advance()
            let valueStart = self.start
            if accept("default") { return set(name, nil, scope, valueStart) }
            return set(name, [try parseOptionValue()], scope, valueStart)
        }
        let name = try parseParameterName()
        if !acceptOperator("=") { try expect("to") }
        let valueStart = self.start
        if accept("default") { return set(name, nil, scope, valueStart) }
        var values = [try parseOptionValue()]
        while acceptSymbol(",") { values.append(try parseOptionValue()) }
        return set(name, values, scope, valueStart)
    }

    private func set(
        _ name: Identifier, _ values: [OptionValue]?, _ scope: SetScope, _ valueStart: Int
    ) -> Statement.Kind {
        .set(SetParameter(name: name, values: values, scope: scope, valueRange: range(from: valueStart)))
    }

    private mutating func parseReset() throws(SyntaxError) -> ResetParameter {
        accept("all") ? .all : .parameter(try parseParameterName())
    }

    // MARK: - Transactions

    private mutating func parseTransaction() throws(SyntaxError) -> TransactionStatement? {
        if accept("begin") {
            _ = accept("work") || accept("transaction")
            return .begin(modes: try parseTransactionModes())
        }
        if accept("start") {
            try expect("transaction")
            return .begin(modes: try parseTransactionModes())
        }
        if accept("commit") || accept("end") {
            try parseTransactionEnd()
            return .commit
        }
        if accept("rollback") || accept("abort") {
            let range = current.range
            _ = accept("work") || accept("transaction")
            if accept("to") {
                _ = accept("savepoint")
                return .rollbackTo(try parseName())
            }
            if at("prepared") { throw notSupported("ROLLBACK PREPARED", range) }
            try parseTransactionEnd()
            return .rollback
        }
        if accept("savepoint") { return .savepoint(try parseName()) }
        if accept("release") {
            _ = accept("savepoint")
            return .release(try parseName())
        }
        return nil
    }

    private mutating func parseTransactionEnd() throws(SyntaxError) {
        _ = accept("work") || accept("transaction")
        guard at("and") else { return }
        let start = start
        advance()
        if !accept("no") {
            try expect("chain")
            throw notSupported("AND CHAIN", range(from: start))
        }
        try expect("chain")
    }

    private mutating func parseTransactionModes() throws(SyntaxError) -> [String] {
        var modes: [String] = []
        while true {
            let isDeferrable = at("deferrable") || (at("not") && isWord(peek(1), "deferrable"))
            guard isDeferrable || at("isolation") || at("read") else {
                if modes.isEmpty || isStatementEnd(current) { return modes }
                throw unexpected()
            }
            var words: [String] = []
            if accept("isolation") {
                try expect("level")
                words = ["isolation", "level"]
                if accept("serializable") {
                    words.append("serializable")
                } else if accept("repeatable") {
                    try expect("read")
                    words += ["repeatable", "read"]
                } else {
                    try expect("read")
                    words.append("read")
                    guard at(anyOf: ["committed", "uncommitted"]) else { throw unexpected() }
                    words.append(current.text)
                    advance()
                }
            } else if accept("read") {
                guard at(anyOf: ["only", "write"]) else { throw unexpected() }
                words = ["read", current.text]
                advance()
            } else {
                if accept("not") { words.append("not") }
                try expect("deferrable")
                words.append("deferrable")
            }
            modes.append(words.joined(separator: " ").uppercased())
            _ = acceptSymbol(",")
        }
    }

    // MARK: - Prepared statements

    private mutating func parsePrepare() throws(SyntaxError) -> Prepare {
        let name = try parseName()
        var types: [TypeName] = []
        if acceptSymbol("(") {
            types.append(try parseTypeName())
            while acceptSymbol(",") { types.append(try parseTypeName()) }
            try expectSymbol(")")
        }
        try expect("as")
        guard atSymbol("(") || at(anyOf: ["select", "insert", "update", "delete", "values", "with", "table"]) else {
            throw unexpected()
        }
        return Prepare(name: name, parameterTypes: types, statement: try parseStatement())
    }

    private mutating func parseExecute() throws(SyntaxError) -> Execute {
        let name = try parseName()
        var arguments: [Expression] = []
        if acceptSymbol("("), !acceptSymbol(")") {
            arguments = try parseExpressions()
            try expectSymbol(")")
        }
        return Execute(name: name, arguments: arguments)
    }

    // MARK: - Upkeep

    private mutating func parseVacuum() throws(SyntaxError) -> Vacuum {
        var options: [Option] = []
        if atSymbol("(") {
            options = try parseOptions(.spaced)
        } else {
            for word in ["full", "freeze", "verbose", "analyze"] where at(word) { options.append(takeFlag(word)) }
        }
        return Vacuum(options: options, tables: try parseUpkeepTables())
    }

    private mutating func parseAnalyze() throws(SyntaxError) -> Analyze {
        var options: [Option] = []
        if atSymbol("(") {
            options = try parseOptions(.spaced)
        } else if at("verbose") {
            options.append(takeFlag("verbose"))
        }
        return Analyze(options: options, tables: try parseUpkeepTables())
    }

    private mutating func parseUpkeepTables() throws(SyntaxError) -> [QualifiedName] {
        guard atName() else { return [] }
        var tables: [QualifiedName] = []
        repeat {
            tables.append(try parseQualifiedName())
            if atSymbol("(") { _ = try parseParenthesizedNames() }
        } while acceptSymbol(",")
        return tables
    }
}
