// SPDX-License-Identifier: Apache-2.0
//
// Text of many distinct values by a table of frequent pieces of it.
//
// A page keeps up to 255 symbols of one to eight bytes; its text is their codes, a byte each, and 255 before a byte
// that no symbol begins with. Decoding copies eight bytes a code, without looking back as LZ77 must, so that a
// vector is decoded alone.
//
//     page:   [symbol count: u8][length of each: u8, 1...8][all bytes of the symbols][directory][vectors]
//     vector: [EncodingID symbolBytes: u8][integer vector of plain byte counts][codes, to the end of the vector]
//
// The codes of a vector's texts are one stream: a symbol may span two texts.
//
// Source: Boncz, Neumann, Leis, "FSST: Fast Random Access String Compression", VLDB 2020: the table is built bottom
// up from a sample, in a few rounds of counting which symbols, and which pairs of them, the table so far would use.

struct SymbolTable: Sendable {
    static let symbolCountMax = 255
    static let escape: UInt8 = 255
    private static let roundCount = 5
    private static let sampleByteCount = 1 << 14
    private static let sampleStretch = 512
    /// Pieces that are rarer in the sample are not worth a code.
    private static let occurrenceCountMin = 4

    private struct Symbol: Equatable {
        var value: UInt64
        var length: Int
    }

    /// Bytes of each code, low ones first; 255 stands for nothing.
    private let values: [UInt64]
    private let lengths: [UInt8]
    private var count: Int { values.count - 1 }

    private init(_ symbols: [Symbol]) {
        values = symbols.map(\.value) + [0]
        lengths = symbols.map { UInt8($0.length) } + [0]
    }

    // MARK: Building

    /// The table for these bytes, from a sample; nil where they are too few to pay for one.
    static func build(for text: UnsafeRawBufferPointer) -> SymbolTable? {
        guard text.count >= 4 * sampleStretch else { return nil }
        let sample = self.sample(text)
        var symbols: [Symbol] = []
        for round in 0..<roundCount {
            let matcher = SymbolMatcher(symbols.map { ($0.value, $0.length) })
            symbols = improved(symbols, sample, matcher, isLast: round == roundCount - 1)
        }
        return symbols.isEmpty ? nil : SymbolTable(symbols)
    }

    /// Evenly spread stretches of the text, each alone, with eight zero bytes behind it.
    private static func sample(_ text: UnsafeRawBufferPointer) -> [[UInt8]] {
        let stretchCount = min(text.count, sampleByteCount) / sampleStretch
        return (0..<stretchCount).map { index in
            let start = index * (text.count - sampleStretch) / max(1, stretchCount - 1)
            return Array(text[start..<start + sampleStretch]) + [UInt8](repeating: 0, count: 8)
        }
    }

    /// The symbols, and pairs of symbols joined, that cover most of the sample.
    private static func improved(
        _ symbols: [Symbol], _ sample: [[UInt8]], _ matcher: SymbolMatcher, isLast: Bool
    ) -> [Symbol] {
        // Numbers below 256 are bytes that no symbol covers, then come the symbols.
        func symbol(_ number: Int) -> Symbol {
            number < 256 ? Symbol(value: UInt64(number), length: 1) : symbols[number - 256]
        }
        var counts = [Int](repeating: 0, count: 512)
        var pairs = [UInt16](repeating: 0, count: isLast ? 0 : 512 * 512)
        for stretch in sample {
            stretch.withUnsafeBytes { bytes in
                var offset = 0
                var previous = -1
                while offset < sampleStretch {
                    let (code, length) = matcher.match(bytes, at: offset, limit: sampleStretch)
                    let number = code == Int(escape) ? Int(bytes[offset]) : 256 + code
                    counts[number] += 1
                    // A symbol's first byte is a candidate too: it may do better with other neighbours.
                    if length > 1 { counts[Int(bytes[offset])] += 1 }
                    if previous >= 0 && !isLast { pairs[previous << 9 | number] += 1 }
                    previous = number
                    offset += length
                }
            }
        }
        var gains: [UInt128: (symbol: Symbol, gain: Int)] = [:]
        func offer(_ symbol: Symbol, _ count: Int) {
            // A single byte spares the escape before it, which counts for more than a byte of a longer symbol.
            let gain = count * (symbol.length == 1 ? 2 : symbol.length)
            let key = UInt128(symbol.length) << 64 | UInt128(symbol.value)
            gains[key, default: (symbol, 0)].gain += gain
        }
        for (number, count) in counts.enumerated() where count >= occurrenceCountMin && number < 256 + symbols.count {
            offer(symbol(number), count)
        }
        for pair in pairs.indices where pairs[pair] >= occurrenceCountMin {
            let first = symbol(pair >> 9)
            let second = symbol(pair & 511)
            let length = min(8, first.length + second.length)
            let value = (first.value | second.value << UInt64(first.length * 8)) & mask(length)
            if length > first.length { offer(Symbol(value: value, length: length), Int(pairs[pair])) }
        }
        let ranked = gains.values.sorted {
            // Ties by value, so that the same text always has the same table.
            ($0.gain, $0.symbol.length, $0.symbol.value) > ($1.gain, $1.symbol.length, $1.symbol.value)
        }
        return ranked.prefix(symbolCountMax).map(\.symbol)
    }

