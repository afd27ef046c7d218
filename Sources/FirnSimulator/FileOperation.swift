// SPDX-License-Identifier: Apache-2.0
//
// One thing that was asked of a file system, numbered: the unit in which faults and crashes are planned.

public import FirnIO
public import SystemPackage

/// A call that reached the file system, as the trace remembers it.
public struct FileOperation: Sendable, Hashable {
    /// Its place among all calls, from 1.
    public let number: Int
    /// Its place among the calls that change or sync something, from 1; nil for a call that only looks.
    public let changeNumber: Int?
    /// What was asked.
    public let operation: IOError.Operation
    /// On which path; for rename and link the source.
    public let path: FilePath
    /// The new name of a rename or link.
    public let destination: FilePath?
    /// Where a read or write begins; the new byte count of a truncate.
    public let byteOffset: Int64
    /// The bytes that a read or write asks for.
    public let byteCount: Int
}

extension FileOperation: CustomStringConvertible {
    /// One line of a trace, such as `17 (change 9): write /db/wal/1.wal at 4096, 512 bytes`.
    public var description: String {
        var text = "\(number)"
        if let changeNumber { text += " (change \(changeNumber))" }
        text += ": \(operation.rawValue) \(path.string)"
        if let destination { text += " to \(destination.string)" }
        switch operation {
        case .read, .write: text += " at \(byteOffset), \(byteCount) bytes"
        case .truncate: text += " to \(byteOffset) bytes"
        default: break
        }
        return text
    }
}

/// A call before it has its numbers.
struct FileRequest: Sendable {
    var operation: IOError.Operation
    var path: FilePath
    var destination: FilePath?
    var byteOffset: Int64 = 0
    var byteCount = 0
    /// Whether it may change something that a crash could lose, or sync it.
    var isChange: Bool

    init(
        _ operation: IOError.Operation, _ path: FilePath, destination: FilePath? = nil, byteOffset: Int64 = 0,
        byteCount: Int = 0
    ) {
        self.operation = operation
        self.path = path
        self.destination = destination
        self.byteOffset = byteOffset
        self.byteCount = byteCount
        isChange =
            switch operation {
            case .open, .read, .list, .status, .close: false
            case .write, .sync, .rename, .remove, .link, .createDirectory, .lock, .truncate, .syncDirectory,
                .removeDirectory:
                true
            }
    }

    static func open(_ path: FilePath, _ access: FileAccess) -> FileRequest {
        var request = FileRequest(.open, path)
        request.isChange = access == .createNew || access == .createOrOpen
        return request
    }

    static func lock(_ path: FilePath, _ kind: LockKind) -> FileRequest {
        var request = FileRequest(.lock, path)
        request.isChange = kind == .exclusive
        return request
    }
}
