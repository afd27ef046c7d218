// SPDX-License-Identifier: Apache-2.0
//
// Foundation's Decimal as NUMERIC. Both hold some 38 digits; Foundation's reaches farther with zeros behind them.

public import Firn
public import Foundation

extension Firn.Decimal {
    /// The same number.
    ///
    /// - Throws: 22003 where it has more than 38 digits before or behind the point, or is not a number.
    public init(_ decimal: Foundation.Decimal) throws(FirnError) {
        let text = NSDecimalNumber(decimal: decimal).description(withLocale: Locale(identifier: "en_US_POSIX"))
        do {
            self = try Firn.Decimal(text: text)
        } catch {
            throw FirnError(
                .numericValueOutOfRange, "\(text) cannot be represented as numeric", detail: error.message)
        }
    }
}

extension Foundation.Decimal {
    /// The same number, without the zeros behind it; nil where Foundation cannot hold it.
    public init?(_ decimal: Firn.Decimal) {
        self.init(string: decimal.text, locale: Locale(identifier: "en_US_POSIX"))
        guard !isNaN else { return nil }
    }
}

extension Foundation.Decimal: ValueConvertible {
    /// NUMERIC; the text of a number that NUMERIC does not hold, so that the statement refuses it by name.
    public var sqlValue: Value {
        if let decimal = try? Firn.Decimal(self) { return .decimal(decimal) }
        return .text(NSDecimalNumber(decimal: self).description(withLocale: Locale(identifier: "en_US_POSIX")))
    }
    /// NUMERIC.
    public static var sqlType: DataType? { .numeric(precision: nil, scale: nil) }
}

extension Foundation.Decimal: RowValue {
    /// NUMERIC and the integer types.
    public static func read(_ value: Value, type: DataType) -> Foundation.Decimal? {
        Firn.Decimal.read(value, type: type).flatMap { Foundation.Decimal($0) }
    }
}
