// SPDX-License-Identifier: Apache-2.0
//
// A data file as long as somebody may read it.
//
// Every segment that a snapshot can see holds its file. When the manifest no longer refers to the file, it is marked
// obsolete; the last reference then removes it from the disk.

import FirnIO
import Synchronization
import SystemPackage

/// A file of segments that the manifest, the log or a snapshot refers to.
final class DataFile: Sendable {
    let id: FileID
    let path: FilePath
    private let isObsolete = Atomic<Bool>(false)
    private let remove: @Sendable (FileID) -> Void

    /// - Parameter remove: removes the file; called once, on any thread, when nothing needs it any more.
    init(_ id: FileID, path: FilePath, remove: @escaping @Sendable (FileID) -> Void) {
        self.id = id
        self.path = path
        self.remove = remove
    }

    /// Nothing durable refers to the file any more: it goes with its last reader.
    func markObsolete() { isObsolete.store(true, ordering: .releasing) }

    deinit { if isObsolete.load(ordering: .acquiring) { remove(id) } }
}

/// A segment in a state that readers see.
final class StoredSegment: Sendable {
    let descriptor: SegmentDescriptor
    let file: DataFile

    init(_ descriptor: SegmentDescriptor, in file: DataFile) {
        self.descriptor = descriptor
        self.file = file
    }

    /// Names a segment for ever.
    struct Place: Hashable, Sendable {
        let file: FileID
        let byteOffset: Int64
    }
    var place: Place { Place(file: descriptor.file, byteOffset: descriptor.byteOffset) }
}
