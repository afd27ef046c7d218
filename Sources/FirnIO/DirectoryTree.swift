// SPDX-License-Identifier: Apache-2.0
//
// Names and what they stand for: the directories of the file systems that live in memory.
//
// A flat table of directories by id, so that a directory moves without its contents being touched. Every change is
// worked out first, as a list of entries to set or clear, and then applied: the simulator keeps these lists, to decide
// which of them a crash leaves behind. Relative paths start at the root; there are no symbolic links.
//
// Invariant: every `.directory` entry reachable from the root has its table in `tables`.

package import SystemPackage

/// The names of a file system, with POSIX's rules for changing them. `Inode` is what a file is.
package struct DirectoryTree<Inode: AnyObject & Sendable>: Sendable {
    package struct DirectoryID: Hashable, Comparable, Sendable {
        package let number: Int

        package static var root: DirectoryID { DirectoryID(number: 0) }

        package static func < (left: DirectoryID, right: DirectoryID) -> Bool { left.number < right.number }
    }

    package enum Entry: Sendable {
        case file(Inode)
        case directory(DirectoryID)
    }

    /// A name to be given a meaning, or, with nil, to be cleared.
    package struct Change: Sendable {
        package let directory: DirectoryID
        /// The name's bytes.
        package let name: [UInt8]
        package let entry: Entry?
    }

    private var tables: [DirectoryID: [[UInt8]: Entry]] = [.root: [:]]
    private var nextNumber = 1

    /// A tree that holds the empty root alone.
    package init() {}

    /// What `path` stands for, nil where nothing has that name. ENOTDIR where a file is used as a directory.
    package func entry(_ path: FilePath) throws(Errno) -> Entry? {
        var current = Entry.directory(.root)
        for name in names(path) {
            guard case .directory(let id) = current else { throw .notDirectory }
            guard let next = tables[id]?[name] else { return nil }
            current = next
        }
        return current
    }

    /// The file at `path`; ENOENT, or EISDIR.
    package func file(_ path: FilePath) throws(Errno) -> Inode {
        switch try entry(path) {
        case .file(let inode): return inode
        case .directory: throw .isDirectory
        case nil: throw .noSuchFileOrDirectory
        }
    }

    /// The directory at `path`; ENOENT, or ENOTDIR.
    package func directory(_ path: FilePath) throws(Errno) -> DirectoryID {
        switch try entry(path) {
        case .directory(let id): return id
        case .file: throw .notDirectory
        case nil: throw .noSuchFileOrDirectory
        }
    }

    /// The directory's entries, sorted by name.
    package func list(_ path: FilePath) throws(Errno) -> [DirectoryEntry] {
        let table = tables[try directory(path)] ?? [:]
        return table.map { name, entry in
            let terminated = name.map { CChar(bitPattern: $0) } + [0]
            // `terminated` ends with a zero and was a component of a path.
            guard
                let component = terminated.withUnsafeBufferPointer({
                    FilePath.Component(platformString: $0.baseAddress!)
                })
            else { preconditionFailure("every name was a path's component") }
            switch entry {
            case .file: return DirectoryEntry(component: component, kind: .file)
            case .directory: return DirectoryEntry(component: component, kind: .directory)
            }
        }.sortedByName()
    }

    /// The same names over other files. Directories come in the order of their ids, names in the order of their bytes.
    package func mapFiles(_ transform: (Inode) -> Inode) -> DirectoryTree {
        var mapped = DirectoryTree()
        mapped.nextNumber = nextNumber
        for id in tables.keys.sorted() {
            guard let table = tables[id] else { continue }
            var mappedTable: [[UInt8]: Entry] = [:]
            for name in table.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                mappedTable[name] = table[name]?.mapFile(transform)
            }
            mapped.tables[id] = mappedTable
        }
        return mapped
    }

    /// What gives `path` the meaning of a new file. EEXIST where the name is taken.
    package func changesToCreate(_ path: FilePath, _ inode: Inode) throws(Errno) -> [Change] {
        let (parent, name) = try vacancy(path)
        return [Change(directory: parent, name: name, entry: .file(inode))]
    }

    /// What makes an empty directory. EEXIST where the name is taken.
    package mutating func changesToCreateDirectory(_ path: FilePath) throws(Errno) -> [Change] {
        let (parent, name) = try vacancy(path)
        let id = DirectoryID(number: nextNumber)
        nextNumber += 1
        return [Change(directory: parent, name: name, entry: .directory(id))]
    }

    /// What gives the file at `source` a second name. EEXIST where the name is taken; EPERM for a directory.
    package func changesToLink(_ source: FilePath, _ destination: FilePath) throws(Errno) -> [Change] {
        guard let entry = try entry(source) else { throw .noSuchFileOrDirectory }
        let (parent, name) = try vacancy(destination)
        guard case .file(let inode) = entry else { throw .notPermitted }
        return [Change(directory: parent, name: name, entry: .file(inode))]
    }

    /// What moves `source` to `destination`; nothing when both name the same file.
    package func changesToRename(_ source: FilePath, _ destination: FilePath) throws(Errno) -> [Change] {
        let (sourceParent, sourceName) = try place(source)
        let (parent, name) = try place(destination)
        guard let moved = tables[sourceParent]?[sourceName] else { throw .noSuchFileOrDirectory }
        switch (moved, tables[parent]?[name]) {
        case (.file(let inode), .file(let replaced)):
            if inode === replaced { return [] }
        case (.file, .directory): throw .isDirectory
        case (.directory, .file): throw .notDirectory
        case (.directory(let id), .directory(let replaced)):
            if id == replaced { return [] }
            guard tables[replaced]?.isEmpty ?? true else { throw .directoryNotEmpty }
        case (_, nil): break
        }
        if case .directory(let id) = moved, contains(id, parent) { throw .invalidArgument }
        return [
            Change(directory: parent, name: name, entry: moved),
            Change(directory: sourceParent, name: sourceName, entry: nil),
        ]
    }

    /// What clears a file's name. EISDIR for a directory.
    package func changesToRemove(_ path: FilePath) throws(Errno) -> [Change] {
        _ = try file(path)
        let (parent, name) = try place(path)
        return [Change(directory: parent, name: name, entry: nil)]
    }

    /// What clears an empty directory's name. ENOTEMPTY where it has entries.
    package func changesToRemoveDirectory(_ path: FilePath) throws(Errno) -> [Change] {
        let id = try directory(path)
        let (parent, name) = try place(path)
        guard tables[id]?.isEmpty ?? true else { throw .directoryNotEmpty }
        return [Change(directory: parent, name: name, entry: nil)]
    }

    /// Makes the changes, in their order.
    package mutating func apply(_ changes: [Change]) {
        for change in changes {
            if case .directory(let id) = change.entry {
                if tables[id] == nil { tables[id] = [:] }
                nextNumber = max(nextNumber, id.number + 1)
            }
            tables[change.directory, default: [:]][change.name] = change.entry
        }
    }

    /// Whether `inner` is `outer`, or lies somewhere below it.
    private func contains(_ outer: DirectoryID, _ inner: DirectoryID) -> Bool {
        if outer == inner { return true }
        for case .directory(let child) in (tables[outer] ?? [:]).values where contains(child, inner) { return true }
        return false
    }

    /// Where the name of `path` stands, taken or not. ENOENT or ENOTDIR for its folder; EBUSY for the root.
    private func place(_ path: FilePath) throws(Errno) -> (DirectoryID, [UInt8]) {
        var names = names(path)
        guard let name = names.popLast() else { throw .resourceBusy }
        var current = DirectoryID.root
        for name in names {
            switch tables[current]?[name] {
            case .directory(let id): current = id
            case .file: throw .notDirectory
            case nil: throw .noSuchFileOrDirectory
            }
        }
        return (current, name)
    }

    private func vacancy(_ path: FilePath) throws(Errno) -> (DirectoryID, [UInt8]) {
        if names(path).isEmpty { throw .fileExists }
        let (parent, name) = try place(path)
        guard tables[parent]?[name] == nil else { throw .fileExists }
        return (parent, name)
    }

    /// The names on the way to `path` from the root, `.` and `..` resolved. Walks the bytes itself: these file systems
    /// carry the tests, and FilePath's components take most of their time where nothing is optimised.
    private func names(_ path: FilePath) -> [[UInt8]] {
        path.withPlatformString { start in
            var names: [[UInt8]] = []
            var name: [UInt8] = []
            var position = start
            while true {
                // The string ends with a zero, at which the walk ends.
                let byte = UInt8(bitPattern: position.pointee)
                if byte != 0, byte != UInt8(ascii: "/") {
                    name.append(byte)
                } else {
                    if name.elementsEqual("..".utf8) {
                        _ = names.popLast()
                    } else if !name.isEmpty, !name.elementsEqual(".".utf8) {
                        names.append(name)
                    }
                    if byte == 0 { return names }
                    name.removeAll(keepingCapacity: true)
                }
                position += 1
            }
        }
    }
}

extension DirectoryTree.Entry {
    package func mapFile(_ transform: (Inode) -> Inode) -> Self {
        switch self {
        case .file(let inode): .file(transform(inode))
        case .directory: self
        }
    }
}

extension DirectoryTree.Change {
    package func mapFile(_ transform: (Inode) -> Inode) -> Self {
        Self(directory: directory, name: name, entry: entry?.mapFile(transform))
    }
}
