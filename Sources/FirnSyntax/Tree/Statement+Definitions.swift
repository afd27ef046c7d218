// SPDX-License-Identifier: Apache-2.0
//
// Statements that define tables, indexes, schemas and comments, and that drop what was defined.

/// `CREATE TABLE name (columns, constraints) WITH (options)`.
public struct CreateTable: Hashable, Sendable {
    /// The name, as written.
    public var name: QualifiedName
    /// `IF NOT EXISTS`.
    public var ifNotExists: Bool
    /// `TEMPORARY` or `TEMP`.
    public var isTemporary: Bool
    /// `UNLOGGED`.
    public var isUnlogged: Bool
    /// The column names that were listed; empty without a list.
    public var columns: [ColumnDefinition]
    /// The constraints in the order written.
    public var constraints: [TableConstraint]
    /// `LIKE other`.
    public var likes: [QualifiedName]
    /// The options in the order written; empty without any.
    public var options: [Option]
}

/// A column of CREATE TABLE or ADD COLUMN.
public struct ColumnDefinition: Hashable, Sendable {
    /// The name, as written.
    public var name: Identifier
    /// The type.
    public var type: TypeName
    /// The constraints in the order written.
    public var constraints: [ColumnConstraint]
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// One constraint behind a column's type, in the order written.
public struct ColumnConstraint: Hashable, Sendable {
    /// `CONSTRAINT name`.
    public var name: Identifier?
    /// What it is.
    public var kind: Kind
    /// Where it stands.
    @NotCompared public var range: SourceRange

    /// The kinds.
    public indirect enum Kind: Hashable, Sendable {
        case notNull
        case null
        case `default`(Expression)
        case primaryKey
        case unique
        case check(Expression)
        case references(ForeignKeyTarget)
        /// `GENERATED ALWAYS AS (e) STORED`.
        case generated(Expression, isStored: Bool)
        /// `GENERATED ALWAYS | BY DEFAULT AS IDENTITY`.
        case identity(isAlways: Bool)
        case collate(QualifiedName)
    }
}

/// A constraint that stands among the columns.
public struct TableConstraint: Hashable, Sendable {
    /// `CONSTRAINT name`.
    public var name: Identifier?
    /// What it is.
    public var kind: Kind
    /// Where it stands.
    @NotCompared public var range: SourceRange

