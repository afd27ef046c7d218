// SPDX-License-Identifier: Apache-2.0
//
// A call of a function, aggregate or window function, with all that may follow its parentheses.

/// `name(arguments) FILTER (...) OVER (...)`.
public struct FunctionCall: Hashable, Sendable {
    /// The function's name, folded to lower case.
    public var name: QualifiedName
    /// The arguments in the order written.
    public var arguments: [FunctionArgument]
    /// `count(*)`.
    public var hasStar: Bool
    /// `count(DISTINCT x)`.
    public var isDistinct: Bool
    /// `VARIADIC` stood before the last argument.
    public var isVariadic: Bool
    /// `array_agg(x ORDER BY y)`.
    public var orderBy: [OrderItem]
    /// `percentile_cont(0.5) WITHIN GROUP (ORDER BY x)`; empty when absent.
    public var withinGroup: [OrderItem]
    /// `FILTER (WHERE condition)`.
    public var filter: Expression?
    /// `IGNORE NULLS`, `RESPECT NULLS`, or nil when neither was written.
    public var nullTreatment: NullTreatment?
    /// `OVER window`.
    public var over: WindowReference?

    /// Makes one from its parts.
    public init(
        name: QualifiedName, arguments: [FunctionArgument], hasStar: Bool = false, isDistinct: Bool = false,
        isVariadic: Bool = false, orderBy: [OrderItem] = [], withinGroup: [OrderItem] = [],
        filter: Expression? = nil, nullTreatment: NullTreatment? = nil, over: WindowReference? = nil
    ) {
        self.name = name
        self.arguments = arguments
        self.hasStar = hasStar
        self.isDistinct = isDistinct
        self.isVariadic = isVariadic
        self.orderBy = orderBy
        self.withinGroup = withinGroup
        self.filter = filter
        self.nullTreatment = nullTreatment
        self.over = over
    }
}

/// One argument of a call, with its name in `name => value` or `name := value`.
public struct FunctionArgument: Hashable, Sendable {
    /// The parameter's name, nil for a positional argument.
    public var name: Identifier?
    /// The value.
    public var value: Expression

    /// Makes one from its parts.
    public init(name: Identifier? = nil, value: Expression) {
        self.name = name
        self.value = value
    }
}

/// Whether a window function skips nulls.
public enum NullTreatment: String, Hashable, Sendable {
    case ignoreNulls = "IGNORE NULLS"
    case respectNulls = "RESPECT NULLS"
}

/// What follows `OVER`.
public indirect enum WindowReference: Hashable, Sendable {
    /// `OVER w`.
    case name(Identifier)
    /// `OVER (...)`.
    case specification(WindowSpecification)
}

/// The inside of a window's parentheses.
public struct WindowSpecification: Hashable, Sendable {
    /// The named window that this one refines.
    public var base: Identifier?
    /// PARTITION BY; empty without it.
    public var partitionBy: [Expression]
    /// ORDER BY; empty without it.
    public var orderBy: [OrderItem]
    /// nil stands for SQL's default: RANGE from UNBOUNDED PRECEDING to CURRENT ROW.
    public var frame: WindowFrame?
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// `ROWS BETWEEN start AND end EXCLUDE ...`.
public struct WindowFrame: Hashable, Sendable {
    /// What its offsets count.
    public var unit: FrameUnit
    /// Where it begins.
    public var start: FrameBound
    /// nil when only the start was written, which means CURRENT ROW.
    public var end: FrameBound?
    /// `EXCLUDE ...`, nil without it.
    public var exclusion: FrameExclusion?
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// What a frame counts in.
public enum FrameUnit: String, Hashable, Sendable {
    case rows = "ROWS"
    case range = "RANGE"
    case groups = "GROUPS"
}

/// An end of a frame.
public indirect enum FrameBound: Hashable, Sendable {
    case unboundedPreceding
    case preceding(Expression)
    case currentRow
    case following(Expression)
    case unboundedFollowing
}

/// What a frame leaves out.
public enum FrameExclusion: String, Hashable, Sendable {
    case currentRow = "CURRENT ROW"
    case group = "GROUP"
    case ties = "TIES"
    case noOthers = "NO OTHERS"
}

/// A window of the WINDOW clause.
public struct NamedWindow: Hashable, Sendable {
    /// The name, as written.
    public var name: Identifier
    /// What the name stands for.
    public var specification: WindowSpecification
}
