// SPDX-License-Identifier: Apache-2.0
//
// Functions of text. Text stays UTF-8 bytes; a character is a Unicode scalar, as in PostgreSQL, found by the bytes
// that do not continue one. Case is changed scalar by scalar, by Unicode's simple mappings of one to one.

extension FunctionCatalogue {
    mutating func addTextFunctions() {
        addFunction("length", "char_length", "character_length", overload: .textToInteger { characterCount($0) })
        addFunction("octet_length", overload: .textToInteger { $0.count })
        addFunction("bit_length", overload: .textToInteger { $0.count * 8 })
        addFunction("bit_length", overload: .length(of: .bytea, times: 8))
        addFunction("octet_length", overload: .length(of: .bytea))
        // CHAR(n) with its blanks.
        addFunction("octet_length", overload: .length(of: .character))
        addFunction("length", overload: .length(of: .bytea))
        addFunction("ascii", overload: .textToInteger { Int(Array($0).scalars.first?.value ?? 0) })
        addFunction("lower", overload: .text { appendMapped($0, to: &$1, ASCII.lowercased) { $0.lowercasedText } })
        addFunction("upper", overload: .text { appendMapped($0, to: &$1, ASCII.uppercased) { $0.uppercasedText } })
        addFunction("initcap", overload: .text { $1.append(contentsOf: Array($0).capitalizedText) })
        addFunction("reverse", overload: .text { $1.append(contentsOf: Array($0).reversedText) })
        addTrimming()
        addFunction("left", overload: .textAndInteger { text, count throws(FirnError) in text.leading(count) })
        addFunction("right", overload: .textAndInteger { text, count throws(FirnError) in text.trailing(count) })
        addFunction(
            "repeat",
            overload: FunctionOverload([.text, .integer], .text) { arguments, count, context throws(FirnError) in
                let (inputs, numbers) = (arguments[0].texts, arguments[1].integers)
                return .texts(
                    try texts(count, context) { row throws(FirnError) in
                        let byteCount = inputs[row].count.multipliedReportingOverflow(by: max(Int(numbers[row]), 0))
                        try TextBlock.checkValue(
                            byteCount.overflow ? .max : byteCount.partialValue, memoryBytesMax: context.memoryBytesMax)
                        return repeated(inputs[row], byteCount: byteCount.partialValue)
                    })
            })
        addSubstrings()
        addOverlay()
        addPadding()
        addConcatenation()
        addFunction(
            "chr",
            overload: FunctionOverload([.integer], .text) { arguments, count, context throws(FirnError) in
                .texts(
                    try texts(count, context) { row throws(FirnError) in try character(arguments[0].integers[row]) })
            })
        for family in [TypeFamily.integer, .bigint] {
            addFunction(
                "to_hex",
                overload: FunctionOverload([family], .text, mayFail: false) {
                    arguments, count, context throws(FirnError) in
                    .texts(
                        try texts(count, context) { row throws(FirnError) in
                            let value = arguments[0].integers[row]
                            let bits =
                                family == .integer
                                ? UInt64(UInt32(truncatingIfNeeded: value)) : UInt64(bitPattern: value)
                            return Array(String(bits, radix: 16).utf8)
                        })
                })
        }
    }

    private mutating func addTrimming() {
        for (name, sides) in [
            ("btrim", TrimmedSides.both), ("ltrim", .leading), ("rtrim", .trailing),
        ] {
            addFunction(
                name, overload: .text { $1.append(contentsOf: Array($0).trimmed(sides, of: [UInt8(ascii: " ")])) })
            addFunction(
                name,
                overload: FunctionOverload([.text, .text], .text, mayFail: false) {
                    arguments, count, context throws(FirnError) in
                    let (texts, sets) = (arguments[0].texts, arguments[1].texts)
                    return .texts(
                        try Firn.texts(count, context) { row throws(FirnError) in
                            Array(texts[row]).trimmed(sides, of: Array(sets[row]))
                        })
                })
        }
    }

