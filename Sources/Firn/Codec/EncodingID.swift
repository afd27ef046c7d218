// SPDX-License-Identifier: Apache-2.0
//
// The numbers that name what is stored: physical kinds, encodings of a vector, schemes of a page,
// compression of a page. They are written to disk, so a number is never reused.

/// What the values of a column chunk physically are.
enum PhysicalKind: UInt8, Sendable, CaseIterable {
    /// Integers, timestamps, dates, times, decimals of up to 18 digits.
    case int64 = 1
    /// Decimals of up to 38 digits.
    case int128 = 2
    case float = 3
    case double = 4
    case bool = 5
    /// Text, JSON and byte strings, each value its own run of bytes.
    case bytes = 6
    /// Codes of a dictionary that somebody else keeps.
    case codes = 7
    /// A UUID as the big-endian number that its 16 bytes spell.
    case uuid = 8
    /// Months, days and microseconds.
    case interval = 9
    /// A fixed number of 32-bit floats a value.
    case floatVector = 10
}

/// How one vector of up to 1,024 values is stored. The first byte of every encoded vector.
enum EncodingID: UInt8, Sendable, CaseIterable {
    case constant = 1
    case raw = 2
    case frameOfReference = 3
    case delta = 4
    case deltaOfDelta = 5
    case scaled = 6
    case runLength = 7
    /// Doubles and floats by their bit patterns.
    case bitPattern = 16
    case alp = 17
    case alpRD = 18
    /// Bytes: a vector of lengths, then all bytes.
    case plainBytes = 32
    /// Several integer vectors that together make one vector of wide values.
    case parts = 33
    case rawFloats = 34
    case shuffledFloats = 35
    /// Bytes: a vector of lengths, then codes of the page's symbols.
    case symbolBytes = 36
}

/// How the vectors of a page share what they have in common.
enum PageScheme: UInt8, Sendable, CaseIterable {
    /// Every vector stands for itself.
    case vectors = 1
    /// The whole page is a few arithmetic progressions; there are no vectors.
    case steppedRuns = 2
    /// Distinct values once; vectors of codes into them.
    case dictionary = 3
    /// A bitmap for the whole page; there are no vectors.
    case bitmap = 4
    /// ALP-RD: the cut and the dictionary of left parts once, then vectors.
    case alpRD = 5
    /// One entropy-coded stream for the page; there are no vectors. Cold pages only.
    case binnedEntropy = 6
    /// One stream of whole bytes for the page, meant for Zstandard; there are no vectors. Cold pages only.
    case alignedIntegers = 7
    /// UUIDs: the bits that all of the page share once, then vectors of the others.
    case constantBits = 8
    /// Bytes: a table of frequent pieces of text once, then vectors of codes.
    case symbols = 9
}

/// General-purpose compression over a whole page.
enum PageCompression: UInt8, Sendable, CaseIterable {
    case none = 0
    case lz4 = 1
    case zstandard = 2
}

/// What the chooser favours.
enum StorageProfile: Sendable, CaseIterable {
    /// Decoding speed: what fresh data gets.
    case warm
    /// Few bytes: what `compress_after` moves data to.
    case cold
}
