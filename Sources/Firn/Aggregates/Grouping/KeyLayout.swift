// SPDX-License-Identifier: Apache-2.0
//
// Packs group keys of any types into a fixed number of 64-bit words, so that equal keys have equal words.
//
// "Equal" is what GROUP BY means by it: NULL equals NULL, -0.0 equals 0.0, NaN equals NaN, 1.5 equals 1.50 and
// `1 mon` equals `30 days`. Narrow parts (text codes, 32-bit integers, booleans, NULL bits) share the first words;
// integers and times follow as a word each, biased so that unsigned order is value order. A key on (text, time) is
// thus two words that ascend where a segment sorted by (text, time) is read.
//
//     [text code 32 | NULL bits … ]  [time ^ sign]  [double, ordered]  [coefficient high] [low] …

/// Where each key of a grouping lies in the packed words.
struct KeyLayout: Sendable {
    /// How one key is packed.
    enum Form: Sendable {
        /// Text by query-wide code: 32 narrow bits, NULL among them.
        case code
        /// JSONB by the code of its ordered bytes.
        case json
        case boolean
        /// SMALLINT and INTEGER: 32 narrow bits.
        case narrowInteger
        case integer
        case float
        case double
        /// Two words for the coefficient without trailing zeros, 8 narrow bits for its scale.
        case decimal
        case uuid
        /// Two words: its length for comparison.
        case interval
        /// By query-wide code of its bytes.
        case vector

        var narrowBits: Int {
            switch self {
            case .code, .json, .narrowInteger, .float, .vector: 32
            case .boolean: 1
            case .decimal: 8
            case .integer, .double, .uuid, .interval: 0
            }
        }

        /// Codes have a NULL of their own.
        var isCode: Bool {
            switch self {
            case .code, .json, .vector: true
            default: false
            }
        }

        var wholeWords: Int {
            switch self {
            case .integer, .double: 1
            case .decimal, .uuid, .interval: 2
            case .code, .json, .boolean, .narrowInteger, .float, .vector: 0
            }
        }
    }

    struct Field: Sendable {
        let type: DataType
        let form: Form
        /// Place of the narrow bits; meaningless where there are none.
        fileprivate(set) var narrowWord = 0
        fileprivate(set) var narrowShift: UInt64 = 0
        /// First of the whole words.
        fileprivate(set) var firstWord = 0
        /// Place of the NULL bit; codes have none of it.
        fileprivate(set) var nullWord = 0
        fileprivate(set) var nullShift: UInt64 = 0
    }

    private(set) var fields: [Field]
    private(set) var wordCount: Int
    /// The codes of each text or vector key, by key; shared by all threads of the query.
    let textCodes: [TextCodes?]

    /// - Parameter memory: what counts the text codes.
    init(types: [DataType], memory: MemoryBudget) {
        fields = types.map { type in
            let form: Form =
                switch type.physical {
                case .boolean: .boolean
                case .integer: type == .smallint || type == .integer ? .narrowInteger : .integer
                case .float: .float
                case .double: .double
                case .decimal: .decimal
                case .bytes: type == .jsonb ? .json : .code
                case .uuid: .uuid
                case .interval: .interval
                case .vector: .vector
                }
            return Field(type: type, form: form)
        }
        textCodes = fields.map { field in
            switch field.form {
            case .code, .json, .vector: TextCodes(memory: memory)
            default: nil
            }
        }
        // Narrow parts first, widest first within reason: first fit into 64-bit words.
        var usedBits: [UInt64] = []
        func place(_ bits: UInt64) -> (word: Int, shift: UInt64) {
            for word in usedBits.indices where usedBits[word] + bits <= 64 {
                defer { usedBits[word] += bits }
                return (word, 64 - usedBits[word] - bits)
            }
            usedBits.append(bits)
            return (usedBits.count - 1, 64 - bits)
        }
        for index in fields.indices where fields[index].form.narrowBits > 0 {
            (fields[index].narrowWord, fields[index].narrowShift) = place(UInt64(fields[index].form.narrowBits))
        }
        for index in fields.indices {
            switch fields[index].form {
            case .code, .json, .vector: break
            default: (fields[index].nullWord, fields[index].nullShift) = place(1)
            }
        }
        wordCount = usedBits.count
        for index in fields.indices {
            fields[index].firstWord = wordCount
            wordCount += fields[index].form.wholeWords
        }
    }