    private mutating func addSubstrings() {
        for name in ["substring", "substr"] {
            addFunction(
                name,
                overload: .textAndInteger { text, start throws(FirnError) in
                    try text.substring(from: start, count: nil)
                })
            addFunction(
                name,
                overload: FunctionOverload([.text, .integer, .integer], .text) {
                    arguments, count, context throws(FirnError) in
                    let (inputs, starts, counts) = (arguments[0].texts, arguments[1].integers, arguments[2].integers)
                    return .texts(
                        try texts(count, context) { row throws(FirnError) in
                            try Array(inputs[row]).substring(from: Int(starts[row]), count: Int(counts[row]))
                        })
                })
        }
        addFunction(
            "strpos", "position",
            overload: FunctionOverload([.text, .text], .integer, mayFail: false) {
                arguments, count, _ throws(FirnError) in
                let (inputs, needles) = (arguments[0].texts, arguments[1].texts)
                return .integers(
                    (0..<count).map { Int64(Array(inputs[$0]).characterPosition(of: Array(needles[$0]))) }, .integer)
            })
        let startsWith = FunctionOverload([.text, .text], .boolean, mayFail: false) {
            arguments, count, _ throws(FirnError) in
            let (inputs, prefixes) = (arguments[0].texts, arguments[1].texts)
            return .booleans((0..<count).map { inputs[$0].starts(with: prefixes[$0]) })
        }
        addFunction("starts_with", overload: startsWith)
        addOperator("^@", overload: startsWith)
        addFunction(
            "replace",
            overload: FunctionOverload([.text, .text, .text], .text) { arguments, count, context throws(FirnError) in
                let (inputs, olds, news) = (arguments[0].texts, arguments[1].texts, arguments[2].texts)
                return .texts(
                    try texts(count, context) { row throws(FirnError) in
                        try Array(inputs[row]).replacing(Array(olds[row]), with: Array(news[row]))
                    })
            })
        addFunction(
            "translate",
            overload: FunctionOverload([.text, .text, .text], .text) { arguments, count, context throws(FirnError) in
                let (inputs, olds, news) = (arguments[0].texts, arguments[1].texts, arguments[2].texts)
                return .texts(
                    try texts(count, context) { row throws(FirnError) in
                        Array(inputs[row]).translated(Array(olds[row]), to: Array(news[row]))
                    })
            })
        addFunction(
            "split_part",
            overload: FunctionOverload([.text, .text, .integer], .text) { arguments, count, context throws(FirnError) in
                let (inputs, separators, fields) = (arguments[0].texts, arguments[1].texts, arguments[2].integers)
                return .texts(
                    try texts(count, context) { row throws(FirnError) in
                        try Array(inputs[row]).part(Int(fields[row]), separatedBy: Array(separators[row]))
                    })
            })
    }

    /// overlay(text, new, from, for): what stands in its place goes, the new text comes.
    private mutating func addOverlay() {
        for parameters: [TypeFamily] in [[.text, .text, .integer], [.text, .text, .integer, .integer]] {
            addFunction(
                "overlay",
                overload: FunctionOverload(parameters, .text) { arguments, count, context throws(FirnError) in
                    let (inputs, news, starts) = (arguments[0].texts, arguments[1].texts, arguments[2].integers)
                    return .texts(
                        try texts(count, context) { row throws(FirnError) in
                            let (text, new) = (Array(inputs[row]), Array(news[row]))
                            let start = Int(starts[row])
                            let length = arguments.count > 3 ? Int(arguments[3].integers[row]) : new.characterCount
                            guard start > 0 else {
                                throw FirnError(SQLState("22011"), "negative substring length not allowed")
                            }
                            guard let end = Int32(exactly: start + length) else {
                                throw FirnError(.numericValueOutOfRange, "integer out of range")
                            }
                            let before = try text.substring(from: 1, count: start - 1)
                            return before + new + (try text.substring(from: Int(end), count: nil))
                        })
                })
        }
    }

