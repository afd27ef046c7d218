// SPDX-License-Identifier: Apache-2.0
//
// The texts that one function makes for a block of rows, within limits.
//
// A function cannot know how many rows are too many before it has made some texts. So it stops once they take several
// MiB and says so; whoever reads the block tries again with fewer rows (`isBlockTooLarge`). One row is never too many,
// but its value has a limit.

/// Texts of a block as they are made.
struct TextBlock {
    /// Bytes of a block's texts at which it is cut: 8 MiB, so that functions within functions on all threads take
    /// little beside a statement's usual limit of memory.
    static let bytesMax = 8 << 20

    private(set) var values = BytesValues()
    private let rowCount: Int
    private let memoryBytesMax: Int

    init(rowCount: Int, _ context: EvaluationContext) {
        self.rowCount = rowCount
        memoryBytesMax = context.memoryBytesMax
        values.reserveCapacity(rowCount, byteCount: min(rowCount * 16, Self.bytesMax))
    }

    /// Adds a value by writing its bytes.
    mutating func append(_ write: (inout [UInt8]) throws(FirnError) -> Void) throws(FirnError) {
        let before = values.bytes.count
        do {
            try values.append(writing: write)
        } catch let error as FirnError {
            throw error
        } catch {
            preconditionFailure("only the writer throws: \(error)")
        }
        try check(values.bytes.count - before)
    }

    /// Adds a value.
    mutating func append(contentsOf value: some Collection<UInt8>) throws(FirnError) {
        try check(value.count, isAdded: false)
        values.append(contentsOf: value)
        try check(0)
    }

    private func check(_ byteCount: Int, isAdded: Bool = true) throws(FirnError) {
        try Self.checkValue(byteCount, memoryBytesMax: memoryBytesMax)
        // A single value may be as large; more rows than one with it are too many.
        if isAdded, rowCount > 1, values.bytes.count > Self.bytesMax { throw FirnError.blockTooLarge }
    }

    /// Throws 54000 for a value that no table takes, 53200 for one that takes more than half of the statement's memory:
    /// what it is made from is there beside it.
    static func checkValue(_ byteCount: Int, memoryBytesMax: Int = .max) throws(FirnError) {
        if byteCount > BytesValues.valueBytesMax {
            throw FirnError(
                .programLimitExceeded, "requested length too large",
                detail: "A value has at most \(BytesValues.valueBytesMax) bytes.")
        }
        if byteCount > memoryBytesMax / 2 {
            throw FirnError(
                .outOfMemory, "the statement needs more memory than its limit of \(memoryBytesMax) bytes",
                detail: "One value has \(byteCount) bytes, and may have half of the limit.",
                hint: "Raise the limit with SET memory_limit.")
        }
    }
}

extension FirnError {
    /// What a function says whose texts take too much at once. People see it only where rows cannot be taken apart.
    static let blockTooLarge = FirnError(
        .outOfMemory, "the values of a block of rows need more memory than a block may have",
        hint: "Compute them in a query over fewer rows.")

    /// Whether fewer rows at once would help.
    var isBlockTooLarge: Bool { code == .outOfMemory && message == Self.blockTooLarge.message }
}
