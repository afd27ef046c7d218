// SPDX-License-Identifier: Apache-2.0
//
// What names mean at a place in a query: the columns of FROM with the tables' aliases.

import FirnSyntax

/// The columns that expressions may name, in the order in which the input has them.
struct Scope {
    struct Column {
        /// The alias or name of the table; nil for columns without one.
        var relation: String?
        var name: String
        var type: DataType

        /// As messages give it: `t.x`.
        var qualifiedName: String { relation.map { "\($0).\(name)" } ?? name }
    }

    var columns: [Column]
    /// Names of the tables and aliases of FROM, in order.
    var relations: [String]
    /// Tables that go by another name here: their own name, then the alias.
    var aliases: [String: String] = [:]

    static let empty = Scope(columns: [], relations: [])

    init(columns: [Column], relations: [String]) {
        self.columns = columns
        self.relations = relations
    }

    /// The columns of one table under its alias.
    init(_ columns: [OutputColumn], relation: String?) {
        self.columns = columns.map { Column(relation: relation, name: $0.name, type: $0.type) }
        relations = relation.map { [$0] } ?? []
    }

    /// The position of a column; nil where no column has that name.
    func index(of name: String, in relation: String?, position: Int) throws(FirnError) -> Int? {
        let matches = columns.indices.filter {
            columns[$0].name == name && (relation == nil || columns[$0].relation == relation)
        }
        if matches.count > 1 {
            throw FirnError(.ambiguousColumn, "column reference \"\(name)\" is ambiguous", position: position)
        }
        return matches.first
    }

    /// Resolves a column reference. Errors: 42703, 42702, 42P01.
    func resolve(_ name: QualifiedName) throws(FirnError) -> Int {
        let position = name.range.start.byteOffset
        let relation = name.qualifier?.name
        if let index = try index(of: name.name, in: relation, position: position) { return index }
        if let relation, !relations.contains(relation) { throw missing(relation, position: position) }
        let candidates = columns.filter { relation == nil || $0.relation == relation }.map(\.name)
        let shown = relation.map { "column \($0).\(name.name)" } ?? "column \"\(name.name)\""
        throw FirnError(
            .undefinedColumn, "\(shown) does not exist",
            hint: Suggestion.hint(for: name.name, among: candidates), position: position)
    }

    /// The columns that `*` or `t.*` stands for.
    func expand(star qualifier: QualifiedName?, position: Int) throws(FirnError) -> [Int] {
        guard let qualifier else {
            if relations.isEmpty, columns.isEmpty {
                throw FirnError(
                    .syntaxError, "SELECT * with no tables specified is not valid", position: position)
            }
            return Array(columns.indices)
        }
        guard relations.contains(qualifier.name) else { throw missing(qualifier.name, position: position) }
        return columns.indices.filter { columns[$0].relation == qualifier.name }
    }

    /// Error 42P01 for a table that FROM does not name.
    private func missing(_ relation: String, position: Int) -> FirnError {
        if let alias = aliases[relation] {
            return FirnError(
                .undefinedTable, "invalid reference to FROM-clause entry for table \"\(relation)\"",
                hint: "Perhaps you meant to reference the table alias \"\(alias)\".", position: position)
        }
        return FirnError(
            .undefinedTable, "missing FROM-clause entry for table \"\(relation)\"",
            hint: Suggestion.hint(for: relation, among: relations), position: position)
    }
}

/// Names that a person may have meant.
package enum Suggestion {
    /// `did you mean "temperature"?`, when one candidate is near enough.
    package static func hint(for name: String, among candidates: [String]) -> String? {
        nearest(to: name, among: candidates).map { "did you mean \"\($0)\"?" }
    }

    /// The candidate with the fewest edits, if they are at most a third of the name's length, and at most 3.
    package static func nearest(to name: String, among candidates: [String]) -> String? {
        let wanted = Array(name.lowercased().unicodeScalars)
        let limit = min(3, max(1, wanted.count / 3))
        var best: (name: String, distance: Int)?
        for candidate in candidates where candidate != name || name.lowercased() == candidate {
            let distance = editDistance(wanted, Array(candidate.lowercased().unicodeScalars))
            guard distance <= limit else { continue }
            // Of equally near ones the first by name, whatever order they come in.
            if best == nil || (distance, candidate) < (best!.distance, best!.name) { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
    static func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var distance = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    distance = min(distance, beforeLast[column - 1] + 1)
                }
                current.append(distance)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
