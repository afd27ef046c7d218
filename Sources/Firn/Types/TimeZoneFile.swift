// SPDX-License-Identifier: Apache-2.0
//
// Reading a TZif file: the compiled form of an IANA time zone, versions 1 to 4.
//
//     [header 44][v1 data, 32-bit times]  [header 44][v2+ data, 64-bit times]  \n POSIX string \n
//     header: "TZif" version:u8 reserved:15 isutcnt isstdcnt leapcnt timecnt typecnt charcnt (u32, big-endian)
//     data:   transition times, type of each (u8), types (offset i32, isdst u8, abbreviation index u8),
//             abbreviation bytes, leap seconds, standard and UT flags
//
// Every count and index is checked before it is used: the file is foreign input. Leap seconds are refused
// ("right/" zones): a Timestamp has none.
//
// Source: RFC 9636.

extension TimeZoneRules {
    /// Why a zone file could not be used.
    struct FileError: Error, Sendable {
        var reason: String
    }

    /// Reads the bytes of a TZif file.
    convenience init(name: String, file bytes: [UInt8]) throws(FileError) {
        var reader = Reader(bytes: bytes)
        var header = try reader.header()
        var timeWidth = 4
        if header.version >= UInt8(ascii: "2") {
            try reader.skip(header.dataBytes(timeWidth: 4))
            header = try reader.header()
            timeWidth = 8
        }
        guard header.leapCount == 0 else { throw FileError(reason: "leap seconds are not supported") }
        guard header.typeCount >= 1, header.typeCount <= 256 else { throw FileError(reason: "no local time types") }

        var transitions: [Int64] = []
        for _ in 0..<header.timeCount {
            let time = timeWidth == 8 ? Int64(bitPattern: try reader.word64()) : Int64(try reader.signed32())
            if let last = transitions.last, time <= last { throw FileError(reason: "transitions are not ascending") }
            transitions.append(time)
        }
        var typeAfter: [UInt8] = []
        for _ in 0..<header.timeCount {
            let type = try reader.byte()
            guard Int(type) < header.typeCount else { throw FileError(reason: "type index out of range") }
            typeAfter.append(type)
        }
        var raw: [(offset: Int, isDaylight: Bool, index: Int)] = []
        for _ in 0..<header.typeCount {
            let offset = Int(try reader.signed32())
            guard abs(offset) <= 93_599 else { throw FileError(reason: "offset out of range") }
            raw.append((offset, try reader.byte() != 0, Int(try reader.byte())))
        }
        let characters = try reader.take(header.characterCount)
        var types: [LocalTime] = []
        for type in raw {
            guard type.index < characters.count else { throw FileError(reason: "abbreviation index out of range") }
            let abbreviation = characters[(characters.startIndex + type.index)...].prefix { $0 != 0 }
            types.append(
                LocalTime(
                    offset: type.offset, isDaylight: type.isDaylight,
                    abbreviation: String(decoding: abbreviation, as: UTF8.self)))
        }
        try reader.skip(header.standardCount + header.universalCount)

        var rule: POSIXTimeZone?
        if timeWidth == 8 {
            guard try reader.byte() == 10 else { throw FileError(reason: "no footer") }
            let footer = try reader.line()
            if !footer.isEmpty {
                guard let parsed = POSIXTimeZone(footer) else { throw FileError(reason: "unreadable footer") }
                rule = parsed
            }
        }
        if transitions.isEmpty, let rule {
            self.init(name: name, transitions: [], typeAfter: [], types: [rule.standard], rule: rule)
        } else {
            self.init(name: name, transitions: transitions, typeAfter: typeAfter, types: types, rule: rule)
        }
    }

    private struct Header {
        var version: UInt8
        var universalCount: Int
        var standardCount: Int
        var leapCount: Int
        var timeCount: Int
        var typeCount: Int
        var characterCount: Int

        func dataBytes(timeWidth: Int) -> Int {
            timeCount * (timeWidth + 1) + typeCount * 6 + characterCount + leapCount * (timeWidth + 4)
                + standardCount + universalCount
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func take(_ count: Int) throws(FileError) -> ArraySlice<UInt8> {
            guard count >= 0, count <= bytes.count - position else { throw FileError(reason: "file ends early") }
            defer { position += count }
            return bytes[position..<position + count]
        }

        mutating func skip(_ count: Int) throws(FileError) { _ = try take(count) }

        mutating func byte() throws(FileError) -> UInt8 {
            let one = try take(1)
            return one[one.startIndex]
        }

        mutating func word64() throws(FileError) -> UInt64 {
            try take(8).reduce(0) { $0 << 8 | UInt64($1) }
        }

        mutating func word32() throws(FileError) -> UInt32 {
            try take(4).reduce(0) { $0 << 8 | UInt32($1) }
        }

        mutating func signed32() throws(FileError) -> Int32 { Int32(bitPattern: try word32()) }

        mutating func line() throws(FileError) -> ArraySlice<UInt8> {
            guard let end = bytes[position...].firstIndex(of: 10) else { throw FileError(reason: "no footer") }
            defer { position = end + 1 }
            return bytes[position..<end]
        }

        mutating func header() throws(FileError) -> Header {
            guard try take(4).elementsEqual("TZif".utf8) else { throw FileError(reason: "not a TZif file") }
            let version = try byte()
            try skip(15)
            var counts: [Int] = []
            for _ in 0..<6 { counts.append(Int(try word32())) }
            // 100,000 is far beyond any zone and keeps sums of counts from overflowing.
            guard counts.allSatisfy({ $0 <= 100_000 }) else { throw FileError(reason: "count out of range") }
            return Header(
                version: version, universalCount: counts[0], standardCount: counts[1], leapCount: counts[2],
                timeCount: counts[3], typeCount: counts[4], characterCount: counts[5])
        }
    }
}
