// SPDX-License-Identifier: Apache-2.0
//
// What a fuzz target is: a name, and a function that lets the engine read bytes that nobody vouches for.
//
// The fuzzer calls it with mutated inputs (Harness/LibFuzzer.swift), the tests with the committed ones
// (Tests/FirnTests/Fuzz). A finding is a trap: in the engine, or in a target that sees an invariant broken.

import FirnIO
import SystemPackage

@testable import Firn

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One way into the engine for untrusted bytes.
struct FuzzTarget: Sendable {
    /// Whether the engine took the bytes for what they claim to be.
    enum Outcome: Sendable, Hashable {
        case accepted
        case refused
    }

    /// As `make fuzz TARGET=` names it; inputs lie in corpus/NAME and regressions/NAME.
    let name: String
    let run: @Sendable (_ input: [UInt8]) -> Outcome

    static let all: [FuzzTarget] = [.page, .column, .segment, .manifest, .log, .rows, .current, .folder, .csv, .sql]

    /// States what must be true of every input.
    static func require(_ condition: Bool, _ what: @autoclosure () -> String) {
        if !condition { fatalError("fuzz: \(what())") }
    }

    /// A bug behind three bytes, for the proof that a target finds one: in builds with -D PLANTED_BUG alone.
    ///
    /// - Parameter decoded: bytes as the engine gave them back, behind all of its checks.
    static func plantedBug(_ decoded: some Sequence<UInt8>) {
        #if PLANTED_BUG
            let bytes = Array(decoded.prefix(3))
            if bytes.count == 3, isSecret(bytes, Array("fx9".utf8)) { fatalError("the planted bug was found") }
        #endif
    }

    /// The name of a table's last column, which stands in the middle of what was read.
    static func lastName(of schema: TableSchema) -> [UInt8] { Array(schema.columns.last?.name.utf8 ?? "".utf8) }

    #if PLANTED_BUG
        /// A call that the fuzzer sees, with both sides; inlined it would be three loads.
        @_optimize(none)
        private static func isSecret(_ bytes: [UInt8], _ secret: [UInt8]) -> Bool {
            memcmp(bytes, secret, secret.count) == 0
        }
    #endif

    /// A database folder in memory with one file of it.
    static func fileSystem(holding bytes: [UInt8], at path: FilePath) -> MemoryFileSystem {
        let fileSystem = MemoryFileSystem()
        do throws(IOError) {
            var folder = FilePath("/")
            for component in path.removingLastComponent().components {
                folder.append(component)
                try fileSystem.createDirectory(folder)
            }
            try fileSystem.open(path, .createNew).write(bytes, at: 0)
        } catch {
            fatalError("fuzz: memory takes every file: \(error)")
        }
        return fileSystem
    }

    /// Damage, or a format that is not known: what reading untrusted bytes may throw.
    static func requireDamage(_ error: FirnError) {
        require([.dataCorrupted, .unsupportedFormat].contains(error.code), "an error of another kind: \(error)")
    }
}
