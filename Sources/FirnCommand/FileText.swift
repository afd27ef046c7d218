// SPDX-License-Identifier: Apache-2.0
//
// Reads the small files that a person names on the command line.

import Firn
import FirnIO
import SystemPackage

/// Whole files as bytes.
enum FileText {
    static func read(_ path: String) throws(FirnError) -> [UInt8] {
        let files = POSIXFileSystem()
        do {
            let file = try files.open(FilePath(path), .readOnly)
            let bytes = try file.readAll()
            try file.close()
            return bytes
        } catch {
            throw FirnError(.undefinedFile, error.message)
        }
    }
}
