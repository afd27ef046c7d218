// SPDX-License-Identifier: Apache-2.0
//
// Patterns of names as psql's \d and \df take them: * is any text, ? any character, letters fold to lower case unless
// they stand in double quotes.

/// Which names a word of a backslash command means.
struct NamePattern {
    private let pattern: [Character]

    init(_ word: BackslashLine.Word) {
        pattern = Array(word.isQuoted ? word.text : word.text.lowercased())
    }

    /// Whether it can match more than one name.
    var hasWildcards: Bool { pattern.contains("*") || pattern.contains("?") }

    /// The name itself, where it has no wildcards.
    var name: String { String(pattern) }

    func matches(_ name: String) -> Bool {
        let name = Array(name)
        var at = 0
        var from = 0
        var star: (pattern: Int, name: Int)?
        while at < name.count {
            if from < pattern.count, pattern[from] == "*" {
                star = (from, at)
                from += 1
            } else if from < pattern.count, pattern[from] == "?" || pattern[from] == name[at] {
                from += 1
                at += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                from = last.pattern + 1
                at = last.name + 1
            } else {
                return false
            }
        }
        while from < pattern.count, pattern[from] == "*" { from += 1 }
        return from == pattern.count
    }
}
