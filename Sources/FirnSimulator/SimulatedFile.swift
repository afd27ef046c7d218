// SPDX-License-Identifier: Apache-2.0
//
// An open file of the simulated world.

import FirnIO
import Synchronization
import SystemPackage

final class SimulatedFile: File {
    let path: FilePath
    private let world: SimulatedFileSystem
    private let inode: SimulatedInode
    private let isWritable: Bool
    private let isClosed = Atomic<Bool>(false)
    private let isPoisoned = Atomic<Bool>(false)

    init(_ world: SimulatedFileSystem, _ path: FilePath, _ inode: SimulatedInode, isWritable: Bool) {
        self.world = world
        self.path = path
        self.inode = inode
        self.isWritable = isWritable
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64) throws(IOError) -> Int {
        try checkOpen(.read)
        let request = FileRequest(.read, path, byteOffset: byteOffset, byteCount: buffer.count)
        return try world.perform(request) { _ throws(Errno) in
            try inode.current.read(into: buffer, at: byteOffset)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int64) throws(IOError) {
        try write([bytes], at: byteOffset)
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(IOError) {
        try checkChangeable(.write)
        let byteCount = pieces.reduce(0) { $0 + $1.count }
        try world.perform(
            FileRequest(.write, path, byteOffset: byteOffset, byteCount: byteCount),
            onInjectedFailure: { (afterBytes, _) throws(Errno) in
                try inode.write(pieces.prefix(byteCount: afterBytes), at: byteOffset)
            },
            { _ throws(Errno) in
                guard isWritable else { throw .badFileDescriptor }
                try inode.write(pieces, at: byteOffset)
            })
    }

    func byteCount() throws(IOError) -> Int64 {
        try checkOpen(.status)
        return try world.perform(FileRequest(.status, path)) { _ in Int64(inode.current.byteCount) }
    }

    func truncate(to byteCount: Int64) throws(IOError) {
        try checkChangeable(.truncate)
        try world.perform(FileRequest(.truncate, path, byteOffset: byteCount)) { _ throws(Errno) in
            guard isWritable else { throw .invalidArgument }
            try inode.resize(to: byteCount)
        }
    }

    func sync() throws(IOError) {
        try checkChangeable(.sync)
        do {
            try world.sync(path, inode)
        } catch {
            isPoisoned.store(true, ordering: .releasing)
            throw error
        }
    }

    func syncAll() throws(IOError) { try sync() }

    func close() throws(IOError) {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        try world.perform(FileRequest(.close, path)) { _ in }
    }

    private func checkOpen(_ operation: IOError.Operation) throws(IOError) {
        guard !isClosed.load(ordering: .acquiring) else {
            throw IOError(operation, path, .badFileDescriptor, detail: "the file is closed")
        }
    }

    private func checkChangeable(_ operation: IOError.Operation) throws(IOError) {
        try checkOpen(operation)
        guard !isPoisoned.load(ordering: .acquiring) else { throw IOError.poisoned(operation, path) }
    }
}
