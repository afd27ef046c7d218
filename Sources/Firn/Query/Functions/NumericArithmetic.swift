// SPDX-License-Identifier: Apache-2.0
//
// Exact decimals: + - * / % ^, signs, rounding, roots, powers and logarithms. The arithmetic and its result scales are
// those of Types/Decimal. Beside them the functions of whole numbers: gcd, lcm, factorial.

extension FunctionCatalogue {
    mutating func addNumericArithmetic() {
        addNumeric("+") { left, right throws(ValueError) in try left.adding(right) }
        addNumeric("-") { left, right throws(ValueError) in try left.subtracting(right) }
        addNumeric("*") { left, right throws(ValueError) in try left.multiplied(by: right) }
        addNumeric("/") { left, right throws(ValueError) in try left.divided(by: right) }
        addNumeric("%") { left, right throws(ValueError) in try left.remainder(dividingBy: right) }
        addFunction(
            "mod",
            overload: .numericPair { left, right throws(ValueError) in try left.remainder(dividingBy: right) })
        addFunction(
            "div",
            overload: .numericPair { left, right throws(ValueError) in
                let rest = try left.remainder(dividingBy: right)
                return try left.subtracting(rest).divided(by: right).rounded(toScale: 0)
            })
        addOperator("-", overload: .numeric { $0.negated })
        addOperator("+", overload: .numeric { $0 })
        addOperator("@", overload: .numeric { $0.absolute })
        addFunction("abs", overload: .numeric { $0.absolute })
        addFunction("ceil", "ceiling", overload: .numeric { $0.ceiling })
        addFunction("floor", overload: .numeric { $0.floor })
        addFunction("sign", overload: .numeric { Decimal(Int64($0.sign)) })
        addFunction("round", overload: .numeric { value throws(ValueError) in try value.rounded(toScale: 0) })
        addFunction("trunc", overload: .numeric { value throws(ValueError) in try value.truncated(toScale: 0) })
        addFunction("sqrt", overload: .numeric { value throws(ValueError) in try value.squareRoot() })
        addFunction("exp", overload: .numeric { value throws(ValueError) in try value.exponential() })
        addFunction("ln", overload: .numeric { value throws(ValueError) in try value.naturalLogarithm() })
        addFunction("log", "log10", overload: .numeric { value throws(ValueError) in try value.logarithm() })
        addFunction(
            "log", overload: .numericPair { base, value throws(ValueError) in try value.logarithm(base: base) })
        addNumeric("^") { base, exponent throws(ValueError) in try base.power(exponent) }
        addFunction(
            "power", "pow", overload: .numericPair { base, exponent throws(ValueError) in try base.power(exponent) })
        addFunction(
            "gcd", overload: .numericPair { left, right throws(ValueError) in try left.greatestCommonDivisor(right) })
        addFunction(
            "lcm", overload: .numericPair { left, right throws(ValueError) in try left.leastCommonMultiple(right) })
        addFunction("trim_scale", overload: .numeric { $0.normalized })
        addFunction(
            "min_scale",
            overload: FunctionOverload([.numeric], .integer, mayFail: false) { arguments, count, _ throws(FirnError) in
                .integers(arguments[0].decimals.map(count: count) { Int64($0.normalized.scale) }, .integer)
            })
        addFunction(
            "factorial",
            overload: FunctionOverload([.bigint], .numeric) { arguments, count, _ throws(FirnError) in
                .decimals(
                    try arguments[0].integers.tryMap(count: count) { value throws(FirnError) in
                        try raising { () throws(ValueError) in try Decimal.factorial(value) }
                    })
            })
        addFunction(
            "round",
            overload: .numericWithScale { value, scale throws(ValueError) in try value.rounded(toScale: scale) })
        addFunction(
            "trunc",
            overload: .numericWithScale { value, scale throws(ValueError) in try value.truncated(toScale: scale) })
        addFunction(
            "scale",
            overload: FunctionOverload([.numeric], .integer, mayFail: false) { arguments, count, _ throws(FirnError) in
                .integers(arguments[0].decimals.map(count: count) { Int64($0.scale) }, .integer)
            })
    }

    private mutating func addNumeric(
        _ symbol: String, _ body: @escaping @Sendable (Decimal, Decimal) throws(ValueError) -> Decimal
    ) {
        addOperator(symbol, overload: .numericPair(body))
    }
}

extension FunctionOverload {
    fileprivate static func numeric(
        _ body: @escaping @Sendable (Decimal) throws(ValueError) -> Decimal
    ) -> FunctionOverload {
        FunctionOverload([.numeric], .numeric) { arguments, count, _ throws(FirnError) in
            .decimals(
                try arguments[0].decimals.tryMap(count: count) { value throws(FirnError) in
                    try raising { () throws(ValueError) in try body(value) }
                })
        }
    }

    fileprivate static func numericPair(
        _ body: @escaping @Sendable (Decimal, Decimal) throws(ValueError) -> Decimal
    ) -> FunctionOverload {
        FunctionOverload([.numeric, .numeric], .numeric) { arguments, count, _ throws(FirnError) in
            .decimals(
                try tryCombine(arguments[0].decimals, arguments[1].decimals, count: count) {
                    left, right throws(FirnError) in
                    try raising { () throws(ValueError) in try body(left, right) }
                })
        }
    }

    /// A digit count beyond what a decimal can have counts as its limit.
    fileprivate static func numericWithScale(
        _ body: @escaping @Sendable (Decimal, Int) throws(ValueError) -> Decimal
    ) -> FunctionOverload {
        FunctionOverload([.numeric, .integer], .numeric) { arguments, count, _ throws(FirnError) in
            .decimals(
                try tryCombine(arguments[0].decimals, arguments[1].integers, count: count) {
                    value, digits throws(FirnError) in
                    let scale = Int(max(min(digits, Int64(Decimal.scaleMax)), -Int64(Decimal.scaleMax)))
                    return try raising { () throws(ValueError) in try body(value, scale) }
                })
        }
    }
}
