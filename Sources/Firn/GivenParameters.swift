// SPDX-License-Identifier: Apache-2.0
//
// The values that a program gives for the parameters of its statements, matched with those that the statements use:
// none may be missing, and none left over, for a value that nothing asks for is a mistake somewhere.

import FirnSyntax

/// Values for $1, $2, … or for $name.
enum GivenParameters: Sendable {
    case positional([BoundParameter])
    case named([String: BoundParameter])

    static let none = GivenParameters.positional([])

    init(_ values: [Value]) { self = .positional(values.map { BoundParameter($0) }) }

    init(_ values: [(any ValueConvertible)?]) { self = .positional(values.map(BoundParameter.init(converting:))) }

    init(_ values: [String: (any ValueConvertible)?]) {
        self = .named(values.mapValues(BoundParameter.init(converting:)))
    }

    /// The values by number, as the binder takes them.
    ///
    /// Throws 42P02 for a parameter without a value, 08P01 for a value without a parameter, 42P18 for a number that
    /// a higher one skips.
    func matched(with used: StatementParameters) throws(FirnError) -> [BoundParameter] {
        switch self {
        case .positional(let values):
            if let name = used.names.first {
                throw missing("$\(name)", at: used.nameOffsets[0], hint: "Give its value by name: [\"\(name)\": …].")
            }
            let needed = used.numbers.max() ?? 0
            if values.count > needed {
                throw FirnError(
                    .protocolViolation, "\(values.count) parameters are given, but the statement uses \(needed)",
                    hint: "Parameters are $1, $2, … in the text; a name in quotes is not one.")
            }
            // What is missing is named by the binder, with its place.
            for number in 1..<max(values.count, 1) where !used.numbers.contains(number) {
                throw FirnError(
                    .indeterminateDatatype, "could not determine data type of parameter $\(number)",
                    detail: "The statement does not use it.")
            }
            return values
        case .named(let values):
            if let number = used.numbers.min() {
                throw FirnError(
                    .undefinedParameter, "there is no parameter $\(number)",
                    hint: "The values are given by name: write $name in the text.")
            }
            for name in values.keys.sorted() where !used.names.contains(name) {
                throw FirnError(
                    .protocolViolation, "a value is given for $\(name), but the statement does not use it",
                    hint: Suggestion.hint(for: name, among: used.names))
            }
            return try used.names.indices.map { index throws(FirnError) in
                let name = used.names[index]
                guard let value = values[name] else {
                    throw missing(
                        "$\(name)", at: used.nameOffsets[index],
                        hint: Suggestion.hint(for: name, among: values.keys.sorted()))
                }
                return value
            }
        }
    }

    private func missing(_ spelling: String, at byteOffset: Int, hint: String?) -> FirnError {
        FirnError(.undefinedParameter, "there is no parameter \(spelling)", hint: hint, position: byteOffset)
    }
}

extension BoundParameter {
    fileprivate init(converting value: (any ValueConvertible)?) {
        self.init(value?.sqlValue ?? .null, type: value.flatMap { Swift.type(of: $0).sqlType })
    }
}
