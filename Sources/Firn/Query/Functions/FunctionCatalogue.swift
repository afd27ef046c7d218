// SPDX-License-Identifier: Apache-2.0
//
// The scalar functions and operators by name, each with its overloads. Every topic adds its own from a file
// beside this one; the binder picks an overload by PostgreSQL's rules (OverloadResolution.swift).

/// One declaration of a function or operator.
struct FunctionOverload: Sendable {
    typealias Body =
        @Sendable (_ arguments: [Vector], _ rowCount: Int, _ context: EvaluationContext) throws(FirnError) -> Vector

    enum Parameter: Hashable, Sendable {
        case family(TypeFamily)
        /// Takes every type as it is.
        case any
    }

    enum Result: Sendable {
        case type(DataType)
        /// The type of an argument, with its unit.
        case sameAs(Int)
    }

    var parameters: [Parameter]
    /// For `name => value`; empty where arguments are positional only.
    var parameterNames: [String] = []
    /// What parameters get that were not given: one for each parameter, or none at all.
    var defaults: [Value] = []
    /// How many arguments must be given where there are defaults.
    var requiredCount = 0
    /// Arguments from this one on may be NULL without the result being it; nil where there are none.
    var nullableFrom: Int?
    /// The last parameter takes one argument or more.
    var isVariadic = false
    var result: Result
    var volatility = ScalarFunction.Volatility.immutable
    var nulls = ScalarFunction.NullHandling.neverSeen
    var mayFail = true
    /// Takes times in nanoseconds as they are; others get them in microseconds.
    var keepsUnits = false
    /// Which one it is among the candidates of a call with named arguments.
    var number = 0
    var body: Body
}

/// Functions and operators by name.
struct FunctionCatalogue: Sendable {
    private(set) var functions: [String: [FunctionOverload]] = [:]
    private(set) var operators: [String: [FunctionOverload]] = [:]

    /// All that Firn knows.
    static let standard: FunctionCatalogue = {
        var catalogue = FunctionCatalogue()
        catalogue.addArithmetic()
        catalogue.addNumericArithmetic()
        catalogue.addMathFunctions()
        catalogue.addTextFunctions()
        catalogue.addLike()
        catalogue.addTimeArithmetic()
        catalogue.addTimeBuckets()
        catalogue.addTimeFunctions()
        catalogue.addChunkFunctions()
        return catalogue
    }()

    mutating func addFunction(_ names: String..., overload: FunctionOverload) {
        for name in names { functions[name, default: []].append(overload) }
    }

    mutating func addOperator(_ name: String, overload: FunctionOverload) {
        operators[name, default: []].append(overload)
    }
}

extension FunctionOverload {
    /// An overload whose parameters have fixed types.
    init(
        _ parameters: [TypeFamily], _ result: DataType, volatility: ScalarFunction.Volatility = .immutable,
        nulls: ScalarFunction.NullHandling = .neverSeen, mayFail: Bool = true, body: @escaping Body
    ) {
        self.init(
            parameters: parameters.map { .family($0) }, result: .type(result), volatility: volatility, nulls: nulls,
            mayFail: mayFail, body: body)
    }

    /// An overload that keeps the unit of its times.
    init(
        _ parameters: [TypeFamily], sameAs argument: Int, volatility: ScalarFunction.Volatility = .immutable,
        nulls: ScalarFunction.NullHandling = .neverSeen, mayFail: Bool = true, body: @escaping Body
    ) {
        self.init(
            parameters: parameters.map { .family($0) }, result: .sameAs(argument), volatility: volatility,
            nulls: nulls, mayFail: mayFail, keepsUnits: true, body: body)
    }

    /// With names by which the arguments may be given.
    func named(_ names: String...) -> FunctionOverload {
        precondition(names.count == parameters.count, "a name for each parameter")
        var copy = self
        copy.parameterNames = names
        return copy
    }

    /// The function for arguments of the given types, which fit the parameters.
    func function(named name: String, for types: [DataType]) -> ScalarFunction {
        let resultType: DataType =
            switch result {
            case .type(let type): type
            case .sameAs(let argument): types[argument]
            }
        return ScalarFunction(
            name: name, argumentTypes: types, resultType: resultType, volatility: volatility, nulls: nulls,
            mayFail: mayFail, nullableFrom: nullableFrom, evaluate: body)
    }
}
