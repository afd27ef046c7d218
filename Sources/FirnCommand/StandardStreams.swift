// SPDX-License-Identifier: Apache-2.0
//
// Standard input, output and error as plain descriptors: written through at once where a script waits for a line,
// and quiet when the reader of a pipe has gone.

#if canImport(Glibc)
    @_exported import Glibc
#elseif canImport(Darwin)
    @_exported import Darwin
#endif

/// The three streams of the process.
enum StandardStreams {
    static var isInputTerminal: Bool { isatty(0) == 1 }
    static var isOutputTerminal: Bool { isatty(1) == 1 }
    static var isErrorTerminal: Bool { isatty(2) == 1 }

    /// Writes all bytes, or ends the process as `head` expects when nobody reads any more.
    static func write(_ bytes: [UInt8]) { writeAll(bytes, to: 1) }
    static func write(_ text: String) { writeAll(Array(text.utf8), to: 1) }
    static func writeError(_ text: String) { writeAll(Array(text.utf8), to: 2) }

    /// The next bytes of standard input; nil at its end.
    static func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // The buffer holds the number of bytes that read may fill.
            let count = buffer.withUnsafeMutableBytes { Glibc_read(0, $0.baseAddress!, $0.count) }
            if count > 0 { return Array(buffer[..<count]) }
            if count == 0 || errno != EINTR { return nil }
        }
    }

    /// Columns of the terminal; nil where standard output is none.
    static var outputColumns: Int? {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc_write(descriptor, $0.baseAddress! + position, $0.count - position)
            }
            if count > 0 {
                position += count
            } else if errno == EPIPE {
                exit(0)
            } else if errno != EINTR {
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
