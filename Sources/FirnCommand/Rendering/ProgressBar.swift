// SPDX-License-Identifier: Apache-2.0
//
// One line on a terminal's standard error that says how far a long statement has come.

import Firn
import Synchronization

/// Draws at most ten times a second, and nothing for statements that end at once.
final class ProgressBar: Sendable {
    private let label: String
    private let started = ContinuousClock.now
    private let state = Mutex((lastDrawn: ContinuousClock.now, isVisible: false))

    init(label: String) { self.label = label }

    /// Draws the line anew where it is time to.
    func show(_ progress: CopyProgress) {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            guard now - state.lastDrawn > .milliseconds(100) else { return false }
            state = (now, true)
            return true
        }
        if isDue { StandardStreams.writeError("\r\u{1B}[K" + line(progress, now)) }
    }

    /// Removes the line.
    func clear() {
        let wasVisible = state.withLock { state in
            defer { state.isVisible = false }
            return state.isVisible
        }
        if wasVisible { StandardStreams.writeError("\r\u{1B}[K") }
    }

    private func line(_ progress: CopyProgress, _ now: ContinuousClock.Instant) -> String {
        let seconds = max((now - started) / .seconds(1), 0.001)
        let rate = Double(progress.rowCount) / seconds
        var text = "\(label)  \(progress.rowCount) rows  \(Rounded.text(rate / 1e6, decimals: 2)) M rows/s"
        if let total = progress.totalBytes, total > 0 {
            let part = min(1, Double(progress.byteCount) / Double(total))
            let filled = Int(part * 20)
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
            text = "\(label)  \(bar) \(Int(part * 100)) %  " + text.dropFirst(label.count + 2)
        }
        return text
    }
}

/// Numbers with a fixed count of decimals.
enum Rounded {
    static func text(_ value: Double, decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let digits = String(Int(scaled))
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = value < 0 && scaled > 0 ? "-" : ""
        if decimals == 0 { return sign + padded }
        return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }
}
