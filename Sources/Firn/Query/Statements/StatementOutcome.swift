// SPDX-License-Identifier: Apache-2.0
//
// What a statement gives back, and what it may need from outside while it runs.

/// What running a statement gave.
enum StatementOutcome {
    /// Rows, computed as they are pulled.
    case rows(ResultStream)
    /// The command tag in PostgreSQL's form, such as `INSERT 0 40`. It acknowledges the change.
    case command(tag: String)
}

/// Something that a person should know although the statement went on.
public struct Notice: Sendable, Hashable {
    /// One line without a full stop.
    public var message: String
    /// A notice of one line.
    public init(_ message: String) { self.message = message }
}

/// What a statement may use beside the database: COPY's standard streams, notices and progress.
///
/// All closures are called on the thread that runs the statement.
public struct StatementEnvironment: Sendable {
    /// Gives the next piece of COPY … FROM STDIN, nil at its end. Nil where there is no such input.
    public var standardInput: (@Sendable () throws(FirnError) -> [UInt8]?)?
    /// Takes a piece of COPY … TO STDOUT. Nil where there is no such output.
    public var standardOutput: (@Sendable ([UInt8]) throws(FirnError) -> Void)?
    /// Takes notices; by default they are dropped.
    public var notice: @Sendable (Notice) -> Void = { _ in }
    /// Called now and then while COPY runs.
    public var progress: (@Sendable (CopyProgress) -> Void)?

    /// No streams, no progress; notices are dropped.
    public init() {}
}

/// How far a COPY has come.
public struct CopyProgress: Sendable, Hashable {
    /// Rows read or written so far.
    public var rowCount: Int
    /// Bytes of the file taken so far.
    public var byteCount: Int64
    /// Bytes of the file in all; nil where nobody knows.
    public var totalBytes: Int64?
}
