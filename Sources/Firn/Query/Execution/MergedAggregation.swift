// SPDX-License-Identifier: Apache-2.0
//
// The partial aggregations of all parts as one, without copying what need not be copied.
//
// Parts come in order. The keys of all groups are collected in one table, in the order of first appearance, which is
// the order of the result. The states of a group stay in the part where it first appeared; what later parts know of
// it is merged into them there. So the groups of a sorted table, of which neighbouring parts share one at most, are
// never moved; and the result is read part by part. A part that has few groups of its own hands them to the part
// before it and is dropped: what is held at the end is bounded by the number of groups, not of parts.
//
//     global groups   0 … 4           5 … 7         8 …
//     links           part 0          part 1        part 3            (part 2 had none of its own)
//       own groups    0 1 2 3 4       2 3 4         0 …               (groups 0 and 1 of part 1 were part 0's)
//
// The own groups of a link are neighbours among the global groups, so where a group's states are is found by bisection.

/// Groups of several parts. Not thread-safe.
final class MergedAggregation {
    /// A part whose states hold the results of its own groups.
    struct Link {
        let states: [any AggregateState]
        /// The first of its own groups among the global ones.
        let firstGlobal: Int
        /// Groups in the states.
        var groupCount: Int
        /// Those that are its own, ascending; nil: all.
        var ownGroups: [UInt32]?
        /// Kept for what it holds.
        let held: HeldMemory

        var ownCount: Int { ownGroups?.count ?? groupCount }

        /// Its own groups among the global ones.
        var globals: Range<Int> { firstGlobal..<firstGlobal + ownCount }

        /// Where the states of one of `globals` are.
        func group(ofGlobal global: Int) -> UInt32 {
            ownGroups?[global - firstGlobal] ?? UInt32(truncatingIfNeeded: global - firstGlobal)
        }
    }

    private let program: AggregateProgram
    private let evaluator: BlockEvaluator
    private let memory: MemoryBudget
    private let held: HeldMemory
    /// Nil without keys.
    private let keys: GroupKeys?
    private var links: [Link] = []
    /// Sets of distinct values are merged in one go: they stay in few links.
    private let hasDistinct: Bool

    init(_ program: AggregateProgram, _ evaluator: BlockEvaluator, _ memory: MemoryBudget) {
        self.program = program
        self.evaluator = evaluator
        self.memory = memory
        held = HeldMemory(memory)
        keys = program.layout.map { GroupKeys($0) }
        hasDistinct = program.states.contains { $0.distinctLayout != nil }
    }

    /// Adds a part whose rows come after all others so far. The part is used up.
    func append(_ part: PartialAggregation) throws(FirnError) {
        guard let keys, let partKeys = part.keys else {
            if links.isEmpty {
                addLink(part, ownGroups: nil)
            } else {
                try merge([MergePair(from: 0, to: 0)], of: part, intoLink: 0)
            }
            return
        }
        if part.groupCount == 0 { return }
        let before = keys.count
        let map = try keys.groups(of: partKeys)
        let newCount = keys.count - before
        if newCount < map.count { try mergeKnownGroups(of: part, map, before) }
        if newCount > 0 {
            // New groups have ascending numbers in the order in which the part has them.
            let own = newCount == map.count ? nil : Self.groups(in: map, from: before, count: newCount)
            if links.isEmpty || (2 * newCount >= map.count && !hasDistinct) {
                addLink(part, ownGroups: own)
            } else {
                try moveIntoLastLink(own ?? (0..<UInt32(map.count)).map { $0 }, of: part)
            }
        }
        try held.raise(to: keys.byteCount)
    }

    /// The groups of a part that are new among the global ones.
    private static func groups(in map: [UInt32], from first: Int, count: Int) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: count) { groups, initialized in
            for group in map.indices where map[group] >= first {
                (groups.baseAddress! + initialized).initialize(to: UInt32(truncatingIfNeeded: group))
                initialized += 1
            }
        }
    }

    private func addLink(_ part: PartialAggregation, ownGroups: [UInt32]?) {
        links.append(
            Link(
                states: part.states, firstGlobal: links.last?.globals.upperBound ?? 0, groupCount: part.groupCount,
                ownGroups: ownGroups, held: part.held))
    }

    /// Merges the groups that earlier parts have into those, link by link.
    private func mergeKnownGroups(of part: PartialAggregation, _ map: [UInt32], _ knownCount: Int) throws(FirnError) {
        var pairsOfLinks = [[MergePair]](repeating: [], count: links.count)
        var link = 0
        for group in map.indices where map[group] < knownCount {
            let global = Int(map[group])
            if !links[link].globals.contains(global) { link = self.link(ofGlobal: global) }
            pairsOfLinks[link].append(
                MergePair(from: UInt32(truncatingIfNeeded: group), to: links[link].group(ofGlobal: global)))
        }
        for (link, pairs) in pairsOfLinks.enumerated() where !pairs.isEmpty {
            try merge(pairs, of: part, intoLink: link)
        }
    }

    /// The link that has a global group of its own.
    private func link(ofGlobal global: Int) -> Int {
        var low = 0
        var high = links.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if links[middle].firstGlobal <= global { low = middle } else { high = middle }
        }
        return low
    }

    private func merge(_ pairs: [MergePair], of part: PartialAggregation, intoLink link: Int) throws(FirnError) {
        let states = links[link].states
        try pairs.withUnsafeBufferPointer { pairs throws(FirnError) in
            for (state, partState) in zip(states, part.states) { try state.merge(partState, pairs) }
        }
        try links[link].held.raise(to: states.reduce(0) { $0 + $1.byteCount })
    }

    private func moveIntoLastLink(_ groups: [UInt32], of part: PartialAggregation) throws(FirnError) {
        let last = links.count - 1
        let first = UInt32(links[last].groupCount)
        for state in links[last].states { state.addGroups(groups.count) }
        let added = first..<first + UInt32(groups.count)
        links[last].groupCount += groups.count
        links[last].ownGroups?.append(contentsOf: added)
        let pairs = zip(groups, added).map { MergePair(from: $0, to: $1) }
        try merge(pairs, of: part, intoLink: last)
    }

    /// The groups as they are now, to be read. Nothing is added any more.
    func finish() throws(FirnError) -> FinishedAggregation {
        if keys == nil, links.isEmpty { addLink(PartialAggregation(program, evaluator, memory), ownGroups: nil) }
        let joining = keys?.joiningByteCount ?? 0
        try held.reserve(joining)
        let finished = keys?.finish()
        held.release(joining)
        return FinishedAggregation(program: program, links: links, keys: finished, held: held)
    }
}
