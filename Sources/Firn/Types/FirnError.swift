// SPDX-License-Identifier: Apache-2.0
//
// The one error that Firn throws: a SQLSTATE code, what was wrong, where, and what to do.

import FirnSyntax

/// A five-character SQLSTATE code, as PostgreSQL assigns them.
public struct SQLState: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The five characters, for example `42703`.
    public let code: String
    /// A code of five characters.
    public init(_ code: String) { self.code = code }
    /// A code of five characters.
    public init(stringLiteral code: String) { self.code = code }
    /// The five characters.
    public var description: String { code }
}

extension SQLState {
    /// 42601: syntax error.
    public static let syntaxError: SQLState = "42601"
    /// 42703: undefined column.
    public static let undefinedColumn: SQLState = "42703"
    /// 42P01: undefined table.
    public static let undefinedTable: SQLState = "42P01"
    /// 42883: undefined function.
    public static let undefinedFunction: SQLState = "42883"
    /// 42704: undefined object.
    public static let undefinedObject: SQLState = "42704"
    /// 08P01: protocol violation.
    public static let protocolViolation: SQLState = "08P01"
    /// 42P02: undefined parameter.
    public static let undefinedParameter: SQLState = "42P02"
    /// 42P07: duplicate table.
    public static let duplicateTable: SQLState = "42P07"
    /// 42701: duplicate column.
    public static let duplicateColumn: SQLState = "42701"
    /// 42710: duplicate object.
    public static let duplicateObject: SQLState = "42710"
    /// 42702: ambiguous column.
    public static let ambiguousColumn: SQLState = "42702"
    /// 42803: grouping error.
    public static let groupingError: SQLState = "42803"
    /// 42P20: windowing error.
    public static let windowingError: SQLState = "42P20"
    /// 42804: datatype mismatch.
    public static let datatypeMismatch: SQLState = "42804"
    /// 42846: cannot coerce.
    public static let cannotCoerce: SQLState = "42846"
    /// 42P18: indeterminate datatype.
    public static let indeterminateDatatype: SQLState = "42P18"
    /// 42P10: invalid column reference.
    public static let invalidColumnReference: SQLState = "42P10"
    /// 42P16: invalid table definition.
    public static let invalidTableDefinition: SQLState = "42P16"
    /// 42809: wrong object type.
    public static let wrongObjectType: SQLState = "42809"
    /// 42622: name too long.
    public static let nameTooLong: SQLState = "42622"
    /// 42501: insufficient privilege.
    public static let insufficientPrivilege: SQLState = "42501"
    /// 0A000: feature not supported.
    public static let featureNotSupported: SQLState = "0A000"
    /// 23502: not null violation.
    public static let notNullViolation: SQLState = "23502"
    /// 23505: unique violation.
    public static let uniqueViolation: SQLState = "23505"
    /// 23514: check violation.
    public static let checkViolation: SQLState = "23514"
    /// 22001: string data right truncation.
    public static let stringDataRightTruncation: SQLState = "22001"
    /// 22003: numeric value out of range.
    public static let numericValueOutOfRange: SQLState = "22003"
    /// 22007: invalid datetime format.
    public static let invalidDatetimeFormat: SQLState = "22007"
    /// 22008: datetime field overflow.
    public static let datetimeFieldOverflow: SQLState = "22008"
    /// 22012: division by zero.
    public static let divisionByZero: SQLState = "22012"
    /// 22021: character not in repertoire.
    public static let characterNotInRepertoire: SQLState = "22021"
    /// 22023: invalid parameter value.
    public static let invalidParameterValue: SQLState = "22023"
    /// 22025: invalid escape sequence.
    public static let invalidEscapeSequence: SQLState = "22025"
    /// 22P02: invalid text representation.
    public static let invalidTextRepresentation: SQLState = "22P02"
    /// 22P04: bad copy file format.
    public static let badCopyFileFormat: SQLState = "22P04"
    /// 21000: cardinality violation.
    public static let cardinalityViolation: SQLState = "21000"
    /// 25006: read only transaction.
    public static let readOnlyTransaction: SQLState = "25006"
    /// 40003: outcome unknown.
    public static let outcomeUnknown: SQLState = "40003"
    /// 54000: program limit exceeded.
    public static let programLimitExceeded: SQLState = "54000"
    /// 54001: statement too complex.
    public static let statementTooComplex: SQLState = "54001"
    /// 54011: too many columns.
    public static let tooManyColumns: SQLState = "54011"
    /// 55000: object not in prerequisite state.
    public static let objectNotInPrerequisiteState: SQLState = "55000"
    /// 55006: object in use.
    public static let objectInUse: SQLState = "55006"
    /// 55P03: lock not available.
    public static let lockNotAvailable: SQLState = "55P03"
    /// 57014: query canceled.
    public static let queryCanceled: SQLState = "57014"
    /// 57P01: database closed.
    public static let databaseClosed: SQLState = "57P01"
    /// 53100: disk full.
    public static let diskFull: SQLState = "53100"
    /// 53200: out of memory.
    public static let outOfMemory: SQLState = "53200"
    /// 53300: busy.
    public static let busy: SQLState = "53300"
    /// 58030: I/O error.
    public static let ioError: SQLState = "58030"
    /// 58P01: undefined file.
    public static let undefinedFile: SQLState = "58P01"
    /// 58P02: duplicate file.
    public static let duplicateFile: SQLState = "58P02"
    /// XX001: data corrupted.
    public static let dataCorrupted: SQLState = "XX001"
    /// XX002: unsupported format.
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
        /// A line of a file, and the column where one field is meant.
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

    /// An error from its parts; what is nil is not known, or there is nothing to say.
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
            let (shown, caret) = FirnError.window(of: place.lineText, around: place.column - 1)
            let padding = String(shown.prefix(caret).map { $0 == "\t" ? "\t" : " " })
            let line = place.line &+ (firstLine &- 1)
            let column = place.line == 1 ? place.column &+ (firstColumn &- 1) : place.column
            text += "\n  \(String(shown))\n  \(padding)^ line \(line), column \(column)"
        }
        return text + notes
    }

    /// A line of source as it is shown, and the place in it: of a long one what lies around the place.
    private static func window(of line: String, around place: Int) -> (shown: [Character], place: Int) {
        let characters = Array(line)
        let countMax = 200
        guard characters.count > countMax else { return (characters, place) }
        let start = min(max(0, place - countMax / 2), characters.count - countMax)
        let before: [Character] = start > 0 ? ["…"] : []
        let after: [Character] = start + countMax < characters.count ? ["…"] : []
        return (before + characters[start..<start + countMax] + after, place - start + before.count)
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

    /// The error that a call throws which declares no type for it, though it has this one.
    init(thrown error: any Error) {
        self = error as? FirnError ?? FirnError(.ioError, "\(error)")
    }

    /// What a value's type found wrong with it; whoever knows the place adds it.
    public init(_ error: ValueError) {
        self.init(SQLState(error.code), error.message, detail: error.detail, hint: error.hint)
    }
}
