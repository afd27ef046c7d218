// SPDX-License-Identifier: Apache-2.0
//
// Statements that change or move rows: INSERT, UPDATE, DELETE, COPY, TRUNCATE.

/// `INSERT INTO table (columns) source ON CONFLICT ... RETURNING ...`.
public struct Insert: Hashable, Sendable {
    public var with: WithClause?
    public var table: QualifiedName
    public var alias: Identifier?
    /// Empty when no list was written.
    public var columns: [Identifier]
    public var source: InsertSource
    public var onConflict: ConflictClause?
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
    public var action: ConflictAction
    @NotCompared public var range: SourceRange
}

public enum ConflictTarget: Hashable, Sendable {
    case columns([IndexElement], filter: Expression?)
    case constraint(Identifier)
}

public enum ConflictAction: Hashable, Sendable {
    case doNothing
    case doUpdate([Assignment], filter: Expression?)
}

/// `column = value`, or `(a, b) = (row or query)` with several targets.
public struct Assignment: Hashable, Sendable {
    public var targets: [Identifier]
    public var value: Expression
}

/// `UPDATE table SET ... FROM ... WHERE ... RETURNING ...`.
public struct Update: Hashable, Sendable {
    public var with: WithClause?
    public var table: QualifiedName
    public var alias: Identifier?
    public var assignments: [Assignment]
    public var from: [FromItem]
    public var filter: Expression?
    public var returning: [SelectItem]
}

/// `DELETE FROM table USING ... WHERE ... RETURNING ...`.
public struct Delete: Hashable, Sendable {
    public var with: WithClause?
    public var table: QualifiedName
    public var alias: Identifier?
    public var using: [FromItem]
    public var filter: Expression?
    public var returning: [SelectItem]
}

/// `COPY subject FROM/TO endpoint WITH (options)`.
public struct Copy: Hashable, Sendable {
    public var subject: CopySubject
    public var direction: CopyDirection
    public var endpoint: CopyEndpoint
    /// The options, those of the old syntax (`CSV HEADER`) in the form of the new: `format csv`, `header true`.
    public var options: [Option]
    /// `COPY t FROM ... WHERE e`.
    public var filter: Expression?
}

public enum CopySubject: Hashable, Sendable {
    /// No columns means all of them.
    case table(QualifiedName, columns: [Identifier])
    case query(Query)
}

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
    public var tables: [QualifiedName]
    /// `RESTART IDENTITY`.
    public var restartsIdentity: Bool
    public var behaviour: DropBehaviour?
}
