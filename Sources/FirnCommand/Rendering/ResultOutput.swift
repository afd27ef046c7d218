// SPDX-License-Identifier: Apache-2.0
//
// Where results go: standard output, the file or command of \o and \g, or the pager.

import Firn

/// Takes bytes front to back. Not thread-safe.
final class ResultOutput {
    private enum Place {
        case standard
        case file(Int32)
        case command(UnsafeMutablePointer<FILE>)
    }

    private let place: Place
    private let name: String
    /// False once a command that reads the output has gone: nobody waits for more.
    private(set) var isWanted = true

    /// Standard output.
    init() {
        place = .standard
        name = "standard output"
    }

    /// A file, made anew, or a command where the name begins with `|`.
    init(target: String) throws(FirnError) {
        name = target
        if target.hasPrefix("|") {
            place = try ResultOutput.command(String(target.dropFirst()))
        } else {
            let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw ResultOutput.failure("open", target) }
            place = .file(descriptor)
        }
    }

    private static func command(_ text: String) throws(FirnError) -> Place {
        guard let stream = popen(text, "w") else { throw failure("run", text) }
        return .command(stream)
    }

    private static func failure(_ verb: String, _ name: String) -> FirnError {
        let reason = String(cString: strerror(errno))
        return FirnError(errno == ENOENT ? .undefinedFile : .ioError, "cannot \(verb) \(name): \(reason)")
    }

    /// Whether a person sees it at once.
    var isTerminal: Bool {
        if case .standard = place { return StandardStreams.isOutputTerminal }
        return false
    }

    func write(_ text: String) throws(FirnError) { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws(FirnError) {
        guard isWanted, !bytes.isEmpty else { return }
        switch place {
        case .standard: StandardStreams.write(bytes)
        case .file(let descriptor): try write(bytes, descriptor)
        case .command(let stream):
            // A reader that has seen enough closes the pipe; that is no error, and must not end the shell.
            let previous = signal(SIGPIPE, SIG_IGN)
            defer { signal(SIGPIPE, previous) }
            try write(bytes, fileno(stream))
        }
    }

    private func write(_ bytes: [UInt8], _ descriptor: Int32) throws(FirnError) {
        var position = 0
        while position < bytes.count {
            let count = StandardStreams.write(bytes[position...], to: descriptor)
            if count > 0 {
                position += count
            } else if errno == EPIPE {
                isWanted = false
                return
            } else if errno != EINTR {
                throw ResultOutput.failure("write", name)
            }
        }
    }

    /// Ends the file, or waits for the command to end.
    func finish() {
        switch place {
        case .standard: break
        case .file(let descriptor): _ = close(descriptor)
        case .command(let stream):
            let previous = signal(SIGPIPE, SIG_IGN)
            _ = pclose(stream)
            signal(SIGPIPE, previous)
        }
    }
}
