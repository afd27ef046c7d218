// SPDX-License-Identifier: Apache-2.0
//
// A manifest: its edits, and the state that they add up to.
//
// The input is the file; its checksums are made right before it is read. What is read must write itself again.

import FirnIO
import SystemPackage

@testable import Firn

extension FuzzTarget {
    static let manifest = FuzzTarget(name: "manifest") { input in
        let bytes = Resealing.manifest(input)
        do throws(FormatError) {
            let header = try bytes.reading { (reader) throws(FormatError) in try FileHeader.decode(reader.view) }
            let number = header.file.rawValue
            let content = try ManifestContent.read(bytes, number: number, database: header.database, proofs: [])
            check(content, bytes)
            for table in content.state.tables.values { plantedBug(lastName(of: table.schema)) }
        } catch {
            return .refused
        }
        let path: FilePath = "/db/manifest-1"
        do throws(FirnError) {
            _ = try InspectedFile.describe(path, fileSystem: fileSystem(holding: bytes, at: path))
        } catch {
            fatalError("fuzz: a manifest that can be read cannot be described: \(error)")
        }
        return .accepted
    }

    private static func check(_ content: ManifestContent, _ bytes: [UInt8]) {
        require(content.byteCount <= bytes.count, "the edits end behind the file")
        do throws(FormatError) {
            let records = content.state.records
            var copy = ManifestState()
            var written = ByteWriter()
            for record in records { record.encode(into: &written) }
            try written.bytes.reading { (reader) throws(FormatError) in
                while !reader.isAtEnd { try copy.apply(try ManifestRecord.decode(from: &reader, .current)) }
            }
            require(copy.records == records, "the state changes when it is written anew")
            let proof = ManifestProof(
                number: content.header.file.rawValue, byteCount: content.byteCount, checksum: content.checksum)
            let again = try ManifestContent.read(
                bytes, number: proof.number, database: content.header.database, proofs: [proof])
            require(again.byteCount == content.byteCount, "the proof of a manifest does not hold for it")
        } catch {
            fatalError("fuzz: a state that was read cannot be written anew: \(error)")
        }
    }
}
