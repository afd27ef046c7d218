// SPDX-License-Identifier: Apache-2.0
//
// Durations and the few statistics that reports are made of.

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
    var milliseconds: Double { seconds * 1e3 }
    var microseconds: Double { seconds * 1e6 }
}

/// Measurements of one thing.
struct Sample {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    var count: Int { sorted.count }
    var median: Double { quantile(0.5) }
    var min: Double { sorted.first ?? .nan }
    var max: Double { sorted.last ?? .nan }

    /// The smallest measurement that at least this share of all does not exceed (nearest rank); NaN of none.
    func quantile(_ share: Double) -> Double {
        if sorted.isEmpty { return .nan }
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted[Swift.min(Swift.max(rank - 1, 0), sorted.count - 1)]
    }

    /// The sample as a member of a report, its unit in the name.
    func summary(_ unit: String) -> JSON {
        .object([
            "p50_\(unit)": .number(median), "p99_\(unit)": .number(quantile(0.99)), "max_\(unit)": .number(max),
            "count": .integer(count),
        ])
    }
}