    /// The kinds.
    public indirect enum Kind: Hashable, Sendable {
        case primaryKey([Identifier])
        case unique([Identifier])
        case check(Expression)
        case foreignKey([Identifier], ForeignKeyTarget)
    }
}

/// `REFERENCES table (columns)`; what follows (ON DELETE ...) is kept as words.
public struct ForeignKeyTarget: Hashable, Sendable {
    /// The table it is about.
    public var table: QualifiedName
    /// The column names that were listed; empty without a list.
    public var columns: [Identifier]
    /// The actions in the order written.
    public var actions: [String]
}

/// `CREATE TABLE name AS query`.
public struct CreateTableAs: Hashable, Sendable {
    /// The name, as written.
    public var name: QualifiedName
    /// The column names that were listed; empty without a list.
    public var columns: [Identifier]
    /// `IF NOT EXISTS`.
    public var ifNotExists: Bool
    /// `OR REPLACE`.
    public var orReplace: Bool
    /// `TEMPORARY` or `TEMP`.
    public var isTemporary: Bool
    /// The options in the order written; empty without any.
    public var options: [Option]
    /// The query.
    public var query: Query
    /// false for `WITH NO DATA`.
    public var withData: Bool
}

/// `ALTER TABLE name action, action`; also of views and materialized views.
public struct AlterTable: Hashable, Sendable {
    /// What kind of object it speaks of.
    public var object: ObjectKind
    /// The name, as written.
    public var name: QualifiedName
    /// `IF EXISTS`.
    public var ifExists: Bool
    /// The actions in the order written.
    public var actions: [AlterTableAction]
}

/// One action of ALTER TABLE.
public indirect enum AlterTableAction: Hashable, Sendable {
    case addColumn(ColumnDefinition, ifNotExists: Bool)
    case dropColumn(Identifier, ifExists: Bool, DropBehaviour?)
    case renameColumn(Identifier, to: Identifier)
    case renameTo(Identifier)
    case setSchema(Identifier)
    case alterType(Identifier, TypeName, using: Expression?)
    case setDefault(Identifier, Expression)
    case dropDefault(Identifier)
    case setNotNull(Identifier)
    case dropNotNull(Identifier)
    case addConstraint(TableConstraint)
    case dropConstraint(Identifier, ifExists: Bool, DropBehaviour?)
    case setOptions([Option])
    case resetOptions([Option])
}

/// What DROP, COMMENT and ALTER speak of.
public enum ObjectKind: String, Hashable, Sendable, CaseIterable {
    case table = "TABLE"
    case view = "VIEW"
    case materializedView = "MATERIALIZED VIEW"
    case index = "INDEX"
    case schema = "SCHEMA"
    case function = "FUNCTION"
    case procedure = "PROCEDURE"
    case sequence = "SEQUENCE"
    case type = "TYPE"
    case `extension` = "EXTENSION"
    case trigger = "TRIGGER"
    case database = "DATABASE"
    case column = "COLUMN"
}

/// `DROP TABLE IF EXISTS a, b CASCADE`.
public struct Drop: Hashable, Sendable {
    /// What kind of object it speaks of.
    public var object: ObjectKind
    /// The names of what is meant.
    public var names: [QualifiedName]
    /// Argument types of `DROP FUNCTION f(integer)`, by name; empty without parentheses.
    public var argumentTypes: [[TypeName]]
    /// `DROP TRIGGER name ON table`.
    public var table: QualifiedName?
    /// `IF EXISTS`.
    public var ifExists: Bool
    /// `CASCADE` or `RESTRICT`, nil when neither was written.
    public var behaviour: DropBehaviour?
}

/// What happens to what depends on a dropped object.
public enum DropBehaviour: String, Hashable, Sendable {
    case cascade = "CASCADE"
    case restrict = "RESTRICT"
}

/// `CREATE [UNIQUE] INDEX name ON table USING method (elements)`.
public struct CreateIndex: Hashable, Sendable {
    /// The name, as written.
    public var name: QualifiedName?
    /// The table it is about.
    public var table: QualifiedName
    /// `UNIQUE`.
    public var isUnique: Bool
    /// `CONCURRENTLY`.
    public var isConcurrent: Bool
    /// `IF NOT EXISTS`.
    public var ifNotExists: Bool
    /// `USING method`, such as hnsw; nil without it.
    public var method: Identifier?
    /// The elements in the order written.
    public var elements: [IndexElement]
    /// `INCLUDE (columns)`; empty without it.
    public var including: [Identifier]
    /// The options in the order written; empty without any.
    public var options: [Option]
    /// The condition of WHERE, nil without one.
    public var filter: Expression?
}

/// One key of an index.
public struct IndexElement: Hashable, Sendable {
    /// The expression.
    public var expression: Expression
    /// `vector_l2_ops` and its kin.
    public var operatorClass: QualifiedName?
    /// `ASC` or `DESC`, nil when neither was written.
    public var direction: SortDirection?
    /// Where nulls go; nil stands for the default.
    public var nulls: NullsOrder?
}

/// `CREATE SCHEMA name`.
public struct CreateSchema: Hashable, Sendable {
    /// The name, as written.
    public var name: Identifier
    /// `IF NOT EXISTS`.
    public var ifNotExists: Bool
}

/// A CREATE that is recognised only to be refused by name: TRIGGER, SEQUENCE, TYPE, ROLE, EXTENSION ...
public struct CreateUnsupported: Hashable, Sendable {
    /// The words after CREATE, in capitals, such as `TRIGGER`.
    public var object: String
    /// The object's name where one follows.
    public var name: QualifiedName?
    /// `IF NOT EXISTS`.
    public var ifNotExists: Bool
}

/// `COMMENT ON object IS 'text'`.
public struct Comment: Hashable, Sendable {
    /// What kind of object it speaks of.
    public var object: ObjectKind
    /// The name, as written.
    public var name: QualifiedName
    /// nil for `IS NULL`.
    public var text: String?
}