    private mutating func addPadding() {
        for (name, isLeading) in [("lpad", true), ("rpad", false)] {
            addFunction(
                name,
                overload: .textAndInteger { text, count throws(FirnError) in
                    try text.padded(to: count, with: [UInt8(ascii: " ")], isLeading: isLeading)
                })
            addFunction(
                name,
                overload: FunctionOverload([.text, .integer, .text], .text) {
                    arguments, count, context throws(FirnError) in
                    let (inputs, counts, fills) = (arguments[0].texts, arguments[1].integers, arguments[2].texts)
                    return .texts(
                        try texts(count, context) { row throws(FirnError) in
                            try Array(inputs[row]).padded(
                                to: Int(counts[row]), with: Array(fills[row]), isLeading: isLeading)
                        })
                })
        }
    }

    private mutating func addConcatenation() {
        for parameters: [FunctionOverload.Parameter] in [
            [.family(.text), .family(.text)], [.family(.text), .any], [.any, .family(.text)],
        ] {
            addOperator(
                "||",
                overload: FunctionOverload(parameters: parameters, result: .type(.text)) {
                    arguments, count, context throws(FirnError) in
                    let left = try CastEvaluator.cast(arguments[0], to: .text, rowCount: count, context).texts
                    let right = try CastEvaluator.cast(arguments[1], to: .text, rowCount: count, context).texts
                    var joined = TextBlock(rowCount: count, context)
                    for row in 0..<count {
                        try TextBlock.checkValue(
                            left[row].count + right[row].count, memoryBytesMax: context.memoryBytesMax)
                        try joined.append { output throws(FirnError) in
                            output.append(contentsOf: left[row])
                            output.append(contentsOf: right[row])
                        }
                    }
                    return .texts(joined.values)
                })
        }
        addOperator(
            "||",
            overload: FunctionOverload([.bytea, .bytea], .bytea) {
                arguments, count, context throws(FirnError) in
                let (left, right) = (arguments[0].texts, arguments[1].texts)
                return .texts(
                    try texts(count, context) { row throws(FirnError) in Array(left[row]) + Array(right[row]) }, .bytea)
            })
        // NULL arguments are left out.
        addFunction(
            "concat",
            overload: FunctionOverload(
                parameters: [.any], isVariadic: true, result: .type(.text), nulls: .handled
            ) { arguments, count, context throws(FirnError) in
                let writers = arguments.map { ValueText(type: $0.type, zone: context.timeZone) }
                return .texts(
                    try texts(count, context) { row throws(FirnError) in
                        var output: [UInt8] = []
                        for (argument, writer) in zip(arguments, writers) {
                            let value = argument.row(row)
                            if !value.isNull { writer.append(value, to: &output) }
                            try TextBlock.checkValue(output.count, memoryBytesMax: context.memoryBytesMax)
                        }
                        return output
                    })
            })
        addFunction(
            "concat_ws",
            overload: FunctionOverload(
                parameters: [.family(.text), .any], isVariadic: true, result: .type(.text), nulls: .handled
            ) { arguments, count, context throws(FirnError) in
                let writers = arguments.map { ValueText(type: $0.type, zone: context.timeZone) }
                var block = TextBlock(rowCount: count, context)
                var isPresent = [Bool](repeating: true, count: count)
                for row in 0..<count {
                    var output: [UInt8] = []
                    guard case .text(let separator) = arguments[0].row(row) else {
                        isPresent[row] = false
                        try block.append(contentsOf: output)
                        continue
                    }
                    var isFirst = true
                    for (argument, writer) in zip(arguments, writers).dropFirst() {
                        let value = argument.row(row)
                        if value.isNull { continue }
                        if !isFirst { output.append(contentsOf: separator.utf8) }
                        isFirst = false
                        writer.append(value, to: &output)
                        try TextBlock.checkValue(output.count, memoryBytesMax: context.memoryBytesMax)
                    }
                    try block.append(contentsOf: output)
                }
                return .column(
                    Column(type: .text, values: .bytes(block.values), validity: bitmap(count: count) { isPresent[$0] }))
            })
    }
}