    private static let signBit: UInt64 = 1 << 63

    /// Packs rows: `columns[i]` has the values of key i. `words` holds `rowCount * wordCount` words.
    ///
    /// - Parameter known: one for each key, of the thread that packs.
    func pack(
        _ columns: [Column], rowCount: Int, _ known: inout [TextCodes.Known], into words: UnsafeMutablePointer<UInt64>
    ) throws(FirnError) {
        let stride = wordCount
        words.update(repeating: 0, count: rowCount * stride)
        for (index, field) in fields.enumerated() {
            let column = columns[index]
            precondition(column.count == rowCount, "a key has a value for each row")
            try pack(column, field, index, &known[index], words, stride)
            // Codes have their own NULL; elsewhere the value bits become 0 and the NULL bit 1.
            if let validity = column.validity, !field.form.isCode {
                for row in 0..<rowCount where !validity[row] {
                    let key = words + row * stride
                    for word in 0..<field.form.wholeWords { key[field.firstWord + word] = 0 }
                    if field.form.narrowBits > 0 {
                        let mask = (UInt64(1) << UInt64(field.form.narrowBits) - 1) << field.narrowShift
                        key[field.narrowWord] &= ~mask
                    }
                    key[field.nullWord] |= 1 << field.nullShift
                }
            }
        }
    }

    private func pack(
        _ column: Column, _ field: Field, _ index: Int, _ known: inout TextCodes.Known,
        _ words: UnsafeMutablePointer<UInt64>, _ stride: Int
    ) throws(FirnError) {
        let narrow = words + field.narrowWord
        let shift = field.narrowShift
        let whole = words + field.firstWord
        switch column.values {
        case .bytes, .dictionary:
            let codes = try textCodes[index]!.codes(of: column.comparable, &known)
            for row in codes.indices { narrow[row * stride] |= UInt64(codes[row]) << shift }
        case .boolean(let values):
            for row in values.indices where values[row] { narrow[row * stride] |= 1 << shift }
        case .integer(let values):
            values.withUnsafeBufferPointer { values in
                if field.form == .narrowInteger {
                    for row in values.indices {
                        let bits = UInt32(truncatingIfNeeded: values[row]) ^ (1 << 31)
                        narrow[row * stride] |= UInt64(bits) << shift
                    }
                } else {
                    for row in values.indices {
                        whole[row * stride] = UInt64(bitPattern: values[row]) ^ Self.signBit
                    }
                }
            }
        case .float(let values):
            for row in values.indices {
                let value = values[row] == 0 ? 0 : values[row].isNaN ? .nan : values[row]
                narrow[row * stride] |= UInt64(value.bitPattern) << shift
            }
        case .double(let values):
            for row in values.indices { whole[row * stride] = Self.orderedBits(values[row]) }
        case .decimal(let values):
            for row in 0..<values.count {
                let (coefficient, scale) = Self.normalized(values.coefficients[row], values.scale(at: row))
                store(UInt128(bitPattern: coefficient), at: whole + row * stride)
                narrow[row * stride] |= UInt64(scale) << shift
            }
        case .uuid(let values):
            for row in values.indices { store(values[row], at: whole + row * stride) }
        case .interval(let values):
            for row in values.indices {
                store(UInt128(bitPattern: values[row].comparisonMicroseconds), at: whole + row * stride)
            }
        case .vector(let values, let dimensions):
            var bytes = BytesValues()
            for row in 0..<column.count {
                bytes.append { target in
                    for value in values[row * dimensions..<(row + 1) * dimensions] {
                        withUnsafeBytes(of: value) { target.append(contentsOf: $0) }
                    }
                }
            }
            let coded = Column(type: .bytea, values: .bytes(bytes), validity: column.validity)
            let codes = try textCodes[index]!.codes(of: coded, &known)
            for row in codes.indices { narrow[row * stride] |= UInt64(codes[row]) << shift }
        }
    }

    private func store(_ value: UInt128, at words: UnsafeMutablePointer<UInt64>) {
        words[0] = UInt64(truncatingIfNeeded: value >> 64)
        words[1] = UInt64(truncatingIfNeeded: value)
    }

