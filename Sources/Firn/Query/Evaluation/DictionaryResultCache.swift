// SPDX-License-Identifier: Apache-2.0
//
// Remembers what a function gave for every value of a dictionary, so that a statement works through each
// dictionary once, however many blocks refer to it, and so that text that a function made keeps one
// dictionary from block to block and can be grouped by code.

import Synchronization

/// Results by (dictionary, operation). Shared by all threads of a statement.
final class DictionaryResultCache: Sendable {
    /// An operation on one text argument, everything else being constant.
    struct Operation: Hashable {
        var name: String
        var resultType: DataType
        /// The other arguments, with NULL where the text stands.
        var constants: [Value]
        /// Which argument the text is.
        var position: Int

        /// Constants that are equal may be written differently (1.5 and 1.50), so they have to be identical.
        static func == (left: Operation, right: Operation) -> Bool {
            left.name == right.name && left.resultType == right.resultType && left.position == right.position
                && left.constants.elementsEqual(right.constants) { $0.isIdentical(to: $1) }
        }
    }

    /// What came out for each value of a dictionary.
    struct Result: Sendable {
        /// One row for each dictionary entry. For text results: dictionary-coded, without duplicates.
        var column: Column
    }

    private struct Key: Hashable {
        var dictionary: ObjectIdentifier
        var operation: Operation
    }

    private struct Entry {
        /// Held, so that its address stays its own.
        var dictionary: BytesDictionary
        var result: Result
    }

    /// Beyond this many entries the cache starts anew: a statement meets few dictionaries at a time.
    private static let entryCountMax = 4_096

    private let entries = Mutex<[Key: Entry]>([:])

    func result(of operation: Operation, for dictionary: BytesDictionary) -> Result? {
        entries.withLock { $0[Key(dictionary: ObjectIdentifier(dictionary), operation: operation)]?.result }
    }

    /// Keeps a result; when another thread was faster, its result stays and is given back, so that all threads
    /// refer to one dictionary.
    func keep(_ result: Result, of operation: Operation, for dictionary: BytesDictionary) -> Result {
        let key = Key(dictionary: ObjectIdentifier(dictionary), operation: operation)
        return entries.withLock { entries in
            if let earlier = entries[key] { return earlier.result }
            if entries.count >= DictionaryResultCache.entryCountMax { entries.removeAll() }
            entries[key] = Entry(dictionary: dictionary, result: result)
            return result
        }
    }
}
