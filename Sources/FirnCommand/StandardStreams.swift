// SPDX-License-Identifier: Apache-2.0
//
// Standard input, output and error as plain descriptors: written through at once where a script waits for a line,
// and quiet when the reader of a pipe has gone.

import Firn

#if canImport(Glibc)
    @_exported import Glibc
#elseif canImport(Darwin)
    @_exported import Darwin
#endif

/// The three streams of the process.
enum StandardStreams {
    /// Puts something in the place of streams that were closed when the process began, so that no file of its own comes to
    /// lie there. Reading and writing them stays the error that it was.
    static func holdPlaces() {
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest descriptor that is free is this one.
            _ = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
        }
    }

    static var isInputTerminal: Bool { isatty(0) == 1 }
    static var isOutputTerminal: Bool { isatty(1) == 1 }
    static var isErrorTerminal: Bool { isatty(2) == 1 }

    /// Writes all bytes, or ends the process as `head` expects when nobody reads any more.
    static func write(_ bytes: [UInt8]) { writeAll(bytes, to: 1) }
    static func write(_ text: String) { writeAll(Array(text.utf8), to: 1) }
    static func writeError(_ text: String) { writeAll(Array(text.utf8), to: 2) }

    /// The next bytes of a descriptor; nil at its end, and once `isGivenUp` says so while nothing comes.
    ///
    /// A signal may reach any thread, so that it alone would not wake a read that waits: it looks up now and then.
    ///
    /// - Throws: 58030 where it cannot be read: what has come is not all then.
    static func read(
        _ descriptor: Int32 = 0, named name: String = "standard input", isGivenUp: () -> Bool = { false }
    ) throws(FirnError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            guard waitForInput(descriptor, milliseconds: 50) else {
                if isGivenUp() { return nil }
                continue
            }
            // The buffer holds the number of bytes that read may fill.
            let count = buffer.withUnsafeMutableBytes { Glibc_read(descriptor, $0.baseAddress!, $0.count) }
            if count > 0 { return Array(buffer[..<count]) }
            if count == 0 { return nil }
            if errno != EINTR {
                throw FirnError(.ioError, "cannot read \(name): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Whether there is something to read, or an end, within so many milliseconds.
    static func waitForInput(_ descriptor: Int32 = 0, milliseconds: Int32) -> Bool {
        var place = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // An error of poll itself is left to the read behind it.
        let count = poll(&place, 1, milliseconds)
        return count > 0 || (count < 0 && errno != EINTR)
    }

    /// Columns of the terminal; nil where standard output is none.
    static var outputColumns: Int? { outputSize?.columns }

    /// Rows and columns of the terminal; nil where standard output is none.
    static var outputSize: (rows: Int, columns: Int)? {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// One call of write: bytes taken, or -1 and errno.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int {
        bytes.withUnsafeBytes { Glibc_write(descriptor, $0.baseAddress!, $0.count) }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        var position = 0
        while position < bytes.count {
            let count = write(bytes[position...], to: descriptor)
            if count > 0 {
                position += count
            } else if errno == EPIPE {
                exit(0)
            } else if errno != EINTR {
                let reason = String(cString: strerror(errno))
                if descriptor == 1 { writeError("error: cannot write standard output: \(reason) (58030)\n") }
                exit(1)
            }
        }
    }
}

private func Glibc_read(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

private func Glibc_write(_ descriptor: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, buffer, count)
}
