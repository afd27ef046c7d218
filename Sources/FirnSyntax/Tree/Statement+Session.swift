// SPDX-License-Identifier: Apache-2.0
//
// Statements about the session, transactions, prepared statements, and upkeep.

/// `EXPLAIN [ANALYZE] [VERBOSE] [(options)] statement`; the bare words become options.
public struct Explain: Hashable, Sendable {
    /// The options in the order written; empty without any.
    public var options: [Option]
    /// The statement inside.
    public var statement: Statement

    /// Whether the statement is to be run: `ANALYZE`, or the option with no value or a true one.
    public var runsStatement: Bool {
        guard let option = options.last(where: { $0.name == "analyze" }) else { return false }
        guard let text = option.value?.text else { return true }
        return text == "true" || text == "on" || text == "1"
    }
}

/// `SHOW ...`.
public enum Show: Hashable, Sendable {
    /// `SHOW timezone`; the name is dotted where it was and folded.
    case parameter(Identifier)
    case all
    case tables
    /// `SHOW COLUMNS FROM name`.
    case columns(QualifiedName)
    case views
    case functions
}

/// `SET name = values`.
public struct SetParameter: Hashable, Sendable {
    /// The name, dotted where it was and folded; `timezone` for SET TIME ZONE.
    public var name: Identifier
    /// nil for DEFAULT (and SET TIME ZONE LOCAL).
    public var values: [OptionValue]?
    /// How long the setting lasts.
    public var scope: SetScope
    /// Where the value stands.
    @NotCompared public var valueRange: SourceRange
}

/// How long a setting lasts.
public enum SetScope: String, Hashable, Sendable {
    case session = "SESSION"
    case local = "LOCAL"
}

/// `RESET name` or `RESET ALL`.
public enum ResetParameter: Hashable, Sendable {
    case parameter(Identifier)
    case all
}

/// `BEGIN`, `COMMIT`, `ROLLBACK` and their synonyms.
public enum TransactionStatement: Hashable, Sendable {
    /// The modes in capitals, such as `READ ONLY` or `ISOLATION LEVEL SERIALIZABLE`.
    case begin(modes: [String])
    case commit
    case rollback
    case savepoint(Identifier)
    case release(Identifier)
    case rollbackTo(Identifier)
    /// `SET [SESSION CHARACTERISTICS AS] TRANSACTION ...`.
    case setModes([String])
}

/// `PREPARE name (types) AS statement`.
public struct Prepare: Hashable, Sendable {
    /// The name, as written.
    public var name: Identifier
    /// The declared types of $1, $2 ...; empty when they are to be inferred.
    public var parameterTypes: [TypeName]
    /// The statement inside.
    public var statement: Statement
}

/// `EXECUTE name (arguments)`.
public struct Execute: Hashable, Sendable {
    /// The name, as written.
    public var name: Identifier
    /// The arguments in order.
    public var arguments: [Expression]
}

/// `CHECKPOINT [TO 'folder']`.
public struct Checkpoint: Hashable, Sendable {
    /// The folder that receives a consistent copy, nil for a plain checkpoint.
    public var folder: String?
}

/// `VACUUM [(options)] tables`.
public struct Vacuum: Hashable, Sendable {
    /// The options in the order written; empty without any.
    public var options: [Option]
    /// The tables that were named; empty for all.
    public var tables: [QualifiedName]
}

/// `ANALYZE [VERBOSE] tables`.
public struct Analyze: Hashable, Sendable {
    /// The options in the order written; empty without any.
    public var options: [Option]
    /// The tables that were named; empty for all.
    public var tables: [QualifiedName]
}
