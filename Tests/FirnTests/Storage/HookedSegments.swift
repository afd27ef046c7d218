// SPDX-License-Identifier: Apache-2.0
//
// The product's segments, with a test's hand in each write and each search for a key: it decides when they go on, and
// what happens meanwhile.

import FirnIO
import Synchronization
import SystemPackage

@testable import Firn

final class HookedSegments: SegmentAccess {
    private let inner: SegmentFiles
    private let hook = Mutex<(@Sendable () throws(FirnError) -> Void)?>(nil)
    private let searchHook = Mutex<(@Sendable () throws(FirnError) -> Void)?>(nil)

    init(_ inner: SegmentFiles) { self.inner = inner }

    /// Runs `body` in front of each write, on the thread that writes; nil for nothing.
    func beforeWriting(_ body: (@Sendable () throws(FirnError) -> Void)?) { hook.withLock { $0 = body } }

    /// Runs `body` in front of each search for keys, on the thread that searches; nil for nothing.
    func beforeSearching(_ body: (@Sendable () throws(FirnError) -> Void)?) { searchHook.withLock { $0 = body } }

    func begin(epoch: UInt64) { inner.begin(epoch: epoch) }

    func write(
        to path: FilePath, file: FileID, profile: SegmentProfile, chunks: ChunkLocator,
        next: () throws(FirnError) -> FlushInput?
    ) throws(FirnError) -> FlushOutput {
        try hook.withLock { $0 }?()
        return try inner.write(to: path, file: file, profile: profile, chunks: chunks, next: next)
    }

    func morsels(
        of segment: SegmentDescriptor, at path: FilePath, schema: TableSchema, pruning ranges: [ColumnRange]
    ) throws(FirnError) -> [any Morsel] {
        try inner.morsels(of: segment, at: path, schema: schema, pruning: ranges)
    }

    func description(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> SegmentFile.Segment {
        try inner.description(of: segment, at: path)
    }

    func keyIndexByteCount(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> Int {
        try inner.keyIndexByteCount(of: segment, at: path)
    }

    func firstMatch(
        of keys: KeyProbe, in segment: SegmentDescriptor, at path: FilePath, schema: TableSchema
    ) throws(FirnError) -> Int? {
        try searchHook.withLock { $0 }?()
        return try inner.firstMatch(of: keys, in: segment, at: path, schema: schema)
    }

    func forget(_ file: FileID) { inner.forget(file) }

    func verify(_ segment: SegmentDescriptor, at path: FilePath, schema: TableSchema) throws(FirnError) {
        try inner.verify(segment, at: path, schema: schema)
    }
}

extension EngineWorld {
    /// An engine whose writes of segments the test can hold up.
    func openHooked(keyExecutor: (any WorkExecutor)? = nil) throws(FirnError) -> (StorageEngine, HookedSegments) {
        var made: HookedSegments?
        let engine = try StorageEngine.open(
            path, options: options, fileSystem: fileSystem, timeSource: time, random: random,
            executor: executor, keyExecutor: keyExecutor
        ) { database in
            let segments = HookedSegments(segments(of: database))
            made = segments
            return segments
        }
        return (engine, made!)
    }
}

/// A door that stays shut until it is opened, and tells when somebody stands before it.
final class Door: Sendable {
    private let state = ConditionLock((isOpen: false, arrivalCount: 0))

    /// Stands before the door until it is open.
    func pass() {
        state.withLock { $0.arrivalCount += 1 }
        state.broadcast()
        state.wait(until: { $0.isOpen }, then: { _ in })
    }

    func awaitArrival() { state.wait(until: { $0.arrivalCount > 0 }, then: { _ in }) }

    func open() {
        state.withLock { $0.isOpen = true }
        state.broadcast()
    }
}

/// Values from many threads.
final class Collected<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    func append(_ value: Value) { values.withLock { $0.append(value) } }

    var all: [Value] { values.withLock { $0 } }
    var count: Int { values.withLock { $0.count } }
}
