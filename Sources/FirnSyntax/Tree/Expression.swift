// SPDX-License-Identifier: Apache-2.0
//
// The expression tree.
//
// AND and OR are lists, so that a condition of a million terms is one level deep; every other chain
// is left-deep and its height is limited by the parser (SQLParser.treeHeightMax), so that whoever
// walks a tree may recurse. Special call syntax is normalised to plain calls: substring, position,
// overlay, trim (btrim, ltrim, rtrim); COALESCE, NULLIF, GREATEST and LEAST are plain calls too.

/// An expression and where it stands. Equality ignores places.
public struct Expression: Hashable, Sendable {
    /// What it is.
    public var kind: Kind
    /// Where it stands.
    @NotCompared public var range: SourceRange

    /// Makes one from its parts.
    public init(_ kind: Kind, range: SourceRange = .unknown) {
        self.kind = kind
        self.range = range
    }

    /// What an expression is.
    public indirect enum Kind: Hashable, Sendable {
        case null
        case boolean(Bool)
        /// An integer in decimal digits without sign or underscores; it may exceed any machine integer.
        case integer(String)
        /// A number with a fraction or an exponent, as written but without underscores.
        case decimal(String)
        /// A string constant of any quoting, already decoded.
        case string(String)
        /// `X'1F'` or `B'0101'`.
        case bitString(radix: BitStringRadix, digits: String)
        /// `INTERVAL '5 minutes'`, `DATE '2020-01-01'`, `vector '[1,2]'`.
        case typedLiteral(TypeName, String)
        /// `$1`, counted from 1.
        case parameter(Int)
        /// `a`, `t.a`, `schema.t.a`.
        case column(QualifiedName)
        /// `*` or `t.*`.
        case star(qualifier: QualifiedName?)
        /// `DEFAULT`, which only INSERT and UPDATE allow, as a whole value.
        case `default`

        case unary(UnaryOperator, Expression)
        case binary(BinaryOperator, Expression, Expression)
        case not(Expression)
        /// At least two terms.
        case and([Expression])
        /// At least two terms.
        case or([Expression])

        case isNull(Expression, isNegated: Bool)
        case isBoolean(Expression, BooleanTest, isNegated: Bool)
        case isDistinctFrom(Expression, Expression, isNegated: Bool)
        case between(Expression, low: Expression, high: Expression, isNegated: Bool, isSymmetric: Bool)
        case inList(Expression, [Expression], isNegated: Bool)
        case inQuery(Expression, Query, isNegated: Bool)
        case like(Expression, pattern: Expression, escape: Expression?, LikeKind, isNegated: Bool)
        case exists(Query)
        case scalarQuery(Query)
        /// `e = ANY (array)`, `e > ALL (array)`.
        case quantifiedArray(Expression, BinaryOperator, Quantifier, array: Expression)
        /// `e = ANY (SELECT ...)`.
        case quantifiedQuery(Expression, BinaryOperator, Quantifier, Query)

        case caseWhen(operand: Expression?, branches: [CaseBranch], otherwise: Expression?)
        /// `CAST(e AS type)` and `e::type`.
        case cast(Expression, TypeName)
        case functionCall(FunctionCall)
        /// `EXTRACT(field FROM e)`; the field is folded to lower case.
        case extract(field: Identifier, Expression)
        /// `CURRENT_TIMESTAMP(3)` and its kin, which are written without parentheses.
        case currentValue(CurrentValue, precision: Int?)
        /// `ARRAY[1, 2]`, and DuckDB's `[1, 2]`.
        case array([Expression])
        /// `ARRAY(SELECT ...)`.
        case arrayQuery(Query)
        /// `ROW(1, 2)` and `(1, 2)`.
        case row([Expression])
        /// `a[1]`, `a[1:2]`.
        case element(Expression, ArraySubscript)
        /// `(e).field`.
        case field(Expression, Identifier)
        case atTimeZone(Expression, zone: Expression)
        case collate(Expression, QualifiedName)
    }
}

/// `WHEN condition THEN result`.
public struct CaseBranch: Hashable, Sendable {
    /// The condition, or with an operand the value to compare with it.
    public var condition: Expression
    /// What the CASE yields when the condition holds.
    public var result: Expression
}

/// What stands in the brackets of `a[...]`.
public enum ArraySubscript: Hashable, Sendable {
    case index(Expression)
    case slice(lower: Expression?, upper: Expression?)
}

/// The digits of a bit string constant.
public enum BitStringRadix: String, Hashable, Sendable {
    case binary = "B"
    case hexadecimal = "X"
}

/// An operator before its operand.
public enum UnaryOperator: String, Hashable, Sendable, CaseIterable {
    case plus = "+"
    case minus = "-"
    case bitwiseNot = "~"
    case absolute = "@"
    case squareRoot = "|/"
    case cubeRoot = "||/"
}

/// An operator between two operands. The raw value is its SQL spelling.
public enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    /// DuckDB's integer division.
    case integerDivide = "//"
    case remainder = "%"
    case power = "^"
    case concatenate = "||"

    case equal = "="
    /// `<>` and `!=`.
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// Regular expressions.
    case matches = "~"
    case matchesIgnoringCase = "~*"
    case notMatches = "!~"
    case notMatchesIgnoringCase = "!~*"
    /// The operator spellings of LIKE.
    case like = "~~"
    case likeIgnoringCase = "~~*"
    case notLike = "!~~"
    case notLikeIgnoringCase = "!~~*"
    case startsWith = "^@"

    /// JSON.
    case jsonField = "->"
    case jsonFieldText = "->>"
    case jsonPath = "#>"
    case jsonPathText = "#>>"
    case jsonHasKey = "?"
    case jsonHasAnyKey = "?|"
    case jsonHasAllKeys = "?&"
    case jsonDeletePath = "#-"
    case jsonPathExists = "@?"
    case jsonPathMatches = "@@"
    case contains = "@>"
    case containedBy = "<@"
    case overlaps = "&&"

    /// Vector distances: Euclidean, cosine, negative inner product, taxicab.
    case euclideanDistance = "<->"
    case cosineDistance = "<=>"
    case negativeInnerProduct = "<#>"
    case taxicabDistance = "<+>"

    case bitwiseAnd = "&"
    case bitwiseOr = "|"
    case bitwiseXor = "#"
    case shiftLeft = "<<"
    case shiftRight = ">>"
}

/// What `IS` may ask of a Boolean.
public enum BooleanTest: String, Hashable, Sendable {
    case isTrue = "true"
    case isFalse = "false"
    case isUnknown = "unknown"
}

/// The family of pattern matches that share LIKE's syntax.
public enum LikeKind: String, Hashable, Sendable {
    case like = "LIKE"
    case likeIgnoringCase = "ILIKE"
    case similarTo = "SIMILAR TO"
}

/// `ANY` (and its synonym `SOME`) or `ALL`.
public enum Quantifier: String, Hashable, Sendable {
    case any = "ANY"
    case all = "ALL"
}

/// A value that SQL writes as a bare word.
public enum CurrentValue: String, Hashable, Sendable, CaseIterable {
    case currentDate = "current_date"
    case currentTime = "current_time"
    case currentTimestamp = "current_timestamp"
    case localTime = "localtime"
    case localTimestamp = "localtimestamp"
    case currentUser = "current_user"
    case sessionUser = "session_user"
    case user = "user"
    case currentRole = "current_role"
    case currentCatalog = "current_catalog"
    case currentSchema = "current_schema"
}
