// SPDX-License-Identifier: Apache-2.0
//
// What every mergeable partial state has in common: the verbs, and how rows are told to which group they belong.
//
// A state holds one aggregate for many groups as a structure of arrays, group i at index i of each. Two states over
// disjoint rows merge into the state over all of them, in commit order: the right one's rows came later. States see
// no NULL (whoever feeds them leaves those rows out) and no SQL: which state an aggregate needs, and which of its
// outputs, is the planner's choice. All that a state knows lies in plain arrays, so that views can store it.
//
// The same verbs in the same order in every family: addGroups, update by runs, update by rows, merge, finish.

/// A run of neighbouring rows of a batch that belong to one group. Never empty.
struct RowRun: Sendable, BitwiseCopyable {
    var start: Int32
    var end: Int32
    var group: UInt32

    @inline(__always) var rows: Range<Int> { Int(start)..<Int(end) }
    @inline(__always) var count: Int { Int(end) - Int(start) }
}

/// The runs of a batch as the kernels take them: neighbouring stretches from row 0 on, none too long.
struct RunBlocks {
    /// Number of blocks.
    private(set) var count = 0
    /// Row behind each block, and its group; room for as many as any batch had so far.
    private var endsRoom: [UInt32] = []
    private var groupsRoom: [UInt32] = []

    /// Cuts runs that follow each other without a gap from row 0 on.
    mutating func cut(_ runs: UnsafeBufferPointer<RowRun>, rowsMax: Int) {
        count = runs.reduce(0) { $0 &+ ($1.count <= rowsMax ? 1 : ($1.count &+ rowsMax &- 1) / rowsMax) }
        if endsRoom.count < count {
            endsRoom = [UInt32](repeating: 0, count: count)
            groupsRoom = endsRoom
        }
        groupsRoom.withUnsafeMutableBufferPointer { groups in
            endsRoom.withUnsafeMutableBufferPointer { ends in
                var row = 0
                var block = 0
                for run in runs {
                    precondition(
                        Int(run.start) == row && Int(run.end) > row, "runs follow each other without a gap")
                    let end = Int(run.end)
                    repeat {
                        row = min(row &+ rowsMax, end)
                        ends[block] = UInt32(truncatingIfNeeded: row)
                        groups[block] = run.group
                        block &+= 1
                    } while row < end
                }
            }
        }
    }

    /// Row behind each block, and the group of each.
    @inline(__always)
    func withBlocks(_ body: (_ ends: UnsafeBufferPointer<UInt32>, _ groups: UnsafeBufferPointer<UInt32>) -> Void) {
        endsRoom.withUnsafeBufferPointer { ends in
            groupsRoom.withUnsafeBufferPointer { groups in
                body(UnsafeBufferPointer(rebasing: ends[..<count]), UnsafeBufferPointer(rebasing: groups[..<count]))
            }
        }
    }
}

/// A group of one state and the group of another one into which it is merged.
struct MergePair: Sendable, BitwiseCopyable {
    var from: UInt32
    var to: UInt32
}

/// What a state is asked for at the end.
enum AggregateOutput: Sendable, Hashable {
    case count, sum, average, value
    case sampleVariance, populationVariance, sampleDeviation, populationDeviation
}

/// One aggregate's partial results for many groups. Not thread-safe.
protocol AggregateState: AnyObject {
    /// Adds groups without rows at the end.
    func addGroups(_ count: Int)
    /// Adds rows that lie in runs, which cover the columns without a gap from row 0 on. No row is NULL.
    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) throws(FirnError)
    /// Adds rows one by one: row i belongs to `groups[i]`. The columns have as many rows, none NULL.
    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) throws(FirnError)
    /// Adds groups of a state of the same kind whose rows come after these. No two pairs name the same group.
    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) throws(FirnError)
    /// The results of a range of groups, as a column of `type`.
    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) throws(FirnError) -> Column
    /// Bytes that the state holds, about.
    var byteCount: Int { get }
}

extension AggregateState {
    /// A state of the same kind. Merging others is a bug of the caller.
    func sameKind(_ other: any AggregateState) -> Self {
        guard let other = other as? Self else { preconditionFailure("states of one kind are merged") }
        return other
    }

    func unsupported(_ output: AggregateOutput) -> Never {
        preconditionFailure("\(Self.self) has no output \(output)")
    }
}

/// Which state an aggregate needs.
enum AggregateStateKind: Sendable, Hashable {
    case count
    /// Sums of integers, and with `squares` what their variance needs.
    case integers(squares: Bool)
    case doubles(squares: Bool)
    case floats(squares: Bool)
    case decimals(squares: Bool)
    case intervals
    case minimum(DataType)
    case maximum(DataType)
    /// The value (first argument) at the smallest or largest time (second argument).
    case first(DataType)
    case last(DataType)
    case every, some

    /// A state without groups.
    func makeState() -> any AggregateState {
        switch self {
        case .count: CountState()
        case .integers(let squares): IntegerMomentState(tracksSquares: squares)
        case .doubles(let squares): DoubleMomentState(tracksSquares: squares, widens: false)
        case .floats(let squares): DoubleMomentState(tracksSquares: squares, widens: true)
        case .decimals(let squares): DecimalMomentState(tracksSquares: squares)
        case .intervals: IntervalSumState()
        case .minimum(let type): ExtremeStates.make(type, .smallest)
        case .maximum(let type): ExtremeStates.make(type, .largest)
        case .first: FirstLastState(.first)
        case .last: FirstLastState(.last)
        case .every: BooleanState(startsWith: true)
        case .some: BooleanState(startsWith: false)
        }
    }
}

/// Validity of results that are NULL where a group has no rows.
func groupValidity(ofCounts counts: ArraySlice<Int64>, atLeast minimum: Int64 = 1) -> Bitmap? {
    if counts.allSatisfy({ $0 >= minimum }) { return nil }
    return Bitmap(counts.map { $0 >= minimum })
}
