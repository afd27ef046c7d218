// SPDX-License-Identifier: Apache-2.0
//
// The directory entries on the simulated disk, and those that are still on their way there.
//
// An operation (a creation, a rename, …) touches one directory or two, and reaches the disk whole. Operations on one
// directory keep their order; operations on different directories may overtake each other, unless the world is
// journaled: then all keep their order.

import FirnIO

struct MetadataJournal {
    typealias Tree = DirectoryTree<SimulatedInode>

    /// What the disk holds.
    private(set) var durable = Tree()
    /// Operations that the disk does not hold yet, oldest first.
    private var unsynced: [[Tree.Change]] = []

    init() {}

    /// The journal of a disk that holds `durable` and has nothing on its way.
    init(durable: Tree) { self.durable = durable }

    mutating func append(_ changes: [Tree.Change]) {
        if !changes.isEmpty { unsynced.append(changes) }
    }

    mutating func syncAll() {
        for changes in unsynced { durable.apply(changes) }
        unsynced = []
    }

    /// Takes the directory's operations to the disk, and the earlier ones of every directory that they touch as well.
    mutating func sync(_ directory: Tree.DirectoryID) {
        var needed: Set<Tree.DirectoryID> = [directory]
        var isNeeded = [Bool](repeating: false, count: unsynced.count)
        for index in unsynced.indices.reversed() {
            let touched = unsynced[index].map(\.directory)
            guard touched.contains(where: needed.contains) else { continue }
            isNeeded[index] = true
            needed.formUnion(touched)
        }
        for index in unsynced.indices where isNeeded[index] { durable.apply(unsynced[index]) }
        unsynced = unsynced.indices.filter { !isNeeded[$0] }.map { unsynced[$0] }
    }

    /// The entries that a boot finds; `current` is what programs saw last.
    func survivor(_ survival: Survival, _ current: Tree, _ durability: DirectoryDurability) -> Tree {
        switch survival {
        case .syncedAlone: return durable
        case .everything: return current
        case .random(let seed):
            var random = Xoshiro256(seed: ~seed)
            let percentage = [0, 50, 80, 95, 100].randomElement(using: &random)!
            var survivor = durable
            /// Directories whose later operations are lost, because an earlier one is.
            var closed: Set<Tree.DirectoryID> = []
            for changes in unsynced {
                let touched = changes.map(\.directory)
                let isKept =
                    !touched.contains(where: closed.contains) && Int.random(in: 0..<100, using: &random) < percentage
                if isKept {
                    survivor.apply(changes)
                } else if durability == .journaled {
                    return survivor
                } else {
                    closed.formUnion(touched)
                }
            }
            return survivor
        }
    }

    /// The same journal over other files.
    func mapFiles(_ transform: (SimulatedInode) -> SimulatedInode) -> MetadataJournal {
        var mapped = MetadataJournal(durable: durable.mapFiles(transform))
        mapped.unsynced = unsynced.map { changes in changes.map { $0.mapFile(transform) } }
        return mapped
    }
}
