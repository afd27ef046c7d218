// SPDX-License-Identifier: Apache-2.0
//
// When two documents of JSONB are equal, and which comes first: PostgreSQL's order, as bytes.
//
// The text that JSONB is stored as is canonical but for its numbers, which keep their zeros behind the point: 1.0 and
// 1 are equal, and their texts are not. So there are two forms of it. The *plain text* has numbers without such
// zeros: it is the same for equal documents, and what keys are hashed by (FORMAT.md). The *ordered bytes* are the same
// for equal documents, too, and their order is that of the documents:
//
//     document     [0][element count: u32][1][elements]   [0][1: u32][0][scalar]   [1][member count: u32][members]
//     null [1]     string [2][bytes][0]     number [3][number]     false [4]     true [5]
//     array [6][element count: u32][elements]     object [7][member count: u32][key, value, …]
//     key          [bytes][0]
//     number       [1] for 0; [2][place: u32][digits + 1 …][0] above it; below it [0] and the rest with all bits turned
//
// Counts are big-endian; strings are without escapes, and no byte of them is 0; the place of the point, counted from the
// first digit that is not 0, has its sign bit turned.
//
// Source: the order of PostgreSQL 15's jsonb, compareJsonbContainers: objects > arrays > booleans > numbers > strings >
// null, more elements > fewer, then element by element, keys before values; a scalar is an array of one.

enum JSONOrder {
    /// The ordered bytes of a canonical document.
    static func bytes(of text: some Sequence<UInt8>) -> [UInt8] {
        var writer = OrderWriter(text: Array(text))
        writer.document()
        return writer.output
    }

    /// The plain text of a canonical document.
    static func plainText(of text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var isInString = false
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            if isInString {
                output.append(byte)
                index += 1
                if byte == UInt8(ascii: "\\"), index < text.endIndex {
                    output.append(text[index])
                    index += 1
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: ".") {
                // Behind a point outside of strings only digits follow.
                var end = index + 1
                while end < text.endIndex, ASCII.isDigit(text[end]) { end += 1 }
                var kept = end
                while text[kept - 1] == 48 { kept -= 1 }
                if kept - 1 > index { output.append(contentsOf: text[index..<kept]) }
                index = end
            } else {
                isInString = byte == UInt8(ascii: "\"")
                output.append(byte)
                index += 1
            }
        }
        return output
    }
}

/// Goes through one canonical document.
private struct OrderWriter {
    let text: [UInt8]
    var position = 0
    var output: [UInt8] = []
    /// Of each open array or object: where its count stands in the output, the count so far, and whether it is an object.
    private var levels: [(countOffset: Int, count: UInt32, isObject: Bool)] = []

    init(text: [UInt8]) { self.text = text }

    private var peek: UInt8 { position < text.count ? text[position] : 0 }

