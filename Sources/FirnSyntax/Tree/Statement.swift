// SPDX-License-Identifier: Apache-2.0
//
// A statement: one of the kinds below. The binder decides which of them it can run.

/// One statement and its own text's place, without the closing semicolon.
public struct Statement: Hashable, Sendable {
    /// What it is.
    public var kind: Kind
    /// Where it stands, from its first to its last token.
    @NotCompared public var range: SourceRange

    /// The kinds of statements.
    public indirect enum Kind: Hashable, Sendable {
        // Queries and rows
        case query(Query)
        case insert(Insert)
        case update(Update)
        case delete(Delete)
        case copy(Copy)
        case truncate(Truncate)

        // Definitions
        case createTable(CreateTable)
        case createTableAs(CreateTableAs)
        case alterTable(AlterTable)
        case createView(CreateView)
        case createIndex(CreateIndex)
        case createSchema(CreateSchema)
        case createFunction(CreateFunction)
        case createUnsupported(CreateUnsupported)
        case drop(Drop)
        case refreshMaterializedView(RefreshMaterializedView)
        case comment(Comment)

        // Asking
        case explain(Explain)
        case show(Show)
        case describe(QualifiedName)
        case call(FunctionCall)

        // Session and transaction
        case set(SetParameter)
        case reset(ResetParameter)
        case transaction(TransactionStatement)
        case prepare(Prepare)
        case execute(Execute)
        /// nil for `DEALLOCATE ALL`.
        case deallocate(Identifier?)
        case discardAll

        // Upkeep
        case checkpoint(Checkpoint)
        case vacuum(Vacuum)
        case analyze(Analyze)
    }
}

/// `name = value` in WITH (...), SET (...), COPY's and EXPLAIN's lists.
public struct Option: Hashable, Sendable {
    /// The name, dotted where it was (`timescaledb.continuous`), folded unless quoted.
    public var name: String
    /// nil for a bare name, which means true.
    public var value: OptionValue?
    /// Where name and value stand.
    @NotCompared public var range: SourceRange
    /// Where the value stands, or the name when there is no value.
    @NotCompared public var valueRange: SourceRange
}

/// An option's value.
public enum OptionValue: Hashable, Sendable {
    /// A bare word, folded to lower case: `true`, `csv`, `off`.
    case word(String)
    /// A string constant.
    case string(String)
    /// A number as written, with its sign.
    case number(String)
    /// `(a, b)`, and a comma list in SET.
    case list([OptionValue])
    /// `*`.
    case star
    /// `INTERVAL '1 day'` and other typed constants or expressions.
    case expression(Expression)

    /// The text of a word, a string or a number; nil for the rest.
    public var text: String? {
        switch self {
        case .word(let text), .string(let text), .number(let text): text
        case .list, .star, .expression: nil
        }
    }
}
