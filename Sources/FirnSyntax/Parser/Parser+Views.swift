// SPDX-License-Identifier: Apache-2.0
//
// CREATE VIEW, CREATE MATERIALIZED VIEW, REFRESH.

extension Parser {
    mutating func parseCreateView(orReplace: Bool, isTemporary: Bool) throws(SyntaxError) -> CreateView {
        let isMaterialized = accept("materialized")
        try expect("view")
        let ifNotExists = try parseIfNotExists()
        let name = try parseQualifiedName()
        let columns: [Identifier] = atSymbol("(") ? try parseParenthesizedNames() : []
        var options: [Option] = []
        if accept("with") { options = try parseOptions() }
        try expect("as")
        let query = try parseQuery()
        let text = String(
            decoding: bytes[query.range.start.byteOffset..<query.range.end.byteOffset], as: UTF8.self)
        if at("with"), isWord(peek(1), "check") || isWord(peek(2), "check") {
            throw notSupported("WITH CHECK OPTION", current.range)
        }
        return CreateView(
            name: name, columns: columns, isMaterialized: isMaterialized, orReplace: orReplace,
            ifNotExists: ifNotExists, isTemporary: isTemporary, options: options, query: query, queryText: text,
            withData: try parseWithData())
    }

    mutating func parseRefresh() throws(SyntaxError) -> RefreshMaterializedView {
        try expect("refresh")
        try expect("materialized")
        try expect("view")
        let isConcurrent = accept("concurrently")
        let name = try parseQualifiedName()
        return RefreshMaterializedView(name: name, isConcurrent: isConcurrent, withData: try parseWithData())
    }
}