/// A text over and over, until it has so many bytes.
private func repeated(_ text: ArraySlice<UInt8>, byteCount: Int) -> [UInt8] {
    if byteCount == 0 { return [] }
    return [UInt8](unsafeUninitializedCapacity: byteCount) { target, initialized in
        let start = target.baseAddress!
        text.withUnsafeBufferPointer { start.initialize(from: $0.baseAddress!, count: $0.count) }
        var filled = text.count
        // What is there is copied behind itself, twice as much each time.
        while filled < byteCount {
            let added = min(filled, byteCount - filled)
            (start + filled).initialize(from: start, count: added)
            filled += added
        }
        initialized = byteCount
    }
}

/// A text for each row.
func texts(
    _ count: Int, _ context: EvaluationContext, _ body: (Int) throws(FirnError) -> [UInt8]
) throws(FirnError) -> BytesValues {
    var block = TextBlock(rowCount: count, context)
    for row in 0..<count { try block.append(contentsOf: try body(row)) }
    return block.values
}

extension FunctionOverload {
    /// `body` appends what the text becomes.
    fileprivate static func text(
        _ body: @escaping @Sendable (UnsafeBufferPointer<UInt8>, inout [UInt8]) -> Void
    ) -> FunctionOverload {
        FunctionOverload([.text], .text, mayFail: false) { arguments, count, context throws(FirnError) in
            let inputs = arguments[0].texts
            // What becomes of a text is about as long: where the texts are few MiB, so are the results.
            if inputs.byteCount(count: count) <= TextBlock.bytesMax {
                var values = BytesValues()
                values.reserveCapacity(count, byteCount: count * 16)
                inputs.forEach(count: count) { text in values.append { body(text, &$0) } }
                return .texts(values)
            }
            var block = TextBlock(rowCount: count, context)
            for row in 0..<count {
                try block.append { output throws(FirnError) in
                    inputs[row].withUnsafeBufferPointer { body($0, &output) }
                }
            }
            return .texts(block.values)
        }
    }

    fileprivate static func textToInteger(
        _ body: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Int
    ) -> FunctionOverload {
        FunctionOverload([.text], .integer, mayFail: false) { arguments, count, _ throws(FirnError) in
            var results: [Int64] = []
            results.reserveCapacity(count)
            arguments[0].texts.forEach(count: count) { results.append(Int64(body($0))) }
            return .integers(results, .integer)
        }
    }

    fileprivate static func length(of family: TypeFamily, times factor: Int64 = 1) -> FunctionOverload {
        FunctionOverload([family], .integer, mayFail: false) { arguments, count, _ throws(FirnError) in
            let inputs = arguments[0].texts
            return .integers((0..<count).map { Int64(inputs[$0].count) * factor }, .integer)
        }
    }

    fileprivate static func textAndInteger(
        _ body: @escaping @Sendable ([UInt8], Int) throws(FirnError) -> [UInt8]
    ) -> FunctionOverload {
        FunctionOverload([.text, .integer], .text) { arguments, count, context throws(FirnError) in
            let (inputs, numbers) = (arguments[0].texts, arguments[1].integers)
            return .texts(
                try texts(count, context) { row throws(FirnError) in try body(Array(inputs[row]), Int(numbers[row])) })
        }
    }
}

/// Characters of UTF-8 text: the bytes that do not continue one.
private func characterCount(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var count = 0
    for byte in text where byte & 0xC0 != 0x80 { count &+= 1 }
    return count
}

/// Appends the text byte by byte where it is ASCII, else as `general` makes it.
@inline(__always)
private func appendMapped(
    _ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8], _ ascii: (UInt8) -> UInt8,
    _ general: ([UInt8]) -> [UInt8]
) {
    if text.allSatisfy({ $0 < 0x80 }) {
        for byte in text { output.append(ascii(byte)) }
    } else {
        output.append(contentsOf: general(Array(text)))
    }
}

