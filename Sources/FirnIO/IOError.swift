// SPDX-License-Identifier: Apache-2.0
//
// The one error that every operation on the world outside throws.
//
// It keeps what a person needs to act (what was tried, on which path) beside what a program needs to
// decide (the errno). The layers above turn it into their own errors with a SQLSTATE-like code.

public import SystemPackage

/// What failed in the world outside: the operation, the path and the system's reason.
public struct IOError: Error, Sendable, Equatable {
    /// What was being done when the system refused.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        /// Opening or creating a file.
        case open
        /// Reading bytes of a file.
        case read
        /// Writing bytes of a file.
        case write
        /// Making a file's bytes durable.
        case sync
        /// Moving a directory entry.
        case rename
        /// Removing a file's directory entry.
        case remove
        /// Making a second directory entry for one file.
        case link
        /// Creating a directory.
        case createDirectory
        /// Listing a directory.
        case list
        /// Taking or releasing a lock.
        case lock
        /// Changing a file's byte count.
        case truncate
        /// Asking for kind and byte count.
        case status
        /// Making directory entries durable.
        case syncDirectory
        /// Removing an empty directory.
        case removeDirectory
        /// Closing a file.
        case close
    }

    /// What was being done.
    public let operation: Operation
    /// The path it was done to; for rename and link the source.
    public let path: FilePath
    /// The system's reason.
    public let errno: Errno
    /// What the reason alone does not say: the destination of a rename, how far a write came, why a file is poisoned.
    public let detail: String?

    /// An error of `operation` on `path`.
    public init(_ operation: Operation, _ path: FilePath, _ errno: Errno, detail: String? = nil) {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.detail = detail
    }

    /// One line for a person, such as `cannot write /x/y: No space left on device`.
    public var message: String {
        let reason = "cannot \(operation.words) \(path.string): \(errno.description)"
        guard let detail else { return reason }
        return "\(reason) (\(detail))"
    }
}

extension IOError: CustomStringConvertible {
    /// The same line as ``message``.
    public var description: String { message }
}

extension IOError.Operation {
    /// The operation as the end of "cannot …".
    var words: String {
        switch self {
        case .open: "open"
        case .read: "read"
        case .write: "write"
        case .sync: "sync"
        case .rename: "rename"
        case .remove: "remove"
        case .link: "link"
        case .createDirectory: "create directory"
        case .list: "list"
        case .lock: "lock"
        case .truncate: "change the size of"
        case .status: "look up"
        case .syncDirectory: "sync directory"
        case .removeDirectory: "remove directory"
        case .close: "close"
        }
    }
}
