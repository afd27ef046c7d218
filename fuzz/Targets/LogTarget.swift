// SPDX-License-Identifier: Apache-2.0
//
// A file of the write-ahead log: its frames in order, replayed onto an empty database.
//
// The input is the file; its checksums are made right before it is read.

import FirnIO
import SystemPackage

@testable import Firn

extension FuzzTarget {
    static let log = FuzzTarget(name: "log") { input in
        let bytes = Resealing.log(input)
        let header: WALFileHeader
        do throws(FormatError) {
            header = try bytes.reading { (reader) throws(FormatError) in try WALFileHeader.decode(reader.view) }
        } catch {
            return .refused
        }
        let folder = DatabaseFolder(root: "/db")
        let files = fileSystem(holding: bytes, at: folder.log(header.number))
        var manifest = ManifestState()
        manifest.epoch = LogEpoch(number: header.epoch, firstLSN: header.firstLSN, firstLogFile: header.number)
        manifest.firstLogFile = header.number
        do throws(FirnError) {
            _ = try InspectedFile.describe(folder.log(header.number), fileSystem: files)
            var reader = try WALReader(
                folder: folder, database: header.database, manifest: manifest, version: header.version,
                fileSystem: files)
            var replay = Replay(manifest)
            var expected = header.firstLSN
            let end = try reader.read { (frame) throws(FirnError) in
                require(frame.lsn == expected, "commit \(frame.lsn) in place of \(expected)")
                expected = expected.next
                try replay.apply(frame, in: folder)
            }
            require(end.nextLSN >= expected, "an LSN would be used again")
            for table in replay.state.tables.values { plantedBug(lastName(of: table.schema)) }
            for input in replay.takeInputs() {
                for batch in input.batches { require(batch.columns.count == input.schema.columns.count, "columns") }
            }
            return .accepted
        } catch {
            requireDamage(error)
            return .refused
        }
    }
}
