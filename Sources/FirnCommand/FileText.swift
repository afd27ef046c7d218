// SPDX-License-Identifier: Apache-2.0
//
// Reads the files that a person names on the command line, front to back: pipes too, of which nobody knows the size.

import Firn

/// A file of SQL as it is read; one that gzip or Zstandard packed is unpacked.
final class ScriptFile {
    private let descriptor: Int32
    private let bytes: UnpackedBytes

    /// - Throws: 58P01 where there is no such file, 42501 where it may not be read.
    init(_ path: String) throws(FirnError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ScriptFile.failure(path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            if errno == 0 || status.st_mode & S_IFMT == S_IFDIR { errno = EISDIR }
            let failure = ScriptFile.failure(path)
            close(descriptor)
            throw failure
        }
        let descriptor = descriptor
        bytes = UnpackedBytes(name: path) { () throws(FirnError) in
            try StandardStreams.read(descriptor, named: path)
        }
    }

    deinit { close(descriptor) }

    /// The next bytes; nil at the end.
    func next() throws(FirnError) -> [UInt8]? { try bytes.next() }

    private static func failure(_ path: String) -> FirnError {
        let code: SQLState =
            switch errno {
            case ENOENT: .undefinedFile
            case EACCES, EPERM: .insufficientPrivilege
            default: .ioError
            }
        return FirnError(code, "cannot open \(path): \(String(cString: strerror(errno)))")
    }
}
