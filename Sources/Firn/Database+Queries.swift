// SPDX-License-Identifier: Apache-2.0
//
// The ways in which a program gives a statement and its parameters to a database: those of a session,
// which here is one that all its callers share.

extension Database {
    /// Runs a query and gives its rows, computed as they are read.
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42601 where `sql` is not one statement, or gives
    ///   no rows; 42P02 for a parameter without a value, 08P01 for a value that the statement does not use.
    public func query(_ sql: String) async throws -> QueryResult {
        try await defaultSession.query(sql, given: .none)
    }

    /// Runs a query and gives its rows, computed as they are read.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the values of $1, $2, …, as ``Value``s or as literals.
    ///
    ///         try await database.query("SELECT * FROM readings WHERE sensor = $1 AND value > $2", "s1", 21.5)
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42601 where `sql` is not one statement, or gives
    ///   no rows; 42P02 for a parameter without a value, 08P01 for a value that the statement does not use.
    public func query(_ sql: String, _ parameters: Value...) async throws -> QueryResult {
        try await defaultSession.query(sql, given: GivenParameters(parameters))
    }

    /// Runs a query and gives its rows, computed as they are read.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the values of $1, $2, …, as Swift values; nil is NULL.
    ///
    ///         try await database.query("SELECT * FROM readings WHERE sensor = $1 AND time >= $2", name, Timestamp(microseconds: start))
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42601 where `sql` is not one statement, or gives
    ///   no rows; 42P02 for a parameter without a value, 08P01 for a value that the statement does not use.
    public func query(_ sql: String, _ parameters: (any ValueConvertible)?...) async throws -> QueryResult {
        try await defaultSession.query(sql, given: GivenParameters(parameters))
    }

    /// Runs a query and gives its rows, computed as they are read.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the value of each $name, by that name without the dollar sign; case matters.
    ///
    ///         try await database.query("SELECT * FROM readings WHERE sensor = $sensor", ["sensor": name])
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42601 where `sql` is not one statement, or gives
    ///   no rows; 42P02 for a parameter without a value, 08P01 for a value that the statement does not use.
    public func query(_ sql: String, _ parameters: [String: (any ValueConvertible)?]) async throws -> QueryResult {
        try await defaultSession.query(sql, given: GivenParameters(parameters))
    }

    /// Runs a query and gives its rows, computed as they are read.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the values of $1, $2, ….
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42601 where `sql` is not one statement, or gives
    ///   no rows; 42P02 for a parameter without a value, 08P01 for a value that the statement does not use.
    public func query(_ sql: String, parameters: [Value]) async throws -> QueryResult {
        try await defaultSession.query(sql, given: GivenParameters(parameters))
    }

    /// Runs the statements of a script in order and gives the command tag of the last, such as `INSERT 0 40`; stops at the
    /// first error. Rows of a query are read and dropped.
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42P02 for a parameter without a value, 08P01 for a
    ///   value that no statement uses.
    @discardableResult
    public func execute(_ sql: String) async throws -> String {
        try await defaultSession.execute(sql, given: .none)
    }

    /// Runs the statements of a script in order and gives the command tag of the last, such as `INSERT 0 40`; stops at the
    /// first error. Rows of a query are read and dropped.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the values of $1, $2, …, as ``Value``s or as literals.
    ///
    ///         try await database.execute("INSERT INTO readings VALUES (now(), $1, $2)", "s1", 21.5)
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42P02 for a parameter without a value, 08P01 for a
    ///   value that no statement uses.
    @discardableResult
    public func execute(_ sql: String, _ parameters: Value...) async throws -> String {
        try await defaultSession.execute(sql, given: GivenParameters(parameters))
    }

    /// Runs the statements of a script in order and gives the command tag of the last, such as `INSERT 0 40`; stops at the
    /// first error. Rows of a query are read and dropped.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the values of $1, $2, …, as Swift values; nil is NULL.
    ///
    ///         try await database.execute("INSERT INTO readings VALUES ($1, $2, $3)", time, name, reading)
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42P02 for a parameter without a value, 08P01 for a
    ///   value that no statement uses.
    @discardableResult
    public func execute(_ sql: String, _ parameters: (any ValueConvertible)?...) async throws -> String {
        try await defaultSession.execute(sql, given: GivenParameters(parameters))
    }

    /// Runs the statements of a script in order and gives the command tag of the last, such as `INSERT 0 40`; stops at the
    /// first error. Rows of a query are read and dropped.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the value of each $name, by that name without the dollar sign; case matters.
    ///
    ///         try await database.execute("INSERT INTO readings VALUES (now(), $sensor, $value)", ["sensor": name, "value": 21.5])
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42P02 for a parameter without a value, 08P01 for a
    ///   value that no statement uses.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [String: (any ValueConvertible)?]) async throws -> String {
        try await defaultSession.execute(sql, given: GivenParameters(parameters))
    }

    /// Runs the statements of a script in order and gives the command tag of the last, such as `INSERT 0 40`; stops at the
    /// first error. Rows of a query are read and dropped.
    ///
    /// - Parameters:
    ///   - sql: the text.
    ///   - parameters: the values of $1, $2, ….
    ///
    /// - Throws: ``FirnError``; its position is a byte offset in `sql`. 42P02 for a parameter without a value, 08P01 for a
    ///   value that no statement uses.
    @discardableResult
    public func execute(_ sql: String, parameters: [Value]) async throws -> String {
        try await defaultSession.execute(sql, given: GivenParameters(parameters))
    }
}
