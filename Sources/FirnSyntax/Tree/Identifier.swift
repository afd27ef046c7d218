// SPDX-License-Identifier: Apache-2.0
//
// Names in SQL text: a word folded to lower case, or a quoted one kept as it is.

/// One name. An unquoted word is already folded to lower case.
public struct Identifier: Hashable, Sendable {
    /// The name that the catalog is asked for.
    public var name: String
    /// Whether it was written in double quotes. Takes no part in equality: `"a"` is `a`.
    @NotCompared public var isQuoted: Bool
    /// Where it stands.
    @NotCompared public var range: SourceRange

    /// Makes one from its parts.
    public init(_ name: String, isQuoted: Bool = false, range: SourceRange = .unknown) {
        self.name = name
        self.isQuoted = isQuoted
        self.range = range
    }
}

/// A dotted name such as `public.readings` or `r.value`; it has at least one part.
public struct QualifiedName: Hashable, Sendable {
    /// The parts, outermost first.
    public var parts: [Identifier]

    /// Makes one from its parts.
    public init(_ parts: [Identifier]) {
        precondition(!parts.isEmpty, "a qualified name has at least one part")
        self.parts = parts
    }

    /// The last part, the object's own name.
    public var last: Identifier { parts[parts.count - 1] }
    /// The last part as text.
    public var name: String { last.name }
    /// The part before the last (a schema, or a column's table), nil when there is none.
    public var qualifier: Identifier? { parts.count > 1 ? parts[parts.count - 2] : nil }
    /// Where the whole name stands.
    public var range: SourceRange { parts[0].range.union(last.range) }
}
