// SPDX-License-Identifier: Apache-2.0
//
// Statements that change or move rows: INSERT, UPDATE, DELETE, COPY, TRUNCATE.

/// `INSERT INTO table (columns) source ON CONFLICT ... RETURNING ...`.
public struct Insert: Hashable, Sendable {
    /// The WITH clause before it.
    public var with: WithClause?
    /// The table it is about.
    public var table: QualifiedName
    /// The name that stands in for it; nil without one.
    public var alias: Identifier?
    /// Empty when no list was written.
    public var columns: [Identifier]
    /// Where the rows come from.
    public var source: InsertSource
    /// ON CONFLICT, nil without it.
    public var onConflict: ConflictClause?
    /// The items of RETURNING; empty without it.
    public var returning: [SelectItem]
}

/// Where the rows of an INSERT come from.
public enum InsertSource: Hashable, Sendable {
    /// `DEFAULT VALUES`.
    case defaultValues
    /// VALUES (whose rows may hold `.default`) or any other query.
    case query(Query)
}

/// `ON CONFLICT target action`.
public struct ConflictClause: Hashable, Sendable {
    /// nil when any conflict is meant.
    public var target: ConflictTarget?
    /// What to do about a conflict.
    public var action: ConflictAction
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// Which conflicts a clause is about.
public enum ConflictTarget: Hashable, Sendable {
    case columns([IndexElement], filter: Expression?)
    case constraint(Identifier)
}

/// What happens to a row in conflict.
public enum ConflictAction: Hashable, Sendable {
    case doNothing
    case doUpdate([Assignment], filter: Expression?)
}

/// `column = value`, or `(a, b) = (row or query)` with several targets.
public struct Assignment: Hashable, Sendable {
    /// The columns assigned to; several only for a row.
    public var targets: [Identifier]
    /// The value.
    public var value: Expression
}

/// `UPDATE table SET ... FROM ... WHERE ... RETURNING ...`.
public struct Update: Hashable, Sendable {
    /// The WITH clause before it.
    public var with: WithClause?
    /// The table it is about.
    public var table: QualifiedName
    /// The name that stands in for it; nil without one.
    public var alias: Identifier?
    /// The assignments in the order written.
    public var assignments: [Assignment]
    /// The items of FROM; empty without it.
    public var from: [FromItem]
    /// The condition of WHERE, nil without one.
    public var filter: Expression?
    /// The items of RETURNING; empty without it.
    public var returning: [SelectItem]
}

/// `DELETE FROM table USING ... WHERE ... RETURNING ...`.
public struct Delete: Hashable, Sendable {
    /// The WITH clause before it.
    public var with: WithClause?
    /// The table it is about.
    public var table: QualifiedName
    /// The name that stands in for it; nil without one.
    public var alias: Identifier?
    /// The items of USING; empty without it.
    public var using: [FromItem]
    /// The condition of WHERE, nil without one.
    public var filter: Expression?
    /// The items of RETURNING; empty without it.
    public var returning: [SelectItem]
}

/// `COPY subject FROM/TO endpoint WITH (options)`.
public struct Copy: Hashable, Sendable {
    /// What is copied.
    public var subject: CopySubject
    /// `FROM` fills the table, `TO` reads it.
    public var direction: CopyDirection
    /// The file or stream.
    public var endpoint: CopyEndpoint
    /// The options, those of the old syntax (`CSV HEADER`) in the form of the new: `format csv`, `header true`.
    public var options: [Option]
    /// `COPY t FROM ... WHERE e`.
    public var filter: Expression?
}

/// What COPY reads or writes.
public enum CopySubject: Hashable, Sendable {
    /// No columns means all of them.
    case table(QualifiedName, columns: [Identifier])
    case query(Query)
}

/// Into the table or out of it.
public enum CopyDirection: String, Hashable, Sendable {
    case from = "FROM"
    case to = "TO"
}

/// Where COPY's bytes come from or go to.
public enum CopyEndpoint: Hashable, Sendable {
    case standardInput
    case standardOutput
    case file(String)
    case program(String)
}

/// `TRUNCATE a, b`.
public struct Truncate: Hashable, Sendable {
    /// The tables that were named; empty for all.
    public var tables: [QualifiedName]
    /// `RESTART IDENTITY`.
    public var restartsIdentity: Bool
    /// `CASCADE` or `RESTRICT`, nil when neither was written.
    public var behaviour: DropBehaviour?
}
