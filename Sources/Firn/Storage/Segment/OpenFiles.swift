// SPDX-License-Identifier: Apache-2.0
//
// The descriptors of data files: opened for a read, kept for the next one, up to a limit.
//
// Nobody holds a descriptor longer than one read, so that a query over any number of files needs as many at once as
// it has threads. Which one goes is decided between two picked at random, the one that was used longer ago: close to
// the least recently used, and a query that reads more files than may be open, again and again, still finds most of
// the others open, where the strict order would close each just before it is needed.
//
// Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001, applied to eviction.

import FirnIO
import Synchronization
import SystemPackage

/// Descriptors of the data files of one database. Thread-safe.
final class OpenFiles: Sendable {
    private struct Entry {
        let id: FileID
        let file: any File
        var lastUse: UInt64
    }

    private struct State {
        var slots: [FileID: Int] = [:]
        var entries: [Entry] = []
        var clock: UInt64 = 0
        var random: UInt64 = 0x9E37_79B9_7F4A_7C15
        var openingCount = 0

        mutating func remove(_ slot: Int) {
            slots[entries[slot].id] = nil
            let last = entries.removeLast()
            guard slot < entries.count else { return }
            entries[slot] = last
            slots[last.id] = slot
        }

        mutating func randomSlot() -> Int {
            // xorshift64 (Marsaglia, 2003)
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % UInt64(entries.count))
        }

        mutating func removeOldOne() {
            let (one, other) = (randomSlot(), randomSlot())
            remove(entries[one].lastUse < entries[other].lastUse ? one : other)
        }
    }

    /// Most descriptors that are kept.
    let countMax: Int
    private let fileSystem: any FileSystem
    private let state = Mutex(State())

    init(fileSystem: any FileSystem, countMax: Int) {
        precondition(countMax > 0, "at least one file can be open")
        self.fileSystem = fileSystem
        self.countMax = countMax
    }

    /// Half of what the process may open, for the rest is the program's; no more than 16,384.
    static var defaultCountMax: Int { min(max(OpenFileLimit.current / 2, 16), 16_384) }

    /// Descriptors that are open now.
    var count: Int { state.withLock { $0.entries.count } }
    /// How often a file was opened.
    var openingCount: Int { state.withLock { $0.openingCount } }

    /// The file, open for reading. To be let go after the read.
    func file(_ id: FileID, at path: FilePath) throws(FirnError) -> any File {
        let known: (any File)? = state.withLock { state in
            guard let slot = state.slots[id] else { return nil }
            state.clock += 1
            state.entries[slot].lastUse = state.clock
            return state.entries[slot].file
        }
        if let known { return known }
        // No lock is held while a file is opened; of two threads that open it together, the first one's stays.
        let opened = try open(path)
        let countMax = countMax
        return state.withLock { state in
            state.openingCount += 1
            if let slot = state.slots[id] { return state.entries[slot].file }
            while state.entries.count >= countMax { state.removeOldOne() }
            state.clock += 1
            state.slots[id] = state.entries.count
            state.entries.append(Entry(id: id, file: opened, lastUse: state.clock))
            return opened
        }
    }

    private func open(_ path: FilePath) throws(FirnError) -> any File {
        do {
            return try fileSystem.open(path, .readOnly)
        } catch {
            guard error.errno == .tooManyOpenFiles || error.errno == .tooManyOpenFilesInSystem else {
                throw FirnError(error)
            }
            // The program has taken descriptors that were counted on: those that are only kept go.
            state.withLock { state in
                for _ in 0..<(state.entries.count + 1) / 2 { state.removeOldOne() }
            }
            return try FirnError.mapping { () throws(IOError) in try fileSystem.open(path, .readOnly) }
        }
    }

    /// Closes a file that is about to be removed.
    func forget(_ id: FileID) {
        state.withLock { state in
            if let slot = state.slots[id] { state.remove(slot) }
        }
    }
}