    @inline(__always)
    static func mask(_ length: Int) -> UInt64 { length >= 8 ? .max : (1 &<< UInt64(length &* 8)) &- 1 }

    // MARK: Encoding

    func encode(into output: inout ByteWriter) {
        output.append(UInt8(count))
        for code in 0..<count { output.append(lengths[code]) }
        for code in 0..<count {
            for byte in 0..<Int(lengths[code]) {
                output.append(UInt8(truncatingIfNeeded: values[code] >> UInt64(byte * 8)))
            }
        }
    }

    /// What finds the symbols of this table in text.
    func matcher() -> SymbolMatcher { SymbolMatcher((0..<count).map { (values[$0], Int(lengths[$0])) }) }

    // MARK: Decoding

    static func decode(_ reader: inout ByteReader) throws(FormatError) -> SymbolTable {
        let start = reader.offset
        let count = Int(try reader.readByte())
        var lengths: [Int] = []
        for _ in 0..<count {
            let length = Int(try reader.readByte())
            guard (1...8).contains(length) else { throw FormatError("a symbol of \(length) bytes", at: start) }
            lengths.append(length)
        }
        var symbols: [Symbol] = []
        for length in lengths {
            var value: UInt64 = 0
            for byte in 0..<length { value |= UInt64(try reader.readByte()) << UInt64(byte * 8) }
            symbols.append(Symbol(value: value, length: length))
        }
        return SymbolTable(symbols)
    }

    /// Checks that the codes, to the end of the reader, are known and give `plainByteCount` bytes.
    func verify(_ reader: inout ByteReader, plainByteCount: Int) throws(FormatError) {
        let start = reader.offset
        let codes = try reader.readBytes(reader.remaining)
        var total = 0
        var index = 0
        while index < codes.count {
            let code = codes[index]
            if code == Self.escape {
                index += 2
                total += 1
            } else {
                guard Int(code) < count else { throw FormatError("a code of no symbol", at: start + index) }
                total += Int(lengths[Int(code)])
                index += 1
            }
        }
        guard index == codes.count, total == plainByteCount else {
            throw FormatError("symbols that spell \(total) bytes where \(plainByteCount) are due", at: start)
        }
    }

    /// Appends the plain bytes of verified codes.
    func decode(_ codes: UnsafeRawBufferPointer, plainByteCount: Int, into output: inout ByteWriter) {
        if plainByteCount == 0 { return }
        output.append(upTo: plainByteCount + 8) { room in
            // Precondition: verify succeeded, so the codes spell plainByteCount bytes; eight are written at a time,
            // and the room goes on for eight more.
            let target = room.baseAddress.unsafelyUnwrapped
            values.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    var written = 0
                    var index = 0
                    while index < codes.count {
                        let code = codes[index]
                        if code == Self.escape {
                            target.storeBytes(of: codes[index &+ 1], toByteOffset: written, as: UInt8.self)
                            written &+= 1
                            index &+= 2
                        } else {
                            target.storeBytes(
                                of: values[Int(code)].littleEndian, toByteOffset: written, as: UInt64.self)
                            written &+= Int(lengths[Int(code)])
                            index &+= 1
                        }
                    }
                }
            }
            return plainByteCount
        }
    }
}

/// Finds the symbols of a table in text: by hash those of three bytes and more, by their two bytes the others.
struct SymbolMatcher {
    private static let hashBits: UInt64 = 12
    private static let noCode = UInt16(SymbolTable.escape)

