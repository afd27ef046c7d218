// SPDX-License-Identifier: Apache-2.0
//
// What a table is: its columns with their ids, its key, and how it is cut into chunks and sorted.

/// A column of a table.
public struct ColumnDefinition: Sendable, Hashable {
    /// Kept for the life of the column, whatever its name; given when the table is made.
    public internal(set) var id: ColumnID
    /// The column's name, as SQL would fold it.
    public var name: String
    /// The SQL type.
    public var type: DataType
    /// The length, digits or fields that the type was declared with, as in VARCHAR(10).
    public var modifier: TypeModifier?
    /// False where NOT NULL was declared, or the column is part of the primary key.
    public var isNullable: Bool
    /// The DEFAULT expression as SQL text; nil means NULL.
    public var defaultExpression: String?

    /// A column to make a table with.
    public init(
        name: String, type: DataType, modifier: TypeModifier? = nil, isNullable: Bool = true,
        defaultExpression: String? = nil
    ) {
        self.init(
            id: ColumnID(0), name: name, type: type, modifier: modifier, isNullable: isNullable,
            defaultExpression: defaultExpression)
    }

    init(
        id: ColumnID, name: String, type: DataType, modifier: TypeModifier? = nil, isNullable: Bool = true,
        defaultExpression: String? = nil
    ) {
        self.id = id
        self.name = name
        self.type = type
        self.modifier = modifier
        self.isNullable = isNullable
        self.defaultExpression = defaultExpression
    }
}

/// How rows are cut into chunks of time.
public struct ChunkingPolicy: Sendable, Hashable {
    /// The NOT NULL time column.
    public internal(set) var column: ColumnID
    /// Length of a new chunk in the unit of the time column. Always positive.
    public internal(set) var interval: Int64
    /// True after `create_hypertable`; false for a table that is chunked on its own account.
    public internal(set) var isHypertable: Bool

    init(column: ColumnID, interval: Int64, isHypertable: Bool) {
        self.column = column
        self.interval = interval
        self.isHypertable = isHypertable
    }
}

/// A table as one manifest version knows it. Immutable; a change makes a new one.
public struct TableSchema: Sendable, Hashable {
    /// Names the table for as long as it lives.
    public internal(set) var id: TableID
    /// The table's name.
    public internal(set) var name: String
    /// In the order in which they were declared.
    public internal(set) var columns: [ColumnDefinition]
    /// Columns of the PRIMARY KEY; empty where there is none.
    public internal(set) var primaryKey: [ColumnID]
    /// Nil for a table that is one chunk.
    public internal(set) var chunking: ChunkingPolicy?
    /// Columns that identify a series, by which segments are sorted before time.
    /// Nil until it was declared or picked at the first flush.
    public internal(set) var sortKey: [ColumnID]?
    /// The next column id to allocate.
    var nextColumnID: ColumnID

    init(
        id: TableID, name: String, columns: [ColumnDefinition], primaryKey: [ColumnID] = [],
        chunking: ChunkingPolicy? = nil, sortKey: [ColumnID]? = nil, nextColumnID: ColumnID
    ) {
        self.id = id
        self.name = name
        self.columns = columns
        self.primaryKey = primaryKey
        self.chunking = chunking
        self.sortKey = sortKey
        self.nextColumnID = nextColumnID
    }

    /// Position of a column in `columns`.
    public func index(of id: ColumnID) -> Int? { columns.firstIndex { $0.id == id } }
    /// Position of a column in `columns`.
    public func index(named name: String) -> Int? { columns.firstIndex { $0.name == name } }
    /// The position of the time column by which the table is chunked.
    public var timeColumnIndex: Int? { chunking.flatMap { index(of: $0.column) } }

    /// Most columns that a table may have.
    public static let columnCountMax = 1_600
    /// Most UTF-8 bytes in a name, as in PostgreSQL.
    public static let nameBytesMax = 63
}
