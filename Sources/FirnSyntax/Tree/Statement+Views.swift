// SPDX-License-Identifier: Apache-2.0
//
// Statements about views and functions.

/// `CREATE [OR REPLACE] [MATERIALIZED] VIEW name (columns) WITH (options) AS query WITH [NO] DATA`.
public struct CreateView: Hashable, Sendable {
    /// The name, as written.
    public var name: QualifiedName
    /// The column names that were listed; empty without a list.
    public var columns: [Identifier]
    /// `MATERIALIZED`.
    public var isMaterialized: Bool
    /// `OR REPLACE`.
    public var orReplace: Bool
    /// `IF NOT EXISTS`.
    public var ifNotExists: Bool
    /// `TEMPORARY` or `TEMP`.
    public var isTemporary: Bool
    /// `timescaledb.continuous` among them.
    public var options: [Option]
    /// The query.
    public var query: Query
    /// The query's own text, for the catalog.
    public var queryText: String
    /// false for `WITH NO DATA`, true for `WITH DATA`, nil when neither was written.
    public var withData: Bool?
}

/// `REFRESH MATERIALIZED VIEW [CONCURRENTLY] name WITH [NO] DATA`.
public struct RefreshMaterializedView: Hashable, Sendable {
    /// The name, as written.
    public var name: QualifiedName
    /// `CONCURRENTLY`.
    public var isConcurrent: Bool
    /// true for `WITH DATA`, false for `WITH NO DATA`, nil when neither was written.
    public var withData: Bool?
}

/// `CREATE [OR REPLACE] FUNCTION name(parameters) RETURNS ... AS body`.
public struct CreateFunction: Hashable, Sendable {
    /// Whether it is a procedure.
    public var isProcedure: Bool
    /// The name, as written.
    public var name: QualifiedName
    /// `OR REPLACE`.
    public var orReplace: Bool
    /// The parameters in order.
    public var parameters: [FunctionParameter]
    /// What it returns; nil when that follows from its OUT parameters.
    public var returns: FunctionResult?
    /// The language, folded to lower case; nil when none was written.
    public var language: Identifier?
    /// The text between the quotes of AS, decoded; empty for a `RETURN e` body.
    public var body: String
    /// Where `body` begins in the text when it was dollar-quoted and can thus be pointed into.
    @NotCompared public var bodyRange: SourceRange
    /// `RETURN e`, SQL's own body.
    public var returnExpression: Expression?
    /// IMMUTABLE, STRICT, SECURITY DEFINER ... in the order written, in lower case.
    public var attributes: [String]
}

/// A parameter of a function, a column of RETURNS TABLE, or of a column definition list.
public struct FunctionParameter: Hashable, Sendable {
    /// Whether it goes in or out.
    public var mode: ParameterMode
    /// The name, as written.
    public var name: Identifier?
    /// The type.
    public var type: TypeName
    /// `DEFAULT e`, nil without it.
    public var defaultValue: Expression?
}

/// Whether a parameter goes in or out.
public enum ParameterMode: String, Hashable, Sendable {
    case input = "IN"
    case output = "OUT"
    case inputOutput = "INOUT"
    case variadic = "VARIADIC"
}

/// What a function returns.
public enum FunctionResult: Hashable, Sendable {
    case type(TypeName)
    case setOf(TypeName)
    case table([FunctionParameter])
}
