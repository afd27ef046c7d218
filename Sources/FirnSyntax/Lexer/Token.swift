// SPDX-License-Identifier: Apache-2.0
//
// The units that the parser reads.

/// A token: its kind, its bytes' place, and for words, operators and symbols its text.
struct Token: Sendable {
    enum Kind: UInt8, Sendable {
        /// An unquoted word; `text` is folded to lower case.
        case word
        case quotedIdentifier
        /// `U&"..."`.
        case unicodeIdentifier
        /// `'...'` and `N'...'`.
        case string
        /// `E'...'`.
        case escapeString
        /// `U&'...'`.
        case unicodeString
        /// `$tag$...$tag$`.
        case dollarString
        /// `B'...'` and `X'...'`.
        case binaryString
        case hexadecimalString
        case integer
        case decimal
        /// `$1`.
        case parameter
        /// `$name`; `text` is the name as written.
        case namedParameter
        /// A run of operator characters.
        case `operator`
        /// One of `( ) [ ] { } , ; . : :: := =>`.
        case symbol
        /// The end of the text.
        case end
        /// Text that is no token; the lexer keeps the error for whoever reaches it.
        case failure
    }

    var kind: Kind
    /// Offset of the first byte.
    var start: Int
    /// Offset behind the last byte.
    var end: Int
    var text: String

    var range: SourceRange { SourceRange(start, end) }

    /// Whether it is a string constant of any quoting.
    var isString: Bool {
        switch kind {
        case .string, .escapeString, .unicodeString, .dollarString: true
        default: false
        }
    }
}
