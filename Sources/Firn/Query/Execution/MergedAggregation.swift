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

/// Groups of several parts. Not thread-safe.
final class MergedAggregation {
    /// A part whose states hold the results of its own groups.
    private struct Link {
        let states: [any AggregateState]
        /// Groups in the states.
        var groupCount: Int
        /// Those that are its own, ascending; nil: all.
        var ownGroups: [UInt32]?
        /// Kept for what it holds.
        let held: HeldMemory

        var ownCount: Int { ownGroups?.count ?? groupCount }
    }

    /// Where the states of a group are.
    private struct Location: BitwiseCopyable {
        var link: UInt32
        var group: UInt32
    }

    private let program: AggregateProgram
    private let evaluator: BlockEvaluator
    private let memory: MemoryBudget
    private let held: HeldMemory
    /// Nil without keys.
    private let keys: GroupKeys?
    private var links: [Link] = []
    /// Of each global group.
    private var locations: [Location] = []
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
        try mergeKnownGroups(of: part, map, before)
        if newCount > 0 {
            // New groups have ascending numbers in the order in which the part has them.
            let own: [UInt32]? =
                newCount == map.count ? nil : map.indices.filter { map[$0] >= before }.map { UInt32($0) }
            if links.isEmpty || (2 * newCount >= map.count && !hasDistinct) {
                addLink(part, ownGroups: own)
            } else {
                try moveIntoLastLink(own ?? (0..<UInt32(map.count)).map { $0 }, of: part)
            }
        }
        let byteCount = keys.byteCount + locations.count * MemoryLayout<Location>.stride
        if byteCount > held.byteCount { try held.reserve(byteCount - held.byteCount) }
    }

    private func addLink(_ part: PartialAggregation, ownGroups: [UInt32]?) {
        let link = UInt32(links.count)
        links.append(
            Link(states: part.states, groupCount: part.groupCount, ownGroups: ownGroups, held: part.held))
        if let ownGroups {
            for group in ownGroups { locations.append(Location(link: link, group: group)) }
        } else {
            for group in 0..<UInt32(part.groupCount) { locations.append(Location(link: link, group: group)) }
        }
    }

    /// Merges the groups that earlier parts have into those, link by link.
    private func mergeKnownGroups(of part: PartialAggregation, _ map: [UInt32], _ knownCount: Int) throws(FirnError) {
        var pairsOfLinks: [Int: [MergePair]] = [:]
        var pairs: [MergePair] = []
        var link: UInt32 = 0
        func file() {
            if !pairs.isEmpty { pairsOfLinks[Int(link), default: []] += pairs }
            pairs.removeAll(keepingCapacity: true)
        }
        for group in map.indices where map[group] < knownCount {
            let location = locations[Int(map[group])]
            if location.link != link {
                file()
                link = location.link
            }
            pairs.append(MergePair(from: UInt32(truncatingIfNeeded: group), to: location.group))
        }
        file()
        for (link, pairs) in pairsOfLinks { try merge(pairs, of: part, intoLink: link) }
    }

    private func merge(_ pairs: [MergePair], of part: PartialAggregation, intoLink link: Int) throws(FirnError) {
        let states = links[link].states
        try pairs.withUnsafeBufferPointer { pairs throws(FirnError) in
            for (state, partState) in zip(states, part.states) { try state.merge(partState, pairs) }
        }
    }

    private func moveIntoLastLink(_ groups: [UInt32], of part: PartialAggregation) throws(FirnError) {
        let last = links.count - 1
        let first = UInt32(links[last].groupCount)
        for state in links[last].states { state.addGroups(groups.count) }
        let added = first..<first + UInt32(groups.count)
        links[last].groupCount += groups.count
        links[last].ownGroups?.append(contentsOf: added)
        for group in added { locations.append(Location(link: UInt32(last), group: group)) }
        let pairs = zip(groups, added).map { MergePair(from: $0, to: $1) }
        try merge(pairs, of: part, intoLink: last)
        let byteCount = links[last].states.reduce(0) { $0 + $1.byteCount }
        let linkHeld = links[last].held
        if byteCount > linkHeld.byteCount { try linkHeld.reserve(byteCount - linkHeld.byteCount) }
    }

    // MARK: Results

    /// Batches of the results: keys, then aggregates, group by group in the order of first appearance.
    func reader() throws(FirnError) -> any BatchReader {
        if keys == nil, links.isEmpty { addLink(PartialAggregation(program, evaluator, memory), ownGroups: nil) }
        let finishedKeys = keys?.finish()
        var link = 0
        /// Own groups of the link that were given.
        var given = 0
        /// The first global group of the link.
        var firstGroup = 0
        return GeneratingReader { () throws(FirnError) -> ColumnBatch? in
            while link < self.links.count, given == self.links[link].ownCount {
                firstGroup += given
                given = 0
                link += 1
            }
            guard link < self.links.count else { return nil }
            try self.evaluator.checkCancellation()
            let own = given..<min(given + batchRowsMax, self.links[link].ownCount)
            given = own.upperBound
            var columns = finishedKeys?.columns(firstGroup + own.lowerBound..<firstGroup + own.upperBound) ?? []
            columns += try self.results(self.links[link], own)
            return ColumnBatch(columns, rowCount: own.count)
        }
    }

    /// The aggregates of some own groups of a link.
    private func results(_ link: Link, _ own: Range<Int>) throws(FirnError) -> [Column] {
        var groups = own
        var rows: [Int32]?
        if let ownGroups = link.ownGroups {
            let first = ownGroups[own.lowerBound]
            groups = Int(first)..<Int(ownGroups[own.upperBound - 1]) + 1
            if groups.count > own.count { rows = ownGroups[own].map { Int32($0 - first) } }
        }
        var columns: [Column] = []
        for output in program.outputs {
            let column = try link.states[output.state].finish(output.output, type: output.type, groups: groups)
            columns.append(rows.map { column.gather($0) } ?? column)
        }
        return columns
    }
}
