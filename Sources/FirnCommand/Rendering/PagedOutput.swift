// SPDX-License-Identifier: Apache-2.0
//
// Output that goes through $PAGER once it outgrows the terminal. Until then it is held back: at most a screenful.

import Firn

/// Takes the bytes of one result. Not thread-safe.
final class PagedOutput {
    private let output: ResultOutput
    private let pager: String?
    private let linesMax: Int
    private var held: [UInt8] = []
    private var lineCount = 0
    private var paged: ResultOutput?

    /// - Parameters:
    ///   - pager: the command; nil writes everything through at once.
    ///   - linesMax: lines from which on the pager is wanted.
    init(_ output: ResultOutput, pager: String?, linesMax: Int) {
        self.output = output
        self.pager = pager
        self.linesMax = linesMax
    }

    /// False once nobody reads any more.
    var isWanted: Bool { (paged ?? output).isWanted }

    /// - Parameter isWide: lines are longer than the terminal's.
    func write(_ bytes: [UInt8], isWide: Bool = false) throws(FirnError) {
        guard let pager else { return try output.write(bytes) }
        if let paged { return try paged.write(bytes) }
        held += bytes
        lineCount += bytes.reduce(0) { $1 == 10 ? $0 + 1 : $0 }
        if lineCount >= linesMax || isWide {
            let opened = try ResultOutput(target: "|" + pager)
            paged = opened
            try opened.write(held)
            held = []
        }
    }

    /// Writes what was held, or waits for the pager to end.
    func finish() throws(FirnError) {
        if let paged {
            paged.finish()
        } else {
            try output.write(held)
            held = []
        }
    }
}