    /// Symbols of three and more bytes; the slot is chosen by the first three. A length of 0 is an empty slot.
    private var longValues: [UInt64]
    private var longLengths: [UInt8]
    private var longCodes: [UInt8]
    /// By the next two bytes: a code, and above it the length.
    private var short: [UInt16]

    /// Of two symbols that share a slot the earlier one stays; the other is found as its shorter parts.
    init(_ symbols: [(value: UInt64, length: Int)]) {
        let slotCount = 1 << Int(Self.hashBits)
        longValues = [UInt64](repeating: 0, count: slotCount)
        longLengths = [UInt8](repeating: 0, count: slotCount)
        longCodes = longLengths
        short = [UInt16](repeating: 1 << 8 | Self.noCode, count: 1 << 16)
        for (code, symbol) in symbols.enumerated() where symbol.length == 1 {
            for second in 0..<256 { short[Int(symbol.value) | second << 8] = 1 << 8 | UInt16(code) }
        }
        for (code, symbol) in symbols.enumerated() where symbol.length == 2 {
            short[Int(symbol.value)] = 2 << 8 | UInt16(code)
        }
        for (code, symbol) in symbols.enumerated() where symbol.length > 2 {
            let slot = Self.slot(symbol.value)
            if longLengths[slot] == 0 {
                longValues[slot] = symbol.value
                longLengths[slot] = UInt8(symbol.length)
                longCodes[slot] = UInt8(code)
            }
        }
    }

    @inline(__always)
    private static func slot(_ word: UInt64) -> Int {
        Int(truncatingIfNeeded: ((word & 0xFF_FFFF) &* 0x9E37_79B9_7F4A_7C15) &>> (64 &- hashBits))
    }

    /// The symbol at `offset` and its length; the escape and 1 where there is none. Eight bytes may be read there.
    @inline(__always)
    func match(_ bytes: UnsafeRawBufferPointer, at offset: Int, limit: Int) -> (code: Int, length: Int) {
        let word = UInt64(
            littleEndian: bytes.baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let slot = Self.slot(word)
        let length = Int(longLengths[slot])
        if length > 0 && length <= limit &- offset && word & SymbolTable.mask(length) == longValues[slot] {
            return (Int(longCodes[slot]), length)
        }
        let entry = short[Int(word & 0xFFFF)]
        let shortLength = Int(entry &>> 8)
        if shortLength <= limit &- offset { return (Int(entry & 0xFF), shortLength) }
        // One byte is left, and the symbol has two.
        return (Int(Self.noCode), 1)
    }

    /// Appends the codes of `text`.
    func encode(_ text: UnsafeRawBufferPointer, into output: inout ByteWriter) {
        guard text.count > 0 else { return }
        output.append(upTo: text.count * 2) { room in
            // Precondition: at most two bytes are written for each byte of text.
            var written = 0
            let bodyEnd = max(0, text.count - 8)
            var offset = encode(text, from: 0, while: bodyEnd, into: room, &written)
            // The last bytes again, with room for loads that go past them.
            var tail = [UInt8](text[offset...])
            let limit = tail.count
            tail += [UInt8](repeating: 0, count: 8)
            tail.withUnsafeBytes { tail in
                let rest = UnsafeRawBufferPointer(rebasing: tail[0..<limit])
                offset = encode(rest, from: 0, while: limit, into: room, &written)
            }
            return written
        }
    }

    @inline(__always)
    private func encode(
        _ text: UnsafeRawBufferPointer, from start: Int, while end: Int, into room: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) -> Int {
        // Precondition: eight bytes may be read at every offset below `end`.
        let target = room.baseAddress.unsafelyUnwrapped
        var offset = start
        while offset < end {
            let (code, length) = match(text, at: offset, limit: text.count)
            target.storeBytes(of: UInt8(truncatingIfNeeded: code), toByteOffset: written, as: UInt8.self)
            written &+= 1
            if code == Int(SymbolTable.escape) {
                target.storeBytes(
                    of: text.baseAddress.unsafelyUnwrapped.load(fromByteOffset: offset, as: UInt8.self),
                    toByteOffset: written, as: UInt8.self)
                written &+= 1
            }
            offset &+= length
        }
        return offset
    }
}