private func character(_ code: Int64) throws(FirnError) -> [UInt8] {
    if code == 0 { throw FirnError(.programLimitExceeded, "null character not permitted") }
    if code < 0 { throw FirnError(.invalidParameterValue, "character number must be positive") }
    guard let value = UInt32(exactly: code), let scalar = Unicode.Scalar(value) else {
        throw FirnError(.programLimitExceeded, "requested character too large for encoding: \(code)")
    }
    return Array(String(Character(scalar)).utf8)
}

enum TrimmedSides { case both, leading, trailing }

extension [UInt8] {
    /// Scalars of the text.
    var characterCount: Int { reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) } }

    var scalars: String.UnicodeScalarView { String(decoding: self, as: UTF8.self).unicodeScalars }

    private var isASCII: Bool { allSatisfy { $0 < 0x80 } }

    private func mappingScalars(_ body: (Unicode.Scalar) -> Unicode.Scalar) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(count)
        for scalar in scalars { output.append(contentsOf: UTF8.encode(body(scalar))!) }
        return output
    }

    var lowercasedText: [UInt8] {
        isASCII ? map { ASCII.lowercased($0) } : mappingScalars { $0.simpleLowercase }
    }

    var uppercasedText: [UInt8] {
        isASCII ? map { ASCII.uppercased($0) } : mappingScalars { $0.simpleUppercase }
    }

    /// Each word's first letter in capitals, the rest small; words are made of letters and decimal digits.
    fileprivate var capitalizedText: [UInt8] {
        var isInside = false
        return mappingScalars { scalar in
            let properties = scalar.properties
            let isWord = properties.isAlphabetic || properties.generalCategory == .decimalNumber
            defer { isInside = isWord }
            return isInside ? scalar.simpleLowercase : scalar.simpleUppercase
        }
    }

    fileprivate var reversedText: [UInt8] {
        if isASCII { return Array(reversed()) }
        var output = String.UnicodeScalarView()
        output.append(contentsOf: scalars.reversed())
        return Array(String(output).utf8)
    }

    /// The byte offset of a character, or the end.
    fileprivate func offset(ofCharacter index: Int) -> Int {
        if index <= 0 { return 0 }
        var seen = 0
        for offset in indices where self[offset] & 0xC0 != 0x80 {
            if seen == index { return offset }
            seen += 1
        }
        return count
    }

    /// The first characters; with a negative number all but the last.
    fileprivate func leading(_ number: Int) -> [UInt8] {
        let kept = number >= 0 ? number : Swift.max(0, characterCount + number)
        return Array(self[..<offset(ofCharacter: kept)])
    }

    /// The last characters; with a negative number all but the first.
    fileprivate func trailing(_ number: Int) -> [UInt8] {
        let dropped = number >= 0 ? characterCount - number : -number
        return Array(self[offset(ofCharacter: dropped)...])
    }

    /// Characters from the 1-based `start` on; those before the first count, too.
    fileprivate func substring(from start: Int, count length: Int?) throws(FirnError) -> [UInt8] {
        let first = Swift.max(start, 1) - 1
        guard let length else { return Array(self[offset(ofCharacter: first)...]) }
        if length < 0 { throw FirnError(SQLState("22011"), "negative substring length not allowed") }
        let (end, overflow) = start.addingReportingOverflow(length)
        let last = overflow ? Int.max : end - 1
        if last <= first { return [] }
        let from = offset(ofCharacter: first)
        let rest = Array(self[from...])
        return Array(rest[..<rest.offset(ofCharacter: last - first)])
    }

    fileprivate func trimmed(_ sides: TrimmedSides, of set: [UInt8]) -> [UInt8] {
        if set.isASCII {
            var start = 0
            var end = count
            if sides != .trailing { while start < end, set.contains(self[start]) { start += 1 } }
            if sides != .leading { while end > start, set.contains(self[end - 1]) { end -= 1 } }
            return Array(self[start..<end])
        }
        let wanted = Set(set.scalars)
        var kept = Array<Unicode.Scalar>(scalars)[...]
        if sides != .trailing { kept = kept.drop { wanted.contains($0) } }
        if sides != .leading { while let last = kept.last, wanted.contains(last) { kept.removeLast() } }
        var output = String.UnicodeScalarView()
        output.append(contentsOf: kept)
        return Array(String(output).utf8)
    }

    /// The 1-based character at which the needle begins; 0 where it does not occur.
    fileprivate func characterPosition(of needle: [UInt8]) -> Int {
        withUnsafeBufferPointer { text in
            guard let offset = ByteSearch.first(needle, in: text) else { return 0 }
            return text[..<offset].reduce(1) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }
        }
    }

    fileprivate func replacing(_ old: [UInt8], with new: [UInt8]) throws(FirnError) -> [UInt8] {
        if old.isEmpty { return self }
        let output = withUnsafeBufferPointer { text -> [UInt8]? in
            var output: [UInt8] = []
            var start = 0
            while let offset = ByteSearch.first(old, in: text, from: start) {
                output.append(contentsOf: text[start..<offset])
                output.append(contentsOf: new)
                start = offset + old.count
                if output.count > BytesValues.valueBytesMax { return nil }
            }
            output.append(contentsOf: text[start...])
            return output
        }
        guard let output else {
            try TextBlock.checkValue(.max)
            return []
        }
        return output
    }

    fileprivate func translated(_ old: [UInt8], to new: [UInt8]) -> [UInt8] {
        let from = Array<Unicode.Scalar>(old.scalars)
        let to = Array<Unicode.Scalar>(new.scalars)
        var output = String.UnicodeScalarView()
        for scalar in scalars {
            guard let index = from.firstIndex(of: scalar) else {
                output.append(scalar)
                continue
            }
            if index < to.count { output.append(to[index]) }
        }
        return Array(String(output).utf8)
    }

    /// The 1-based field; a negative number counts from the end.
    fileprivate func part(_ number: Int, separatedBy separator: [UInt8]) throws(FirnError) -> [UInt8] {
        if number == 0 { throw FirnError(.invalidParameterValue, "field position must not be zero") }
        if separator.isEmpty { return number == 1 || number == -1 ? self : [] }
        let parts: [[UInt8]] = withUnsafeBufferPointer { text in
            var parts: [[UInt8]] = []
            var start = 0
            while let offset = ByteSearch.first(separator, in: text, from: start) {
                parts.append(Array(text[start..<offset]))
                start = offset + separator.count
            }
            parts.append(Array(text[start...]))
            return parts
        }
        let index = number > 0 ? number - 1 : parts.count + number
        return parts.indices.contains(index) ? parts[index] : []
    }

    fileprivate func padded(to length: Int, with fill: [UInt8], isLeading: Bool) throws(FirnError) -> [UInt8] {
        let wanted = Swift.max(length, 0)
        try TextBlock.checkValue(wanted)
        let missing = wanted - characterCount
        if missing <= 0 || fill.isEmpty { return leading(wanted) }
        // As many bytes as the padding has at most, one character of it left over.
        try TextBlock.checkValue(count + missing / fill.characterCount * fill.count)
        let repeats = missing / fill.characterCount + 1
        let padding = Array(repeatElement(fill, count: repeats).joined()).leading(missing)
        return isLeading ? padding + self : self + padding
    }
}

extension Unicode.Scalar {
    /// Unicode's simple lower case, one scalar for one, as C's towlower has it in a UTF-8 locale.
    fileprivate var simpleLowercase: Unicode.Scalar {
        // The one whose full mapping is longer and starts with the simple one.
        self == "\u{130}" ? "i" : Unicode.Scalar(single: properties.lowercaseMapping) ?? self
    }

    /// Unicode's simple upper case. Where the full one is longer, the simple one is that of titles, if any.
    fileprivate var simpleUppercase: Unicode.Scalar {
        Unicode.Scalar(single: properties.uppercaseMapping)
            ?? Unicode.Scalar(single: properties.titlecaseMapping) ?? self
    }

    /// The only scalar of a text; nil where there are more.
    private init?(single text: String) {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, scalars.count == 1 else { return nil }
        self = first
    }
}
