// SPDX-License-Identifier: Apache-2.0
//
// Options and types that a program made up and that cannot be: refused by name before anything is opened or made.

extension DatabaseOptions {
    /// Most threads that one statement may be given.
    static let queryThreadCountMax = 1_024

    /// Throws 22023 for an option outside its range.
    func check() throws(FirnError) {
        func check(_ name: String, _ value: some BinaryInteger, _ range: ClosedRange<Int64>) throws(FirnError) {
            guard let value = Int64(exactly: value), range.contains(value) else {
                let upper =
                    range.upperBound == .max
                    ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
                throw FirnError(
                    .invalidParameterValue, "option \(name) cannot be \(value)", detail: "Its range is \(upper).")
            }
        }
        try check("queryThreadCount", queryThreadCount, 1...Int64(Self.queryThreadCountMax))
        try check("statementThreadCountMax", statementThreadCountMax, 1...65_536)
        try check("statementTimeoutMilliseconds", statementTimeoutMilliseconds, 0...Int64(Int32.max))
        try check("queryMemoryBytesMax", queryMemoryBytesMax, 1...Int64.max)
        try check("storage.memtableBytesMax", storage.memtableBytesMax, 1...Int64.max)
        try check("storage.memoryBytesMax", storage.memoryBytesMax, 1...Int64.max)
        try check("storage.logFileBytes", storage.logFileBytes, 1...Int64.max)
        try check("storage.cacheBytesMax", storage.cacheBytesMax, 0...Int64.max)
        try check("storage.footerCacheBytesMax", storage.footerCacheBytesMax, 0...Int64.max)
        if let openFilesMax = storage.openFilesMax { try check("storage.openFilesMax", openFilesMax, 1...Int64.max) }
        // In nanoseconds it must be an Int64.
        try check("storage.chunkIntervalSeconds", storage.chunkIntervalSeconds, 1...Int64.max / 1_000_000_000)
    }
}

extension DataType {
    /// Throws 42P16 or 22023 for a type that no column of a table can have.
    func checkForTable(_ column: String, _ modifier: TypeModifier?) throws(FirnError) {
        if let modifier, !modifier.fits(self) {
            throw FirnError(
                .invalidParameterValue, "column \"\(column)\": type \(self) cannot have the modifier \(modifier)")
        }
        switch self {
        case .unknown:
            throw FirnError(.invalidTableDefinition, "column \"\(column)\" has pseudo-type unknown")
        case .vector(let dimensions) where !(1...DataType.vectorDimensionsMax).contains(dimensions):
            throw FirnError(
                .invalidParameterValue,
                "column \"\(column)\": dimensions for type vector must be between 1 and \(DataType.vectorDimensionsMax)"
            )
        case .numeric(let precision?, let scale):
            guard (1...Decimal.digitsMax).contains(precision) else {
                throw FirnError(
                    .invalidParameterValue,
                    "column \"\(column)\": NUMERIC precision \(precision) must be between 1 and \(Decimal.digitsMax)")
            }
            guard (0...precision).contains(scale ?? 0) else {
                throw FirnError(
                    .invalidParameterValue,
                    "column \"\(column)\": NUMERIC scale \(scale ?? 0) must be between 0 and precision \(precision)")
            }
        case .numeric(nil, let scale?):
            throw FirnError(.invalidParameterValue, "column \"\(column)\": NUMERIC scale \(scale) needs a precision")
        default: break
        }
    }
}
