// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean ...?": the keyword that the grammar would have taken, one slip of the finger away.
//
// A first run that fails costs nothing extra while it parses; the text is then parsed again with a
// record of every keyword that was asked for, and the offending word (or the one before it, which may
// have passed as an alias: SELECT a FORM t) is compared with those.

extension Parser {
    func hint(for token: Token) -> String? {
        guard let wanted else { return nil }
        if let hint = commaHint(token) ?? reservedNameHint(token) { return hint }
        for place in [index, index - 1] where place >= 0 && tokens[place].kind == .word {
            let word = tokens[place].text
            if place < index, KeywordList.keywordClass(of: word) != nil { continue }
            // A word that passed as an alias was taken before the clauses behind it were asked for.
            let asked = place < index ? Self.clauseWords.union(wanted[place] ?? []) : Set(wanted[place] ?? [])
            let candidates = asked.subtracting([word]).sorted()
            let near = candidates.filter { Self.isNearMiss(word, $0) }
            let best = near.min { abs($0.count - word.count) < abs($1.count - word.count) }
            if let best { return "Did you mean \"\(best.uppercased())\"?" }
        }
        return nil
    }

    /// `SELECT a, FROM t` and `(a int, )`.
    private func commaHint(_ token: Token) -> String? {
        guard index > 0, isSymbol(tokens[index - 1], ",") else { return nil }
        let isClause = token.kind == .word && Self.clauseWords.contains(token.text) && !isInDefinition
        guard isClause || isSymbol(token, ")") else { return nil }
        return "There is a comma too many before it."
    }

    /// `CREATE TABLE t (order integer)`.
    private func reservedNameHint(_ token: Token) -> String? {
        guard token.kind == .word, KeywordList.keywordClass(of: token.text) == .reserved, index > 0, isInDefinition,
            isSymbol(tokens[index - 1], "(") || isSymbol(tokens[index - 1], ","), isName(peek(1), .column)
        else { return nil }
        return "\"\(token.text)\" is a reserved word; in double quotes it can be a name."
    }

    /// Whether the statement around the cursor is a CREATE or ALTER.
    private var isInDefinition: Bool {
        let first = (tokens[..<index].lastIndex { isSymbol($0, ";") } ?? -1) + 1
        return isWord(tokens[first], "create") || isWord(tokens[first], "alter")
    }

    private static let clauseWords: Set<String> = [
        "from", "where", "group", "having", "order", "limit", "offset", "union", "join", "inner", "left", "right",
        "cross", "using", "values", "window", "returning",
    ]

    /// Whether one letter too many, too few, wrong, or two swapped letters turn one word into the other.
    static func isNearMiss(_ left: String, _ right: String) -> Bool {
        let shortest = 3
        let first = Array(left.utf8)
        let second = Array(right.utf8)
        guard min(first.count, second.count) >= shortest, abs(first.count - second.count) <= 1 else { return false }
        var prefix = 0
        while prefix < min(first.count, second.count), first[prefix] == second[prefix] { prefix += 1 }
        let firstRest = first[prefix...]
        let secondRest = second[prefix...]
        if first.count > second.count { return firstRest.dropFirst().elementsEqual(secondRest) }
        if first.count < second.count { return secondRest.dropFirst().elementsEqual(firstRest) }
        if firstRest.dropFirst().elementsEqual(secondRest.dropFirst()) { return !firstRest.isEmpty }
        guard firstRest.count >= 2, firstRest[prefix] == secondRest[prefix + 1],
            firstRest[prefix + 1] == secondRest[prefix]
        else { return false }
        return firstRest.dropFirst(2).elementsEqual(secondRest.dropFirst(2))
    }
}
