// SPDX-License-Identifier: Apache-2.0
//
// The calls into the C library whose names our own methods also bear, and the rules that hold for all of them:
// interrupted calls are made again, and no transfer asks for more than every system grants in one call.

internal import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum SystemCalls {
    /// Linux moves at most 0x7ffff000 bytes a call, macOS refuses more than INT_MAX; 1 GiB is below both.
    static let transferBytesMax = 1 << 30
    /// Pieces of one gathering write; IOV_MAX is 1,024 on Linux and macOS.
    static let piecesMax = 1_024

    /// Makes `call` until a signal no longer interrupts it; -1 means failure, as POSIX has it.
    @inline(__always)
    static func retry<Number: FixedWidthInteger>(_ call: () -> Number) throws(Errno) -> Number {
        while true {
            let result = call()
            if result != -1 { return result }
            let reason = lastError
            if reason != .interrupted { throw reason }
        }
    }

    /// The reason why the last call of this thread failed.
    static var lastError: Errno { Errno(rawValue: errno) }

    /// Opens with O_CLOEXEC, never as descriptor 0, 1 or 2: in a program that was started with one of these closed, what
    /// it prints would go into a file of the database otherwise.
    static func open(_ path: FilePath, _ flags: Int32, mode: mode_t = 0) throws(Errno) -> Int32 {
        let descriptor = try openAnywhere(path, flags, mode)
        guard descriptor < firstFreeDescriptor else { return descriptor }
        let outcome = Result { () throws(Errno) in
            try retry { fcntl(descriptor, F_DUPFD_CLOEXEC, firstFreeDescriptor) }
        }
        try close(descriptor)
        return try outcome.get()
    }

    /// The first descriptor behind standard input, output and error.
    private static let firstFreeDescriptor: Int32 = 3

    private static func openAnywhere(_ path: FilePath, _ flags: Int32, _ mode: mode_t) throws(Errno) -> Int32 {
        try path.withPlatformString { name in
            Result { () throws(Errno) in
                #if canImport(Glibc)
                    try retry { Glibc.open(name, flags | O_CLOEXEC, mode) }
                #elseif canImport(Musl)
                    try retry { Musl.open(name, flags | O_CLOEXEC, mode) }
                #elseif canImport(Darwin)
                    try retry { Darwin.open(name, flags | O_CLOEXEC, mode) }
                #endif
            }
        }.get()
    }

    /// Closes the descriptor, which is gone afterwards whatever the result: making the call again could close another's.
    static func close(_ descriptor: Int32) throws(Errno) {
        #if canImport(Glibc)
            let result = Glibc.close(descriptor)
        #elseif canImport(Musl)
            let result = Musl.close(descriptor)
        #elseif canImport(Darwin)
            let result = Darwin.close(descriptor)
        #endif
        if result == -1, lastError != .interrupted { throw lastError }
    }

    static func read(_ descriptor: Int32, _ target: UnsafeMutableRawPointer, _ byteCount: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, target, byteCount)
        #elseif canImport(Musl)
            Musl.read(descriptor, target, byteCount)
        #elseif canImport(Darwin)
            Darwin.read(descriptor, target, byteCount)
        #endif
    }

    static func write(_ descriptor: Int32, _ source: UnsafeRawPointer, _ byteCount: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, source, byteCount)
        #elseif canImport(Musl)
            Musl.write(descriptor, source, byteCount)
        #elseif canImport(Darwin)
            Darwin.write(descriptor, source, byteCount)
        #endif
    }

    static func rename(_ source: FilePath, _ destination: FilePath) throws(Errno) {
        try withNames(source, destination) { sourceName, destinationName in
            #if canImport(Glibc)
                Glibc.rename(sourceName, destinationName)
            #elseif canImport(Musl)
                Musl.rename(sourceName, destinationName)
            #elseif canImport(Darwin)
                Darwin.rename(sourceName, destinationName)
            #endif
        }
    }

    static func link(_ source: FilePath, _ destination: FilePath) throws(Errno) {
        try withNames(source, destination) { sourceName, destinationName in
            #if canImport(Glibc)
                Glibc.link(sourceName, destinationName)
            #elseif canImport(Musl)
                Musl.link(sourceName, destinationName)
            #elseif canImport(Darwin)
                Darwin.link(sourceName, destinationName)
            #endif
        }
    }

    /// Makes a call that takes one path and returns 0 or -1.
    static func withName(
        _ path: FilePath, _ call: (UnsafePointer<CInterop.PlatformChar>) -> Int32
    ) throws(Errno) {
        _ = try path.withPlatformString { name in Result { () throws(Errno) in try retry { call(name) } } }.get()
    }

    private static func withNames(
        _ first: FilePath, _ second: FilePath,
        _ call: (UnsafePointer<CInterop.PlatformChar>, UnsafePointer<CInterop.PlatformChar>) -> Int32
    ) throws(Errno) {
        _ = try first.withPlatformString { firstName in
            second.withPlatformString { secondName in
                Result { () throws(Errno) in try retry { call(firstName, secondName) } }
            }
        }.get()
    }

    /// Makes bytes and byte count durable, and other metadata where `includingMetadata` says so.
    static func sync(_ descriptor: Int32, _ scope: SyncScope) throws(Errno) {
        #if canImport(Darwin)
            // fsync leaves the bytes in the drive's cache; F_FULLFSYNC does not, but not every file system has it.
            if fcntl(descriptor, F_FULLFSYNC) != -1 { return }
            let lacking: [Errno] = [.notSupported, .inappropriateIOCTLForDevice, .invalidArgument]
            guard lacking.contains(lastError) else { throw lastError }
            _ = try retry { fsync(descriptor) }
        #else
            switch scope {
            case .contents: _ = try retry { fdatasync(descriptor) }
            case .contentsAndMetadata: _ = try retry { fsync(descriptor) }
            }
        #endif
    }

    enum SyncScope {
        case contents
        case contentsAndMetadata
    }
}

extension Result where Failure == Errno {
    /// The outcome of `body`: carries a typed error through a closure that would forget its type.
    init(_ body: () throws(Errno) -> Success) {
        do {
            self = .success(try body())
        } catch {
            self = .failure(error)
        }
    }
}
