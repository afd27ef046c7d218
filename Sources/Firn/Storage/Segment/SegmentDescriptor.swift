// SPDX-License-Identifier: Apache-2.0
//
// What the manifest stores about a segment: where it lies, what it covers, and what it cost.
//
// A segment is named by its file and its offset in it; nothing else on disk refers to it.

struct SegmentDescriptor: Sendable, Hashable {
    var table: TableID
    /// The file that holds it, `data/<file>.seg`.
    var file: FileID
    /// Where its first page begins in the file.
    var byteOffset: Int64
    /// Its bytes in the file: pages, dictionaries and footer.
    var byteCount: Int64
    var rowCount: Int
    var chunk: ChunkID
    /// Smallest and largest value of the table's time column; nil where the table has none.
    var timeRange: ClosedRange<Int64>?
    /// The columns by which the rows ascend: the sort key, then the time column.
    var order: [ColumnID]
    /// The commits whose rows it holds. A bulk load sets it when it commits.
    var lsnRange: ClosedRange<LSN>
    /// Bytes that its values take in memory, dictionaries included.
    var rawByteCount: Int64
    /// What its encodings favour.
    var profile: SegmentProfile

    func encode(into output: inout ByteWriter) {
        output.appendVarint(table.rawValue)
        output.appendVarint(file.rawValue)
        output.appendVarint(Int(byteOffset))
        output.appendVarint(Int(byteCount))
        output.appendVarint(rowCount)
        output.appendVarint(chunk.rawValue)
        output.append(timeRange == nil ? 0 : 1 as UInt8)
        if let timeRange {
            output.appendSignedVarint(timeRange.lowerBound)
            output.appendSignedVarint(timeRange.upperBound)
        }
        output.appendVarint(order.count)
        for column in order { output.appendVarint(column.rawValue) }
        output.appendVarint(lsnRange.lowerBound.rawValue)
        output.appendVarint(lsnRange.upperBound.rawValue)
        output.appendVarint(Int(rawByteCount))
        output.append(profile.rawValue)
    }

    static func decode(from reader: inout ByteReader) throws(FormatError) -> SegmentDescriptor {
        let table = try reader.readIdentifier(TableID.self)
        let file = try reader.readIdentifier(FileID.self)
        let byteOffset = Int64(try reader.readCount(atMost: Int(Int64.max / 2)))
        let byteCount = Int64(try reader.readCount(atMost: Int(Int64.max / 2)))
        let rowCount = try reader.readCount()
        let chunk = try reader.readIdentifier(ChunkID.self)
        var timeRange: ClosedRange<Int64>?
        let rangeStart = reader.offset
        switch try reader.readByte() {
        case 0: break
        case 1:
            let lower = try reader.readSignedVarint()
            let upper = try reader.readSignedVarint()
            guard lower <= upper else { throw FormatError("a time range ends before it begins", at: rangeStart) }
            timeRange = lower...upper
        case let tag: throw FormatError("\(tag) does not say whether there is a time range", at: rangeStart)
        }
        var order: [ColumnID] = []
        for _ in 0..<(try reader.readCount(atMost: TableSchema.columnCountMax)) {
            order.append(try reader.readIdentifier(ColumnID.self))
        }
        let lsnStart = reader.offset
        let firstLSN = try reader.readIdentifier(LSN.self)
        let lastLSN = try reader.readIdentifier(LSN.self)
        guard firstLSN <= lastLSN else { throw FormatError("a range of commits ends before it begins", at: lsnStart) }
        let rawByteCount = Int64(try reader.readCount(atMost: Int(Int64.max / 2)))
        let profileStart = reader.offset
        let profileNumber = try reader.readByte()
        guard let profile = SegmentProfile(rawValue: profileNumber) else {
            throw FormatError("storage profile \(profileNumber) is not known", at: profileStart)
        }
        return SegmentDescriptor(
            table: table, file: file, byteOffset: byteOffset, byteCount: byteCount, rowCount: rowCount, chunk: chunk,
            timeRange: timeRange, order: order, lsnRange: firstLSN...lastLSN, rawByteCount: rawByteCount,
            profile: profile)
    }
}

/// What the encodings of a segment favour.
enum SegmentProfile: UInt8, Sendable, Hashable {
    /// Decoding speed: what a flush writes.
    case warm = 0
    /// Few bytes: what compression of settled chunks writes.
    case cold = 1

    /// As people read it.
    var name: String { self == .warm ? "warm" : "cold" }
}
