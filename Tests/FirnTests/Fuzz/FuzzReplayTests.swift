// SPDX-License-Identifier: Apache-2.0
//
// The fuzz targets over the inputs that are committed, without the fuzzer: what was found once is never found again.
//
// The targets are those of fuzz/Targets, of which this folder holds a link.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct FuzzReplayTests {
    private static let names = FuzzTarget.all.map(\.name)
    private static let folder = FilePath(#filePath).removingLastComponent().appending("../../../fuzz")
        .lexicallyNormalized()

    private func target(_ name: String) throws -> FuzzTarget {
        try #require(FuzzTarget.all.first { $0.name == name })
    }

    /// A trap ends the test process; the input's name stands in the output of `FIRN_FUZZ_REPLAY=verbose`.
    @Test(arguments: names) func everyCommittedInputIsHandled(name: String) throws {
        let target = try target(name)
        let files = POSIXFileSystem()
        var inputCount = 0
        for folder in ["corpus", "regressions"] {
            let folder = Self.folder.appending(folder).appending(name)
            guard try files.status(folder) != nil else { continue }
            for entry in try files.list(folder) where entry.kind == .file {
                if EnvironmentVariable.value("FIRN_FUZZ_REPLAY") == "verbose" {
                    print(folder.appending(entry.component))
                }
                _ = target.run(try files.open(folder.appending(entry.component), .readOnly).readAll())
                inputCount += 1
            }
        }
        #expect(inputCount > 0, "\(name) has no inputs")
    }

    @Test(arguments: names) func everySeedIsAccepted(name: String) throws {
        let target = try target(name)
        let seeds = try FuzzSeeds.inputs(of: name)
        #expect(!seeds.isEmpty)
        for seed in seeds {
            #expect(target.run(seed.bytes) == .accepted, "seed \(seed.name)")
            // Cut short, it is refused or read, and never traps.
            for end in stride(from: 0, to: seed.bytes.count, by: max(1, seed.bytes.count / 7)) {
                _ = target.run(Array(seed.bytes[..<end]))
            }
        }
    }

    /// `make fuzz-seeds`: replaces the seeds in fuzz/corpus.
    @Test(.enabled(if: EnvironmentVariable.value("FIRN_FUZZ_SEEDS") == "write"), arguments: names)
    func seedsAreWritten(name: String) throws {
        let files = POSIXFileSystem()
        let folder = Self.folder.appending("corpus").appending(name)
        if try files.status(folder) == nil { try files.createDirectory(folder) }
        for entry in try files.list(folder) { try files.remove(folder.appending(entry.component)) }
        for seed in try FuzzSeeds.inputs(of: name) {
            try files.open(folder.appending(seed.name), .createNew).write(seed.bytes, at: 0)
        }
    }
}
