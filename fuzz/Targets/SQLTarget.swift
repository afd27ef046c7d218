// SPDX-License-Identifier: Apache-2.0
//
// SQL text: lexer, parser and splitter never trap, and what is parsed renders to text that parses to the same tree.

import FirnIO
import FirnSyntax

@testable import Firn

extension FuzzTarget {
    static let sql = FuzzTarget(name: "sql") { input in
        let text = String(decoding: input, as: UTF8.self)
        split(text)
        do throws(SyntaxError) {
            for statement in try SQLParser.parse(text) {
                require(statement.range.end.byteOffset <= text.utf8.count, "a statement ends behind its text")
                for query in queries(of: statement) { check(query) }
            }
            return .accepted
        } catch {
            require(!error.message.isEmpty && error.code.utf8.count == 5, "an error says what is wrong")
            require(error.range.start <= error.range.end, "a range ends before it begins")
            require(error.range.end.byteOffset <= text.utf8.count, "an error lies behind its text")
            return .refused
        }
    }

    private static func check(_ query: Query) {
        let rendered = query.sqlText
        plantedBug(rendered.utf8.dropFirst("SELECT ".utf8.count))
        do throws(SyntaxError) {
            let again = try SQLParser.parseQuery(rendered)
            require(again == query, "another tree after rendering: \(rendered)")
        } catch {
            // A tree at the limit of nesting may be beyond it with the parentheses that rendering adds.
            require(error.code == "54001", "rendered text does not parse: \(rendered): \(error)")
        }
    }

    private static func queries(of statement: Statement) -> [Query] {
        switch statement.kind {
        case .query(let query): [query]
        case .createView(let view): [view.query]
        case .createTableAs(let table): [table.query]
        case .explain(let explain): queries(of: explain.statement)
        case .prepare(let prepare): queries(of: prepare.statement)
        case .insert(let insert): if case .query(let query) = insert.source { [query] } else { [] }
        case .copy(let copy): if case .query(let query) = copy.subject { [query] } else { [] }
        default: []
        }
    }

    /// A script that comes in pieces is cut where it is cut as a whole.
    private static func split(_ text: String) {
        let whole = statements([text])
        let middle = text.unicodeScalars.index(text.startIndex, offsetBy: text.unicodeScalars.count / 2)
        let pieces = statements([String(text[..<middle]), String(text[middle...])])
        require(whole == pieces, "a script is cut elsewhere when it comes in pieces")
    }

    private static func statements(_ pieces: [String]) -> [ScriptStatement] {
        var splitter = StatementSplitter()
        var statements: [ScriptStatement] = []
        for piece in pieces {
            splitter.append(piece)
            while let statement = splitter.next() { statements.append(statement) }
        }
        _ = splitter.pending
        return statements
    }
}
