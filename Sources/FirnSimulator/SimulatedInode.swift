// SPDX-License-Identifier: Apache-2.0
//
// A file of the simulated world: what programs see, what the disk holds, and the changes in between.
//
// What a crash may leave of the changes since the last sync (per file, chosen by the seed):
//
//     nothing    every change is lost
//     all        every change is there
//     prefix     the changes up to some moment, the last write cut off at any byte
//     sectors    any sectors of any writes, each sector as it was at some moment since the sync: writes to different
//                sectors may overtake each other, but a sector never holds a later write without the earlier ones, since
//                the page cache writes whole sectors. Truncations happen in their order.
//
// Sectors between what arrived read as zeros, and the byte count may run ahead of the bytes (delayed allocation).
//
// Idea: Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014; TigerBeetle's src/testing/storage.zig.

import FirnIO
import SystemPackage

// @unchecked Sendable: touched only under the lock of the one SimulatedFileSystem that it belongs to.
final class SimulatedInode: @unchecked Sendable {
    enum Change {
        case write([UInt8], at: Int64)
        case resize(to: Int64)
    }

    let number: Int
    let lock = AdvisoryLock()
    /// What programs see: the page cache.
    private(set) var current = ChunkedBytes()
    /// What the disk holds.
    private(set) var durable = ChunkedBytes()
    /// What leads from `durable` to `current`, in order; less after a failed sync, which forgets.
    private(set) var unsynced: [Change] = []

    init(number: Int) { self.number = number }

    func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(Errno) {
        var position = byteOffset
        for piece in pieces {
            try current.write(piece, at: position)
            if !piece.isEmpty { unsynced.append(.write([UInt8](piece), at: position)) }
            position += Int64(piece.count)
        }
    }

    func resize(to byteCount: Int64) throws(Errno) {
        try current.resize(to: byteCount)
        unsynced.append(.resize(to: byteCount))
    }

    func sync() throws(Errno) {
        for change in unsynced { try durable.apply(change) }
        unsynced = []
    }

    /// Some of the changes reach the disk, and the page cache believes that all did.
    func failSync(_ random: inout Xoshiro256, sectorByteCount: Int) throws(Errno) {
        durable = try survivingBytes(&random, sectorByteCount: sectorByteCount)
        unsynced = []
    }

    /// The same file in the same state.
    func copy() throws(Errno) -> SimulatedInode {
        let copy = SimulatedInode(number: number)
        copy.current = try current.copy()
        copy.durable = try durable.copy()
        copy.unsynced = unsynced
        return copy
    }

    /// The file as a reboot finds it, when the disk held `bytes`.
    func reborn(_ survival: Survival, sectorByteCount: Int) throws(Errno) -> SimulatedInode {
        let reborn = SimulatedInode(number: number)
        switch survival {
        case .syncedAlone: reborn.durable = try durable.copy()
        case .everything: reborn.durable = try current.copy()
        case .random(let seed):
            // Mixed with the number, so that one file's fate does not depend on how many others there are.
            var random = Xoshiro256(seed: seed ^ (UInt64(number) &* 0x9E37_79B9_7F4A_7C15))
            reborn.durable = try survivingBytes(&random, sectorByteCount: sectorByteCount)
        }
        reborn.current = try reborn.durable.copy()
        return reborn
    }

    private func survivingBytes(_ random: inout Xoshiro256, sectorByteCount: Int) throws(Errno) -> ChunkedBytes {
        var bytes = try durable.copy()
        if unsynced.isEmpty { return bytes }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: break
        case 1:
            for change in unsynced { try bytes.apply(change) }
        case 2...3: try applyPrefix(&bytes, &random)
        default: try applySectors(&bytes, &random, sectorByteCount)
        }
        return bytes
    }

    private func applyPrefix(_ bytes: inout ChunkedBytes, _ random: inout Xoshiro256) throws(Errno) {
        let keptCount = Int.random(in: 0..<unsynced.count, using: &random)
        for change in unsynced[..<keptCount] { try bytes.apply(change) }
        // Of the first change that is not whole, a part.
        if case .write(let written, let byteOffset) = unsynced[keptCount] {
            let tornCount = Int.random(in: 0...written.count, using: &random)
            try bytes.apply(.write(Array(written[..<tornCount]), at: byteOffset))
        }
    }

    private func applySectors(
        _ bytes: inout ChunkedBytes, _ random: inout Xoshiro256, _ sectorByteCount: Int
    ) throws(Errno) {
        let percentage = [10, 50, 90, 99].randomElement(using: &random)!
        var resizesLeft = Int.random(in: 0...unsynced.count, using: &random)
        /// Sectors that were last written back before the change at hand: later writes do not reach them.
        var finalSectors: Set<Int64> = []
        for change in unsynced {
            switch change {
            case .resize:
                guard resizesLeft > 0 else { continue }
                resizesLeft -= 1
                try bytes.apply(change)
            case .write(let written, let byteOffset):
                let end = byteOffset + Int64(written.count)
                var begin = byteOffset
                while begin < end {
                    let sector = begin / Int64(sectorByteCount)
                    let next = min(end, (sector + 1) * Int64(sectorByteCount))
                    if !finalSectors.contains(sector) {
                        if Int.random(in: 0..<100, using: &random) < percentage {
                            let part = Array(written[Int(begin - byteOffset)..<Int(next - byteOffset)])
                            try bytes.apply(.write(part, at: begin))
                        } else {
                            finalSectors.insert(sector)
                        }
                    }
                    begin = next
                }
                // The byte count may be written back before the bytes.
                if end > bytes.byteCount, Int.random(in: 0..<8, using: &random) == 0 {
                    try bytes.resize(to: end)
                }
            }
        }
    }
}

extension ChunkedBytes {
    fileprivate mutating func apply(_ change: SimulatedInode.Change) throws(Errno) {
        switch change {
        case .write(let bytes, let byteOffset):
            let outcome = bytes.withUnsafeBytes { view -> Result<Void, Errno> in
                do throws(Errno) {
                    try write(view, at: byteOffset)
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            try outcome.get()
        case .resize(let byteCount): try resize(to: byteCount)
        }
    }
}