    /// Bits whose unsigned order is the order of the values, -0.0 as 0.0 and NaN (of one form) above all.
    static func orderedBits(_ value: Double) -> UInt64 {
        let bits = (value == 0 ? 0 : value.isNaN ? .nan : value).bitPattern
        return bits & signBit == 0 ? bits | signBit : ~bits
    }

    /// The same number without trailing zeros behind the point.
    static func normalized(_ coefficient: Int128, _ scale: UInt8) -> (Int128, UInt8) {
        if coefficient == 0 { return (0, 0) }
        var coefficient = coefficient
        var scale = scale
        while scale > 0 {
            if let narrow = Int64(exactly: coefficient) {
                let (quotient, remainder) = narrow.quotientAndRemainder(dividingBy: 10)
                if remainder != 0 { break }
                coefficient = Int128(quotient)
            } else {
                let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: 10)
                if remainder != 0 { break }
                coefficient = quotient
            }
            scale -= 1
        }
        return (coefficient, scale)
    }

    /// True where the packed words do not tell the value as it was written (1.50, -0.0, 30 days): a value of each
    /// group must be kept beside them.
    func needsRepresentative(_ key: Int) -> Bool {
        switch fields[key].form {
        case .float, .double, .decimal, .interval, .vector, .json: true
        case .code, .boolean, .narrowInteger, .integer, .uuid: false
        }
    }

    /// The word in which a key of whole numbers lies alone, with nothing but its NULL bit elsewhere.
    func word(ofInteger key: Int) -> Int {
        precondition(fields[key].form == .integer, "a key of 64 bits has a word of its own")
        return fields[key].firstWord
    }

    /// A whole number as its word.
    static func word(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ signBit }

    /// The whole number of a word.
    static func integer(_ word: UInt64) -> Int64 { Int64(bitPattern: word ^ signBit) }

    /// The values of a key for a range of groups, from packed words. Not for keys that need a representative.
    func unpack(
        _ key: Int, _ words: UnsafePointer<UInt64>, groups: Range<Int>, dictionary: BytesDictionary?
    ) -> Column {
        let field = fields[key]
        let stride = wordCount
        let narrow = words + field.narrowWord
        let whole = words + field.firstWord
        let values: Column.Values
        switch field.form {
        case .code:
            var codes = Self.parts(groups) { UInt32(truncatingIfNeeded: narrow[$0 &* stride] >> field.narrowShift) }
            var validity: Bitmap?
            if codes.contains(TextCodes.null) {
                validity = Bitmap(codes.map { $0 != TextCodes.null })
                for index in codes.indices where codes[index] == TextCodes.null { codes[index] = 0 }
            }
            // A NULL's code is never looked at, but an empty dictionary must not be pointed into either.
            let dictionary = dictionary!.count > 0 ? dictionary! : BytesDictionary(distinct: BytesValues([""]))
            return Column(type: field.type, values: .dictionary(codes, dictionary), validity: validity)
        case .boolean:
            values = .boolean(groups.map { narrow[$0 * stride] >> field.narrowShift & 1 != 0 })
        case .narrowInteger:
            values = .integer(
                Self.parts(groups) {
                    let bits = UInt32(truncatingIfNeeded: narrow[$0 &* stride] >> field.narrowShift)
                    return Int64(Int32(bitPattern: bits ^ (1 << 31)))
                })
        case .integer:
            values = .integer(Self.parts(groups) { Int64(bitPattern: whole[$0 &* stride] ^ Self.signBit) })
        case .uuid:
            values = .uuid(
                groups.map { UInt128(whole[$0 * stride]) << 64 | UInt128(whole[$0 * stride + 1]) })
        case .float, .double, .decimal, .interval, .vector, .json:
            preconditionFailure("the words of \(field.type) do not hold the value as it was written")
        }
        let nulls: [Bool] = Self.parts(groups) { words[$0 &* stride &+ field.nullWord] >> field.nullShift & 1 != 0 }
        let validity = nulls.contains(true) ? Bitmap(nulls.map { !$0 }) : nil
        return Column(type: field.type, values: values, validity: validity)
    }

    /// Something of each group's key.
    @inline(__always)
    private static func parts<Part>(_ groups: Range<Int>, _ part: (Int) -> Part) -> [Part] {
        [Part](unsafeUninitializedCapacity: groups.count) { target, count in
            for index in 0..<groups.count {
                (target.baseAddress! + index).initialize(to: part(groups.lowerBound &+ index))
            }
            count = groups.count
        }
    }
}
