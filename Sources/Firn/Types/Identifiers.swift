// SPDX-License-Identifier: Apache-2.0
//
// The integers that name things on disk: each its own type, so that mixing two does not compile.
//
// Every identifier is allocated in order by the manifest and never used twice within a database.

/// An integer that names one kind of thing in a database.
///
/// Identifiers are ordered by age: a smaller one was allocated earlier.
protocol StoredIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number as it is stored in files.
    var rawValue: UInt64 { get }
    /// The identifier with a number that came from a file.
    init(_ rawValue: UInt64)
}

extension StoredIdentifier {
    /// True where the left one was allocated earlier.
    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    /// The identifier that is allocated after this one.
    var next: Self { Self(rawValue + 1) }
    /// The number in decimal.
    var description: String { String(rawValue) }
}

/// Log sequence number: the place of a commit in the one order that all commits of a database have.
///
/// 0 stands before the first commit. LSNs are never reused, not even after a crash.
public struct LSN: StoredIdentifier, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, as it is stored in files.
    public let rawValue: UInt64
    /// The identifier with a number that was stored.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// Stands before the first commit.
    public static let zero = LSN(0)

    /// True where the left one was allocated earlier.
    public static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }
    /// The number in decimal.
    public var description: String { String(rawValue) }
}

/// Names a table for as long as the database lives; a table made anew under an old name has a new one.
public struct TableID: StoredIdentifier, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, as it is stored in files.
    public let rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// True where the left one was allocated earlier.
    public static func < (left: TableID, right: TableID) -> Bool { left.rawValue < right.rawValue }
    /// The number in decimal.
    public var description: String { String(rawValue) }
}

/// Names a column within its table; renaming a column keeps it, dropping it retires it.
public struct ColumnID: StoredIdentifier, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, as it is stored in files.
    public let rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// True where the left one was allocated earlier.
    public static func < (left: ColumnID, right: ColumnID) -> Bool { left.rawValue < right.rawValue }
    /// The number in decimal.
    public var description: String { String(rawValue) }
}

/// Names a chunk: the rows of one table in one half-open range of time.
struct ChunkID: StoredIdentifier {
    let rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names a file that the engine wrote; its name on disk is derived from it.
struct FileID: StoredIdentifier {
    let rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names a segment: immutable, sorted rows of one chunk.
struct SegmentID: StoredIdentifier {
    let rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
}
