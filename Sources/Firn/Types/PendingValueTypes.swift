// SPDX-License-Identifier: Apache-2.0
//
// Stand-ins until Interval.swift and Decimal.swift land; whoever lands them deletes this file.

public struct Interval: Sendable, Hashable {
    public var months: Int32
    public var days: Int32
    public var microseconds: Int64
    public init(months: Int32, days: Int32, microseconds: Int64) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }
}

public struct Decimal: Sendable, Hashable {
    public var coefficient: Int128
    public var scale: UInt8
    public init(coefficient: Int128, scale: UInt8) {
        self.coefficient = coefficient
        self.scale = scale
    }
}

struct TimeZoneRules: Sendable {}

extension Interval: Comparable {
    public static func < (left: Interval, right: Interval) -> Bool { left.span < right.span }
    private var span: Int128 { (Int128(months) * 30 + Int128(days)) * 86_400_000_000 + Int128(microseconds) }
}

extension Decimal: Comparable {
    public static func < (left: Decimal, right: Decimal) -> Bool {
        left.coefficient * powerOfTen(right.scale) < right.coefficient * powerOfTen(left.scale)
    }
    private static func powerOfTen(_ exponent: UInt8) -> Int128 { (0..<exponent).reduce(1) { power, _ in power * 10 } }
}
