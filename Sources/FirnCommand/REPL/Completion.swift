// SPDX-License-Identifier: Apache-2.0
//
// What Tab offers, by what stands in front of the word: tables behind FROM, the columns of the tables that a statement
// names, functions, settings behind SET, files behind \i and COPY … FROM ', the shell's own commands behind a backslash.
//
// A pure function of the text and of what there is. The words are those that libedit cuts: at blanks and punctuation, so
// that a word has neither the backslash nor the quote or dot in front of it.

import FirnSyntax

/// What there is to complete.
struct CompletionCatalogue: Sendable {
    var keywords: [String] = []
    var tables: [(name: String, columns: [String])] = []
    var functions: [String] = []
    var settings: [String] = []
}

/// What Tab offers for a word.
struct Completion: Equatable {
    var matches: [String] = []
    /// What follows a match that is the only one.
    var ending = " "

    /// - Parameters:
    ///   - word: the letters before the cursor.
    ///   - before: the statement, or the line of a backslash command, up to the word.
    ///   - after: what stands behind the cursor.
    ///   - files: the entries of a folder, with `/` behind the names of folders.
    static func of(
        _ word: String, before: String, after: String = "", _ catalogue: CompletionCatalogue,
        files: (_ folder: String) -> [String] = { _ in [] }
    ) -> Completion {
        let line = before.split(separator: "\n", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        let trimmed = line.drop { $0 == " " }
        if trimmed.hasPrefix("\\") {
            return ofCommand(word, before: String(trimmed), before, after, catalogue, files)
        }
        return ofSQL(word, before: before, after: after, catalogue, files)
    }

    // MARK: Backslash commands

    private static func ofCommand(
        _ word: String, before line: String, _ whole: String, _ after: String, _ catalogue: CompletionCatalogue,
        _ files: (String) -> [String]
    ) -> Completion {
        if line == "\\" {
            let names = BackslashCommand.all.flatMap(\.names).map { String($0.dropFirst()) }
            return Completion(matches: names.filter { $0.hasPrefix(word) }.sorted())
        }
        let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        let name = words.first ?? ""
        // Words that stand whole before the one that is being typed.
        let given = words.count - 1
        // Behind the last word that the command takes there is nothing to offer.
        if let wordsMax = BackslashCommand.named(name)?.wordsMax, given >= wordsMax, line.hasSuffix(" ") {
            return Completion(matches: [])
        }
        switch BackslashCommand.named(name)?.names[0] {
        case "\\i", "\\ir", "\\o", "\\w", "\\e", "\\g", "\\gx": return ofFile(word, line, files, folders: false)
        case "\\cd": return ofFile(word, line, files, folders: true)
        case "\\d", "\\d+", "\\dt", "\\dt+", "\\di", "\\di+":
            return Completion(matches: names(catalogue.tables.map(\.name), word, line))
        case "\\df", "\\df+": return Completion(matches: names(catalogue.functions, word, line))
        case "\\h":
            let topics = SQLHelp.topics.map { $0.name.split(separator: " ").map { $0.lowercased() } }
            let typed = words.dropFirst().map { $0.lowercased() }
            let fitting = topics.filter { $0.count > typed.count && $0.starts(with: typed) }
            return Completion(matches: cased(unique(fitting.map { $0[typed.count] }), word))
        case "\\x": return Completion(matches: ["on", "off", "auto"].filter { $0.hasPrefix(word) })
        case "\\timing", "\\t": return Completion(matches: ["on", "off"].filter { $0.hasPrefix(word) })
        case "\\format": return Completion(matches: OutputFormat.allCases.map(\.rawValue).filter { $0.hasPrefix(word) })
        case "\\pset":
            let values: [String]
            switch given >= 1 ? words[1] : "" {
            case "": values = PrintSetting.allCases.map(\.rawValue)
            case "format": values = OutputFormat.allCases.map(\.rawValue)
            case "expanded": values = ExpandedMode.allCases.map(\.rawValue)
            case "pager": values = PagerMode.allCases.map(\.rawValue)
            case "tuples_only": values = ["on", "off"]
            case "border": values = ["0", "1", "2"]
            default: values = []
            }
            return Completion(matches: values.filter { $0.hasPrefix(word) })
        case "\\copy":
            return ofSQL(word, before: "COPY " + line.dropFirst("\\copy".count), after: after, catalogue, files)
        case "\\watch", "\\chart":
            return ofSQL(word, before: String(line.dropFirst(name.count)), after: after, catalogue, files)
        default: return Completion(matches: [])
        }
    }

    // MARK: SQL

    private static func ofSQL(
        _ word: String, before: String, after: String, _ catalogue: CompletionCatalogue, _ files: (String) -> [String]
    ) -> Completion {
        let tokens = Tokens.of(before)
        let last = tokens.last
        if tokens.isInString {
            if tokens.first == "copy", last == "from" || last == "to" {
                return ofFile(word, before, files, folders: false, isQuoted: true)
            }
            if tokens.first == "set", tokens.contains("durability") {
                return Completion(matches: ["synced", "buffered", "memory"].filter { $0.hasPrefix(word) }, ending: "'")
            }
            return Completion(matches: [])
        }
        if tokens.isInName {
            let all = catalogue.tables.flatMap { [$0.name] + $0.columns }
            return Completion(matches: unique(all.filter { $0.hasPrefix(word) }), ending: "\"")
        }
        if before.hasSuffix(".") {
            let table = tokens.tables(in: before + word + after, catalogue)[tokens.beforeDot] ?? tokens.beforeDot
            let columns = catalogue.tables.first { $0.name == table }?.columns ?? []
            return Completion(matches: names(columns, word, before))
        }
        switch last {
        case nil:
            return Completion(matches: cased(starters, word))
        case "from", "join", "into", "table", "describe", "desc", "copy", "exists":
            var offered = catalogue.tables.map(\.name)
            if last == "from" || last == "join" {
                offered += ["generate_series(", "show_chunks(", "firn_segments", "firn_columns"]
            }
            if last == "table" { offered += ["if"] }
            return sealed(names(offered, word, before))
        case "set", "show", "reset":
            guard tokens.count == 1 else { break }
            let more =
                switch last {
                case "set": ["time"]
                case "show": ["all", "tables", "functions", "columns"]
                default: ["all"]
                }
            return Completion(
                matches: (catalogue.settings.filter { $0.hasPrefix(word.lowercased()) }) + cased(more, word))
        case "=", "to":
            if tokens.first == "set", tokens.contains("durability") {
                return Completion(matches: ["synced", "buffered", "memory"].filter { $0.hasPrefix(word) })
            }
        default: break
        }
        // An expression: the columns of the tables that the statement names, or of all where it names none yet.
        let named = Set(tokens.tables(in: before + word + after, catalogue).values)
        let columns = catalogue.tables.filter { named.isEmpty || named.contains($0.name) }.flatMap(\.columns)
        var matches = names(columns, word, before)
        if tokens.first == "insert", tokens.isInParentheses, !tokens.contains("values"), !tokens.contains("select") {
            return Completion(matches: unique(matches))
        }
        if tokens.first == "copy", tokens.isInParentheses, !tokens.contains("select") {
            let options = ["format", "header", "delimiter", "null", "quote", "escape", "encoding", "csv", "text"]
            return Completion(
                matches: unique(tokens.contains("from") || tokens.contains("to") ? cased(options, word) : matches))
        }
        if !word.isEmpty {
            matches += names(catalogue.tables.map(\.name), word, before)
            matches += cased(catalogue.functions, word).map { $0 + "(" }
            matches += cased(catalogue.keywords, word)
        }
        return sealed(unique(matches))
    }

    /// The words with which statements begin.
    private static let starters = [
        "alter", "checkpoint", "copy", "create", "describe", "drop", "explain", "insert", "reset", "select", "set",
        "show",
        "values", "with", "exit", "quit", "help",
    ]

    /// Nothing follows the opening parenthesis of a function.
    private static func sealed(_ matches: [String]) -> Completion {
        let isFunction = matches.count == 1 && matches[0].hasSuffix("(")
        return Completion(matches: matches, ending: isFunction ? "" : " ")
    }

    private static func unique(_ words: [String]) -> [String] {
        var seen: Set<String> = []
        return words.filter { seen.insert($0).inserted }.sorted()
    }

    /// Words in the case in which the first letters were typed.
    private static func cased(_ words: [String], _ word: String) -> [String] {
        let isUpper = word.contains { $0.isUppercase } && !word.contains { $0.isLowercase }
        let lowered = word.lowercased()
        return words.filter { $0.lowercased().hasPrefix(lowered) }.map { isUpper ? $0.uppercased() : $0.lowercased() }
    }

    /// Names as SQL writes them: in quotes where they need them.
    private static func names(_ names: [String], _ word: String, _ before: String) -> [String] {
        unique(
            names.filter { $0.lowercased().hasPrefix(word.lowercased()) }.compactMap { name in
                guard !name.hasSuffix("("), KeywordList.needsQuotes(name),
                    KeywordList.keywordClass(of: name) != .columnName
                else { return name }
                // A quote cannot be set in front of letters that were typed: libedit cuts words at it.
                return word.isEmpty ? "\"\(name)\"" : name.hasPrefix(word) ? name : nil
            })
    }

    // MARK: Files

    private static func ofFile(
        _ word: String, _ before: String, _ files: (String) -> [String], folders: Bool, isQuoted: Bool = false
    ) -> Completion {
        let isQuoted = isQuoted || before.hasSuffix("'")
        let folder = word.lastIndex(of: "/").map { String(word[...$0]) } ?? ""
        let start = word.dropFirst(folder.count)
        let found = files(folder.isEmpty ? "." : folder).filter {
            $0.hasPrefix(start) && (!folders || $0.hasSuffix("/")) && (!start.isEmpty || !$0.hasPrefix("."))
        }
        let matches = found.map { folder + $0 }.sorted()
        let isFolder = matches.count == 1 && matches[0].hasSuffix("/")
        return Completion(matches: matches, ending: isFolder ? "" : isQuoted ? "'" : " ")
    }

    // MARK: Tokens

    /// The words and signs of a statement that has not ended.
    private struct Tokens {
        private var all: [String] = []
        private(set) var isInString = false
        private(set) var isInName = false
        private(set) var isInParentheses = false

        var count: Int { all.count }
        var first: String? { all.first }
        var last: String? { all.last }
        func contains(_ word: String) -> Bool { all.contains(word) }
        /// The name in front of a dot at the end.
        var beforeDot: String { all.count > 1 ? all[all.count - 2] : "" }

        static func of(_ text: String) -> Tokens {
            var tokens = Tokens()
            var word = ""
            var depth = 0
            var quote: Character?
            func end() {
                if !word.isEmpty { tokens.all.append(word.lowercased()) }
                word = ""
            }
            for character in text {
                if let open = quote {
                    if character == open {
                        quote = nil
                        if open == "\"" { tokens.all.append(word) }
                        if open == "'" { tokens.all.append("'") }
                        word = ""
                    } else {
                        word.append(character)
                    }
                } else if character == "'" || character == "\"" {
                    end()
                    quote = character
                } else if character.isLetter || character.isNumber || character == "_" {
                    word.append(character)
                } else {
                    end()
                    if character == ";" {
                        tokens.all = []
                        depth = 0
                    } else if !character.isWhitespace {
                        tokens.all.append(String(character))
                        if character == "(" { depth += 1 }
                        if character == ")" { depth -= 1 }
                    }
                }
            }
            if quote == nil { end() }
            tokens.isInString = quote == "'"
            tokens.isInName = quote == "\""
            tokens.isInParentheses = depth > 0
            return tokens
        }

        /// The tables that a statement names, by their names and aliases.
        func tables(in text: String, _ catalogue: CompletionCatalogue) -> [String: String] {
            let words = Tokens.of(text).all
            var found: [String: String] = [:]
            for (index, word) in words.enumerated() where index > 0 {
                guard ["from", "join", "into", "table", "copy", ","].contains(words[index - 1]),
                    catalogue.tables.contains(where: { $0.name == word })
                else { continue }
                found[word] = word
                var next = index + 1
                if next < words.count, words[next] == "as" { next += 1 }
                if next < words.count, let letter = words[next].first, letter.isLetter || letter == "_",
                    KeywordList.keywordClass(of: words[next]) == nil
                {
                    found[words[next]] = word
                }
            }
            return found
        }
    }
}
