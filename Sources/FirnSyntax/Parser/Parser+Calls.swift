// SPDX-License-Identifier: Apache-2.0
//
// Function calls and what may follow them: WITHIN GROUP, FILTER, OVER and the windows themselves.

extension Parser {
    /// A call behind its name. `numeric(10, 2) '1.5'` looks like one and is a constant.
    @inline(never)
    mutating func parseCall(_ name: QualifiedName, _ start: Int) throws(SyntaxError) -> Expression {
        var call = try parseArguments(FunctionCall(name: name, arguments: []))
        if current.isString, let modifiers = Self.modifiers(of: call) {
            let type = TypeName.folding(name, modifiers: modifiers, range: range(from: start))
            return Expression(.typedLiteral(type, try parseString()), range: range(from: start))
        }
        try parseCallClauses(&call)
        return Expression(.functionCall(call), range: range(from: start))
    }

    /// The arguments as type modifiers, nil when they cannot be.
    private static func modifiers(of call: FunctionCall) -> [Int]? {
        guard !call.arguments.isEmpty, !call.isDistinct, !call.isVariadic, call.orderBy.isEmpty else { return nil }
        var modifiers: [Int] = []
        for argument in call.arguments {
            guard argument.name == nil, case .integer(let digits) = argument.value.kind, let value = Int32(digits)
            else { return nil }
            modifiers.append(Int(value))
        }
        return modifiers
    }

    /// `(...)`.
    @inline(never)
    mutating func parseArguments(_ initial: FunctionCall) throws(SyntaxError) -> FunctionCall {
        var call = initial
        try expectSymbol("(")
        if acceptSymbol(")") { return call }
        if isOperator(current, "*"), isSymbol(peek(1), ")") {
            call.hasStar = true
            advance()
            advance()
            return call
        }
        if accept("distinct") { call.isDistinct = true } else { _ = accept("all") }
        repeat {
            if call.isVariadic { throw unexpected(tokens[index - 1]) }
            if accept("variadic") { call.isVariadic = true }
            var argumentName: Identifier?
            if isSymbol(peek(1), "=>") || isSymbol(peek(1), ":="), atName(.column) || atName(.function) {
                argumentName = try takeIdentifier()
                advance()
            }
            call.arguments.append(FunctionArgument(name: argumentName, value: try parseExpression()))
        } while acceptSymbol(",")
        if at("order", "by") { call.orderBy = try parseOrderBy() }
        parseNullTreatment(&call)
        try expectSymbol(")")
        return call
    }

    @inline(never)
    private mutating func parseNullTreatment(_ call: inout FunctionCall) {
        if accept("ignore", "nulls") { call.nullTreatment = .ignoreNulls }
        if accept("respect", "nulls") { call.nullTreatment = .respectNulls }
    }

    @inline(never)
    private mutating func parseCallClauses(_ call: inout FunctionCall) throws(SyntaxError) {
        if accept("within", "group") {
            try expectSymbol("(")
            guard at("order", "by") else { throw unexpected() }
            call.withinGroup = try parseOrderBy()
            try expectSymbol(")")
        }
        if isSymbol(peek(1), "("), accept("filter") {
            try expectSymbol("(")
            try expect("where")
            call.filter = try parseExpression()
            try expectSymbol(")")
        }
        parseNullTreatment(&call)
        if accept("over") {
            if atSymbol("(") {
                call.over = .specification(try parseWindow())
            } else {
                call.over = .name(try parseName())
            }
        }
    }

    // MARK: - Windows

    /// `(base PARTITION BY ... ORDER BY ... frame)`.
    @inline(never)
    mutating func parseWindow() throws(SyntaxError) -> WindowSpecification {
        let start = start
        try expectSymbol("(")
        var window = WindowSpecification(base: nil, partitionBy: [], orderBy: [], frame: nil, range: .unknown)
        if atName(), !at("partition", "by"), !at(anyOf: ["range", "rows", "groups"]) { window.base = try parseName() }
        if accept("partition", "by") { window.partitionBy = try parseExpressions() }
        if at("order", "by") { window.orderBy = try parseOrderBy() }
        if let unit = frameUnit {
            let frameStart = self.start
            advance()
            window.frame = try parseFrame(unit, frameStart)
        }
        try expectSymbol(")")
        window.range = range(from: start)
        return window
    }

    private var frameUnit: FrameUnit? {
        if isWord(current, "rows") { return .rows }
        if isWord(current, "range") { return .range }
        if isWord(current, "groups") { return .groups }
        return nil
    }

    @inline(never)
    private mutating func parseFrame(_ unit: FrameUnit, _ start: Int) throws(SyntaxError) -> WindowFrame {
        var frame = WindowFrame(unit: unit, start: .unboundedPreceding, end: nil, exclusion: nil, range: .unknown)
        if accept("between") {
            frame.start = try parseFrameBound()
            try expect("and")
            frame.end = try parseFrameBound()
        } else {
            frame.start = try parseFrameBound()
        }
        let boundsRange = range(from: start)
        try check(frame, boundsRange)
        if accept("exclude") {
            if accept("current", "row") {
                frame.exclusion = .currentRow
            } else if accept("group") {
                frame.exclusion = .group
            } else if accept("ties") {
                frame.exclusion = .ties
            } else {
                try expect("no")
                try expect("others")
                frame.exclusion = .noOthers
            }
        }
        frame.range = range(from: start)
        return frame
    }

    @inline(never)
    private mutating func parseFrameBound() throws(SyntaxError) -> FrameBound {
        if accept("unbounded", "preceding") { return .unboundedPreceding }
        if accept("unbounded", "following") { return .unboundedFollowing }
        if accept("current", "row") { return .currentRow }
        let offset = try parseExpression()
        if accept("preceding") { return .preceding(offset) }
        try expect("following")
        return .following(offset)
    }

    /// Bounds in an order that no frame can have.
    private func check(_ frame: WindowFrame, _ range: SourceRange) throws(SyntaxError) {
        let message: String?
        switch (frame.start, frame.end) {
        case (.unboundedFollowing, _): message = "frame start cannot be UNBOUNDED FOLLOWING"
        case (_, .unboundedPreceding?): message = "frame end cannot be UNBOUNDED PRECEDING"
        case (.following, nil): message = "frame starting from following row cannot end with current row"
        case (.following, .preceding?), (.following, .currentRow?):
            message = "frame starting from following row cannot have preceding rows"
        case (.currentRow, .preceding?): message = "frame starting from current row cannot have preceding rows"
        default: message = nil
        }
        if let message { throw SyntaxError(message: message, code: "42P20", range: range) }
    }

    // MARK: - ORDER BY

    /// `ORDER BY e [ASC | DESC] [NULLS FIRST | LAST], ...`.
    @inline(never)
    mutating func parseOrderBy() throws(SyntaxError) -> [OrderItem] {
        try expect("order")
        try expect("by")
        var items: [OrderItem] = []
        repeat {
            let expression = try parseExpression()
            let direction = parseDirection()
            items.append(
                OrderItem(expression: expression, direction: direction ?? .ascending, nulls: try parseNullsOrder()))
        } while acceptSymbol(",")
        return items
    }

    @inline(never)
    mutating func parseDirection() -> SortDirection? {
        if accept("asc") { return .ascending }
        return accept("desc") ? .descending : nil
    }

    @inline(never)
    mutating func parseNullsOrder() throws(SyntaxError) -> NullsOrder? {
        guard accept("nulls") else { return nil }
        if accept("first") { return .first }
        try expect("last")
        return .last
    }
}
