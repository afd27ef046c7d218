// SPDX-License-Identifier: Apache-2.0
//
// What a refusal of the file system means to the person who asked: one SQLSTATE and one hint for each reason.

import FirnIO
import SystemPackage

extension FirnError {
    /// The error that a user sees when the file system refused.
    init(_ error: IOError) {
        let code: SQLState
        var hint: String?
        switch error.errno {
        case .noSpace:
            code = .diskFull
            hint = "free some space on the file system, then try again"
        case .diskQuotaExceeded:
            code = .diskFull
            hint = "raise the disk quota or free some space, then try again"
        case .fileTooLarge:
            code = .diskFull
            hint = "a limit on the size of files is in the way (see ulimit -f)"
        case .permissionDenied, .notPermitted:
            code = .insufficientPrivilege
            hint = "the user of this process needs the right to \(error.operation.purpose)"
        case .readOnlyFileSystem:
            code = .insufficientPrivilege
            hint = "the file system is mounted read-only; open the database with --read-only, or mount it for writing"
        case .noSuchFileOrDirectory, .notDirectory:
            code = .undefinedFile
        case .fileExists:
            code = .duplicateFile
        case .noMemory:
            code = .outOfMemory
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            code = .ioError
            hint = "raise the limit of open files (see ulimit -n)"
        case .wouldBlock:
            code = .objectInUse
        default:
            code = .ioError
        }
        self.init(code, error.message, hint: hint)
    }

    /// Runs file operations and throws what they refuse as errors of the engine.
    static func mapping<Result>(_ body: () throws(IOError) -> Result) throws(FirnError) -> Result {
        do {
            return try body()
        } catch {
            throw FirnError(error)
        }
    }
}

extension IOError.Operation {
    /// The operation as the end of "needs the right to …".
    fileprivate var purpose: String {
        switch self {
        case .open, .read, .status, .list: "read it"
        case .lock: "write the lock file"
        case .sync, .syncDirectory, .close, .write, .truncate: "write it"
        case .rename, .remove, .link, .createDirectory, .removeDirectory: "write its folder"
        }
    }
}
