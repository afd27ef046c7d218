// SPDX-License-Identifier: Apache-2.0
//
// The seam between the engine and its background threads: flush, compaction and the like are submitted here.
//
// `ThreadPool` runs them on threads of its own; `ManualExecutor` keeps them until a test runs them by hand,
// one after the other, on the test's thread.

/// Runs work that may block, away from Swift's cooperative pool. Any thread may submit.
public protocol WorkExecutor: Sendable {
    /// Accepts `work` to run once, later, in no promised order. `name` says what it is, for people.
    ///
    /// Returns `.refused` after ``shutDown()``; the work will then never run.
    @discardableResult
    func submit(_ name: String, _ work: @escaping @Sendable () -> Void) -> Submission
    /// Accepts work that did a part and shall go on after what else waits: so those who share the threads take turns.
    @discardableResult
    func resubmit(_ name: String, _ work: @escaping @Sendable () -> Void) -> Submission
    /// Whether work waits for a thread.
    var hasWaitingWork: Bool { get }
    /// Takes no further work, lets what was accepted finish, and returns after it; a second call does nothing.
    func shutDown()
}

extension WorkExecutor {
    @discardableResult
    public func resubmit(_ name: String, _ work: @escaping @Sendable () -> Void) -> Submission { submit(name, work) }
    public var hasWaitingWork: Bool { false }
}

/// What became of submitted work.
public enum Submission: Sendable, Hashable {
    /// It will run once.
    case accepted
    /// The executor is shut down, and it will not run.
    case refused
}