    mutating func document() {
        switch peek {
        case UInt8(ascii: "{"): output.append(1)
        case UInt8(ascii: "["): output.append(0)
        default:
            output += [0, 0, 0, 0, 1, 0]
            scalar()
            return
        }
        open(isDocument: true)
        // What is no canonical text ends with it, too.
        while !levels.isEmpty, position < text.count {
            switch peek {
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                close()
            case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: ":"): position += 1
            default:
                levels[levels.count - 1].count += 1
                if levels[levels.count - 1].isObject {
                    string()
                    while peek == UInt8(ascii: ":") || peek == UInt8(ascii: " ") { position += 1 }
                }
                value()
            }
        }
    }

    private mutating func value() {
        switch peek {
        case UInt8(ascii: "{"):
            output.append(7)
            open(isDocument: false)
        case UInt8(ascii: "["):
            output.append(6)
            open(isDocument: false)
        default: scalar()
        }
    }

    private mutating func open(isDocument: Bool) {
        let isObject = peek == UInt8(ascii: "{")
        levels.append((output.count, 0, isObject))
        output += [0, 0, 0, 0]
        // A document that is an array comes behind a scalar.
        if isDocument, !isObject { output.append(1) }
        position += 1
    }

    private mutating func close() {
        let level = levels.removeLast()
        for byte in 0..<4 {
            output[level.countOffset + byte] = UInt8(truncatingIfNeeded: level.count >> UInt32(24 - byte * 8))
        }
        position += 1
    }

    private mutating func scalar() {
        switch peek {
        case UInt8(ascii: "\""):
            output.append(2)
            string()
        case UInt8(ascii: "n"):
            output.append(1)
            position += 4
        case UInt8(ascii: "f"):
            output.append(4)
            position += 5
        case UInt8(ascii: "t"):
            output.append(5)
            position += 4
        default:
            output.append(3)
            number()
        }
    }

    /// A string without its escapes, and 0.
    private mutating func string() {
        position += 1
        while position < text.count, peek != UInt8(ascii: "\"") {
            var byte = peek
            position += 1
            if byte == UInt8(ascii: "\\") {
                byte = peek
                position = min(position + 1, text.count)
                switch byte {
                case UInt8(ascii: "b"): byte = 8
                case UInt8(ascii: "t"): byte = 9
                case UInt8(ascii: "n"): byte = 10
                case UInt8(ascii: "f"): byte = 12
                case UInt8(ascii: "r"): byte = 13
                case UInt8(ascii: "u"):
                    // Control characters alone are written so: 00 and two digits.
                    byte = text[position..<min(position + 4, text.count)].reduce(0) {
                        $0 << 4 | (ASCII.hexadecimalValue($1) ?? 0)
                    }
                    position = min(position + 4, text.count)
                default: break
                }
            }
            output.append(byte)
        }
        position += 1
        output.append(0)
    }

    private mutating func number() {
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let start = min(position, text.count)
        while position < text.count, ASCII.isDigit(peek) || peek == UInt8(ascii: ".") { position += 1 }
        let token = text[start..<max(start, min(position, text.count))]
        // What begins no value is passed over.
        if token.isEmpty { position += 1 }
        let point = token.firstIndex(of: UInt8(ascii: ".")) ?? token.endIndex
        let digits = token.filter { $0 != UInt8(ascii: ".") }
        let leading = digits.prefix { $0 == 48 }.count
        guard leading < digits.count else { return output.append(1) }
        let significant = digits.dropFirst(leading)
        let place = UInt32(bitPattern: Int32(point - token.startIndex - leading)) ^ (1 << 31)
        var bytes: [UInt8] = (0..<4).map { UInt8(truncatingIfNeeded: place >> UInt32(24 - $0 * 8)) }
        let trailing = significant.reversed().prefix { $0 == 48 }.count
        bytes.append(contentsOf: significant.dropLast(trailing).map { $0 - 47 })
        bytes.append(0)
        output.append(isNegative ? 0 : 2)
        output.append(contentsOf: isNegative ? bytes.map { ~$0 } : bytes)
    }
}

extension Column {
    /// The column with JSONB as its ordered bytes; other types as they are.
    var comparable: Column {
        guard type == .jsonb else { return self }
        var ordered = BytesValues()
        switch values {
        case .bytes(let values):
            for row in 0..<values.count {
                ordered.append(contentsOf: isNull(row) ? [] : JSONOrder.bytes(of: values[row]))
            }
        case .dictionary(let codes, let dictionary):
            let entries = (0..<dictionary.count).map { JSONOrder.bytes(of: dictionary.values[$0]) }
            for row in codes.indices { ordered.append(contentsOf: isNull(row) ? [] : entries[Int(codes[row])]) }
        default: preconditionFailure("JSONB is held as bytes")
        }
        return Column(type: .bytea, values: .bytes(ordered), validity: validity)
    }
}

extension Value {
    /// The value of a type with JSONB as its ordered bytes.
    func comparable(_ type: DataType) -> Value {
        guard type == .jsonb, case .text(let text) = self else { return self }
        return .bytes(JSONOrder.bytes(of: text.utf8))
    }
}

extension Vector {
    /// The vector with JSONB as its ordered bytes; other types as they are.
    var comparable: Vector {
        guard type == .jsonb else { return self }
        switch self {
        case .constant(let value, let type): return .constant(value.comparable(type), .bytea)
        case .column(let column): return .column(column.comparable)
        }
    }
}
