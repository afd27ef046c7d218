// SPDX-License-Identifier: Apache-2.0
//
// The order of single values of one column: what sorting, statistics and pruning agree upon.
//
// Text and bytes by their bytes; doubles with NaN above all others and both zeros alike; decimals by their number,
// whatever the scale; intervals by their length with months of 30 days, as in PostgreSQL. NULL is not ordered here.

enum KeyOrder {
    /// True where the left value comes before the right one. Both must have the physical form of one column.
    static func isLess(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.boolean(let left), .boolean(let right)): return !left && right
        case (.integer(let left), .integer(let right)): return left < right
        case (.float(let left), .float(let right)): return left < right || (right.isNaN && !left.isNaN)
        case (.double(let left), .double(let right)): return left < right || (right.isNaN && !left.isNaN)
        case (.decimal(let left), .decimal(let right)): return left < right
        case (.text(let left), .text(let right)): return left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.bytes(let left), .bytes(let right)): return left.lexicographicallyPrecedes(right)
        case (.uuid(let left), .uuid(let right)): return left < right
        case (.interval(let left), .interval(let right)): return left < right
        case (.vector(let left), .vector(let right)): return left.lexicographicallyPrecedes(right)
        default: preconditionFailure("values of one column have one form")
        }
    }

    /// True for the one value that does not equal itself.
    static func isNaN(_ value: Value) -> Bool {
        switch value {
        case .float(let value): value.isNaN
        case .double(let value): value.isNaN
        default: false
        }
    }
}
