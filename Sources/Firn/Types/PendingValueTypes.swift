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
