// SPDX-License-Identifier: Apache-2.0
//
// The parameters that a text of statements uses: $1, $2, … by number, or $name by name. A name stands in the tree
// as a number, that of its place among the names, so that nothing behind the parser knows of names.

/// Which parameters a text uses.
public struct StatementParameters: Hashable, Sendable {
    /// The numbers that occur as such; empty where parameters are named.
    public var numbers: Set<Int> = []
    /// The names in the order in which they first occur; empty where parameters are numbered. Case matters.
    public var names: [String] = []
    /// Byte offset of the first use of each name.
    public var nameOffsets: [Int] = []

    /// A text without parameters.
    public init() {}

    /// The number that stands for a name.
    mutating func number(ofName name: String, at byteOffset: Int) -> Int {
        if let known = names.firstIndex(of: name) { return known + 1 }
        names.append(name)
        nameOffsets.append(byteOffset)
        return names.count
    }
}
