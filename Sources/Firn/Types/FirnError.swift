// SPDX-License-Identifier: Apache-2.0
//
// The one error that Firn throws: a SQLSTATE code, what was wrong, where, and what to do.

import FirnSyntax

/// A five-character SQLSTATE code, as PostgreSQL assigns them.
public struct SQLState: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The five characters, for example `42703`.
    public let code: String
    public init(_ code: String) { self.code = code }
    public init(stringLiteral code: String) { self.code = code }
    /// The five characters.
    public var description: String { code }
}

extension SQLState {
    public static let syntaxError: SQLState = "42601"
    public static let undefinedColumn: SQLState = "42703"
    public static let undefinedTable: SQLState = "42P01"
    public static let undefinedFunction: SQLState = "42883"
    public static let undefinedObject: SQLState = "42704"
    public static let undefinedParameter: SQLState = "42P02"
    public static let duplicateTable: SQLState = "42P07"
    public static let duplicateColumn: SQLState = "42701"
    public static let duplicateObject: SQLState = "42710"
    public static let ambiguousColumn: SQLState = "42702"
    public static let groupingError: SQLState = "42803"
    public static let windowingError: SQLState = "42P20"
    public static let datatypeMismatch: SQLState = "42804"
    public static let cannotCoerce: SQLState = "42846"
    public static let indeterminateDatatype: SQLState = "42P18"
    public static let invalidColumnReference: SQLState = "42P10"
    public static let invalidTableDefinition: SQLState = "42P16"
    public static let wrongObjectType: SQLState = "42809"
    public static let nameTooLong: SQLState = "42622"
    public static let insufficientPrivilege: SQLState = "42501"
    public static let featureNotSupported: SQLState = "0A000"
    public static let notNullViolation: SQLState = "23502"
    public static let uniqueViolation: SQLState = "23505"
    public static let checkViolation: SQLState = "23514"
    public static let stringDataRightTruncation: SQLState = "22001"
    public static let numericValueOutOfRange: SQLState = "22003"
    public static let invalidDatetimeFormat: SQLState = "22007"
    public static let datetimeFieldOverflow: SQLState = "22008"
    public static let divisionByZero: SQLState = "22012"
    public static let characterNotInRepertoire: SQLState = "22021"
    public static let invalidParameterValue: SQLState = "22023"
    public static let invalidEscapeSequence: SQLState = "22025"
    public static let invalidTextRepresentation: SQLState = "22P02"
    public static let badCopyFileFormat: SQLState = "22P04"
    public static let cardinalityViolation: SQLState = "21000"
    public static let readOnlyTransaction: SQLState = "25006"
    public static let outcomeUnknown: SQLState = "40003"
    public static let programLimitExceeded: SQLState = "54000"
    public static let statementTooComplex: SQLState = "54001"
    public static let tooManyColumns: SQLState = "54011"
    public static let objectNotInPrerequisiteState: SQLState = "55000"
    public static let objectInUse: SQLState = "55006"
    public static let lockNotAvailable: SQLState = "55P03"
    public static let queryCanceled: SQLState = "57014"
    public static let databaseClosed: SQLState = "57P01"
    public static let diskFull: SQLState = "53100"
    public static let outOfMemory: SQLState = "53200"
    public static let busy: SQLState = "53300"
    public static let ioError: SQLState = "58030"
    public static let undefinedFile: SQLState = "58P01"
    public static let duplicateFile: SQLState = "58P02"
    public static let dataCorrupted: SQLState = "XX001"
    public static let unsupportedFormat: SQLState = "XX002"
}

/// An operating error: bad input, a limit, the disk, or damage. Programmer errors are preconditions instead.
///
/// `description` is what a person reads: message and code on the first line, then detail and hint.
public struct FirnError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A place in a text file that is being read.
    public struct FileLocation: Hashable, Sendable {
        /// The path as the user gave it.
        public var file: String
        /// 1-based line number.
        public var line: Int
        /// The column's name, where one field was wrong.
        public var column: String?
        public init(file: String, line: Int, column: String? = nil) {
            self.file = file
            self.line = line
            self.column = column
        }
    }

    /// The SQLSTATE code, as PostgreSQL would give it.
    public var code: SQLState
    /// What was wrong, in one line, without a full stop.
    public var message: String
    /// More about what was wrong.
    public var detail: String?
    /// What to do about it.
    public var hint: String?
    /// UTF-8 byte offset into the statement's source text, for errors in SQL.
    public var position: Int?
    /// The place in an input file, for errors in files.
    public var location: FileLocation?

    public init(
        _ code: SQLState, _ message: String, detail: String? = nil, hint: String? = nil, position: Int? = nil,
        location: FileLocation? = nil
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.hint = hint
        self.position = position
        self.location = location
    }

    /// The first line: `FILE:LINE: column "c": MESSAGE (CODE)`; the parts that are not known are left out. It is one
    /// line whatever the values in the message hold: control characters are shown as `\n`, `\u001B`.
    public var headline: String {
        var text = ""
        if let location {
            text += "\(location.file):\(location.line): "
            if let column = location.column { text += "column \"\(column)\": " }
        }
        return ControlCharacters.escaped(text + "\(message) (\(code))")
    }

    /// The headline, then detail and hint on lines of their own.
    public var description: String { headline + notes }

    /// The error as it is shown beside the SQL that caused it: the source line and a caret under the place.
    ///
    /// - Parameters:
    ///   - source: the text of which `position` is a byte offset.
    ///   - firstLine: number of the line on which `source` begins, where it is part of a larger text.
    ///   - firstColumn: number of the column at which it begins there.
    public func rendered(in source: String, firstLine: Int = 1, firstColumn: Int = 1) -> String {
        var text = "error: \(headline)"
        if let position {
            let place = SourceLocation(of: SourcePosition(byteOffset: position), in: source)
            let padding = String(place.lineText.prefix(place.column - 1).map { $0 == "\t" ? "\t" : " " })
            let line = place.line + firstLine - 1
            let column = place.line == 1 ? place.column + firstColumn - 1 : place.column
            text += "\n  \(place.lineText)\n  \(padding)^ line \(line), column \(column)"
        }
        return text + notes
    }

    private var notes: String {
        (detail.map { "\n  detail: \(ControlCharacters.escaped($0))" } ?? "")
            + (hint.map { "\n  hint: \(ControlCharacters.escaped($0))" } ?? "")
    }

    /// The same error with a position in SQL, unless it has one already.
    func at(_ position: Int) -> FirnError {
        var copy = self
        if copy.position == nil { copy.position = position }
        return copy
    }
}

extension FirnError {
    /// What the parser found wrong.
    init(_ error: SyntaxError) {
        self.init(
            SQLState(error.code), error.message, hint: error.hint, position: error.range.start.byteOffset)
    }

    /// What a value's type found wrong with it; whoever knows the place adds it.
    init(_ error: ValueError) {
        self.init(SQLState(error.code), error.message, detail: error.detail, hint: error.hint)
    }
}
