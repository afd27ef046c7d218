// SPDX-License-Identifier: Apache-2.0
//
// The error of text that is not SQL, worded as PostgreSQL words it.

/// What is wrong with a text, where, and what to do about it.
public struct SyntaxError: Error, Hashable, Sendable {
    /// PostgreSQL's words, such as `syntax error at or near "FORM"`.
    public var message: String
    /// The SQLSTATE, 42601 for a plain syntax error.
    public var code: String
    /// The offending stretch of the text that was parsed.
    public var range: SourceRange
    /// What may help, nil when nothing is known.
    public var hint: String?

    /// Makes one from its parts.
    public init(message: String, code: String = "42601", range: SourceRange, hint: String? = nil) {
        self.message = message
        self.code = code
        self.range = range
        self.hint = hint
    }
}
