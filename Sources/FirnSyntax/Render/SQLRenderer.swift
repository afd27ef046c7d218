// SPDX-License-Identifier: Apache-2.0
//
// Trees back to SQL text, for EXPLAIN, stored defaults, view definitions and error messages.
//
// What is rendered parses to the same tree again (a property test holds it to that). Parentheses stand
// only where precedence needs them. Expressions are in SQLRenderer+Expressions.swift, queries in
// SQLRenderer+Queries.swift.

extension Expression {
    /// The expression as SQL text on one line.
    public var sqlText: String {
        var renderer = SQLRenderer()
        renderer.render(self)
        return renderer.text
    }
}

extension Query {
    /// The query as SQL text on one line.
    public var sqlText: String {
        var renderer = SQLRenderer()
        renderer.render(self)
        return renderer.text
    }
}

extension TypeName {
    /// The type as SQL text, in its canonical spelling.
    public var sqlText: String {
        var renderer = SQLRenderer()
        renderer.render(self)
        return renderer.text
    }
}

extension Identifier {
    /// The name as SQL text, quoted where it must be.
    public var sqlText: String {
        var renderer = SQLRenderer()
        renderer.render(self)
        return renderer.text
    }
}

extension QualifiedName {
    /// The name as SQL text, its parts quoted where they must be.
    public var sqlText: String {
        var renderer = SQLRenderer()
        renderer.render(self)
        return renderer.text
    }
}

struct SQLRenderer {
    private(set) var text = ""

    mutating func write(_ piece: String) { text += piece }

    /// The elements with commas between them.
    mutating func list<Element>(_ elements: [Element], _ render: (inout SQLRenderer, Element) -> Void) {
        for (place, element) in elements.enumerated() {
            if place > 0 { write(", ") }
            render(&self, element)
        }
    }

    mutating func parenthesized(_ body: (inout SQLRenderer) -> Void) {
        write("(")
        body(&self)
        write(")")
    }

    // MARK: - Names, strings, types

    /// Unreserved words that a window or frame would read as its own.
    private static let ambiguous: Set<String> = ["unbounded", "current", "partition", "range", "rows", "groups"]

    mutating func render(_ name: Identifier) {
        if KeywordList.needsQuotes(name.name) || Self.ambiguous.contains(name.name) {
            quote(name.name)
        } else {
            write(name.name)
        }
    }

    private mutating func quote(_ name: String) {
        write("\"")
        for character in name.unicodeScalars {
            if character == "\"" { write("\"") }
            text.unicodeScalars.append(character)
        }
        write("\"")
    }

    mutating func render(_ name: QualifiedName) {
        for (place, part) in name.parts.enumerated() {
            if place > 0 { write(".") }
            render(part)
        }
    }

    /// A function's name; words such as coalesce and left need no quotes before parentheses.
    mutating func renderFunction(_ name: QualifiedName) {
        guard name.parts.count == 1, !name.last.isQuoted, KeywordList.keywordClass(of: name.name) != nil else {
            return render(name)
        }
        write(name.name)
    }

    mutating func render(_ names: [Identifier]) {
        parenthesized { renderer in renderer.list(names) { $0.render($1) } }
    }

    /// A string constant.
    mutating func render(string: String) {
        write("'")
        for character in string.unicodeScalars {
            if character == "'" { write("'") }
            text.unicodeScalars.append(character)
        }
        write("'")
    }

    mutating func render(_ type: TypeName) {
        renderTypeName(type.name)
        if let fields = type.intervalFields { write(" \(fields.rawValue)") }
        renderModifiers(type)
        for _ in 0..<type.arrayDimensionCount { write("[]") }
    }

    mutating func renderTypeName(_ name: QualifiedName) {
        if name.parts.count > 1 {
            render(name)
        } else if name.last.isQuoted {
            // "int4" is a type of that name, int4 is integer.
            quote(name.name)
        } else {
            write(name.name)
        }
    }

    mutating func renderModifiers(_ type: TypeName) {
        if type.modifiers.isEmpty { return }
        parenthesized { renderer in renderer.list(type.modifiers) { $0.write("\($1)") } }
    }
}
