// SPDX-License-Identifier: Apache-2.0
//
// Places in SQL text.
//
// A position is a count of UTF-8 bytes from the start of the text that was parsed; a range is half
// open. Nodes carry ranges only to point at themselves in errors: two nodes are equal when they say
// the same, wherever they stand (see NotCompared), so that `GROUP BY a + 1` matches `SELECT a + 1`.

/// A place in SQL text: the number of UTF-8 bytes before it.
public struct SourcePosition: Hashable, Comparable, Sendable {
    /// Bytes of UTF-8 between the start of the text and this place.
    public var byteOffset: Int

    /// Makes one from its parts.
    public init(byteOffset: Int) { self.byteOffset = byteOffset }

    /// Whether the first place comes before the second.
    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        left.byteOffset < right.byteOffset
    }
}

/// A half-open stretch of SQL text.
public struct SourceRange: Hashable, Sendable {
    /// Where the stretch begins.
    public var start: SourcePosition
    /// The first place after it.
    public var end: SourcePosition

    /// Makes one from its parts.
    public init(start: SourcePosition, end: SourcePosition) {
        self.start = start
        self.end = end
    }

    init(_ start: Int, _ end: Int) {
        self.init(start: SourcePosition(byteOffset: start), end: SourcePosition(byteOffset: end))
    }

    /// The range of a node that no text stands behind, such as one that the binder made.
    public static let unknown = SourceRange(0, 0)

    /// Bytes of UTF-8 in the range.
    public var byteCount: Int { end.byteOffset - start.byteOffset }

    /// The smallest range that holds both.
    public func union(_ other: SourceRange) -> SourceRange {
        SourceRange(start: min(start, other.start), end: max(end, other.end))
    }

    /// The text that the range covers in `source`, the text that was parsed.
    public func text(in source: String) -> String {
        let bytes = source.utf8
        let count = bytes.count
        let first = min(max(start.byteOffset, 0), count)
        let last = min(max(end.byteOffset, first), count)
        let from = bytes.index(bytes.startIndex, offsetBy: first)
        return String(decoding: bytes[from..<bytes.index(from, offsetBy: last - first)], as: UTF8.self)
    }
}

/// A place as a person counts it, for an error message with a caret.
public struct SourceLocation: Hashable, Sendable {
    /// The line, counted from 1.
    public var line: Int
    /// The column, counted from 1 in characters.
    public var column: Int
    /// The whole line, without its line end.
    public var lineText: String

    /// Finds line and column of `position` in `source`. Costs O(bytes before the line's end).
    public init(of position: SourcePosition, in source: String) {
        let bytes = Array(source.utf8)
        let offset = min(max(position.byteOffset, 0), bytes.count)
        var line = 1
        var lineStart = 0
        for index in 0..<offset where bytes[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        var lineEnd = offset
        while lineEnd < bytes.count, bytes[lineEnd] != UInt8(ascii: "\n") { lineEnd += 1 }
        if lineEnd > lineStart, bytes[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
        self.line = line
        column = String(decoding: bytes[lineStart..<max(lineStart, offset)], as: UTF8.self).count + 1
        lineText = String(decoding: bytes[lineStart..<max(lineStart, lineEnd)], as: UTF8.self)
    }
}

/// A stored property that takes no part in the equality and the hash of the node that holds it.
@propertyWrapper
public struct NotCompared<Value: Sendable>: Hashable, Sendable {
    /// The value that takes no part.
    public var wrappedValue: Value

    /// Wraps a value.
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    /// Always true.
    public static func == (left: NotCompared, right: NotCompared) -> Bool { true }

    /// Feeds nothing.
    public func hash(into hasher: inout Hasher) {}
}
