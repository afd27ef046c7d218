// SPDX-License-Identifier: Apache-2.0
//
// The body of a PL/pgSQL function that only runs statements.

/// A parsed body: what stands between BEGIN and END. Ranges count from the start of the body's text.
public struct ProcedureBody: Hashable, Sendable {
    /// The statements in order.
    public var statements: [ProcedureStatement]
}

/// One statement of a body.
public enum ProcedureStatement: Hashable, Sendable {
    /// A SQL statement; the rows of a query are discarded.
    case sql(Statement)
    /// `PERFORM query`: runs it and discards its rows.
    case perform(Query)
    /// `RETURN QUERY query`: adds its rows to the result.
    case returnQuery(Query)
    /// `RETURN expression`.
    case returnValue(Expression)
    /// `RETURN`, which ends the function.
    case returnNothing
    /// `NULL`, which does nothing.
    case nothing
}
