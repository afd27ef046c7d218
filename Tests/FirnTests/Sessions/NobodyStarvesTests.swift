// SPDX-License-Identifier: Apache-2.0
//
// Statements beside endless ones: what is short begins at once, what is cancelled is answered at once, and closing
// waits for nobody. Shown by counters; where a test waits, it waits for a counter.

import FirnIO
import Synchronization
import Testing

@testable import Firn

/// Runs for as long as anyone lets it.
private let endless = "SELECT count(*) FROM generate_series(1, 9000000000000000000)"

@Suite("Nobody starves", .serialized)
struct NobodyStarvesTests {
    /// Waits until a counter has come as far; fails where it does not, however busy the machine is.
    private static func wait(
        until isTrue: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let clock = SystemTimeSource()
        let deadline = clock.monotonicNanoseconds() + 60_000_000_000
        while !isTrue() {
            try #require(
                clock.monotonicNanoseconds() < deadline, "what the test waits for never came",
                sourceLocation: sourceLocation)
            try await Task.sleep(nanoseconds: 1_000_000)
        }
    }

    private static func begin(
        _ count: Int, in database: Database
    ) async throws -> [Task<FirnError?, Never>] {
        let before = database.workers.runningCount
        let tasks = (0..<count).map { _ in
            Task<FirnError?, Never> {
                do {
                    for try await _ in try await database.query(endless) {}
                    return nil
                } catch {
                    return error as? FirnError
                }
            }
        }
        try await wait { database.workers.runningCount == before + count }
        return tasks
    }

    @Test func noShortStatementWaitsForALongOne() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (x integer)")
        let long = try await Self.begin(30, in: database)
        for number in 0..<50 {
            let answer = try await database.query("SELECT \(number)").collect()
            #expect(answer[0].columns[0][0] == .integer(Int64(number)))
        }
        try await database.execute("SET timezone = 'Europe/Berlin'")
        try await database.execute("INSERT INTO t VALUES (1)")
        try await database.checkpoint()
        try await database.sync()
        // All that ran while the thirty ran, and nothing of it stood in a queue.
        #expect(database.workers.runningCount == 30)
        #expect(database.workers.delayedCount == 0)
        for task in long { task.cancel() }
        for task in long {
            let error = await task.value
            #expect(error?.code == .queryCanceled)
            #expect(error?.message == "canceling statement due to user request")
        }
        try await Self.wait { database.workers.runningCount == 0 }
        #expect(database.statements.count == 0)
        try await database.close()
    }

    @Test func aCancelledStatementThatHasNotBegunIsAnsweredAtOnce() async throws {
        var options = DatabaseOptions()
        options.statementThreadCountMax = 1
        let database = try Database.inMemory(options: options)
        let long = try await Self.begin(1, in: database)
        let waiting = Task { try await database.execute("CREATE TABLE t (x integer)") }
        try await Self.wait { database.workers.waitingCount == 1 }
        waiting.cancel()
        let error = await #expect(throws: FirnError.self) { try await waiting.value }
        #expect(error?.code == .queryCanceled)
        #expect(database.workers.runningCount == 1)
        long[0].cancel()
        #expect(await long[0].value?.code == .queryCanceled)
        #expect(try database.table(named: "t") == nil)
        try await database.close()
    }

    @Test func aStatementThatWaitsForAThreadIsCancelledWhenItsTimeIsOver() async throws {
        var options = DatabaseOptions()
        options.statementThreadCountMax = 1
        let database = try Database.inMemory(options: options)
        let impatient = database.session()
        try await impatient.execute("SET statement_timeout = '20ms'")
        let long = try await Self.begin(1, in: database)
        let error = await #expect(throws: FirnError.self) { try await impatient.execute("SELECT 1") }
        #expect(error?.code == .queryCanceled)
        #expect(error?.message == "canceling statement due to statement timeout")
        #expect(database.workers.runningCount == 1)
        long[0].cancel()
        _ = await long[0].value
        try await database.close()
    }

    @Test func closingCancelsWhatRuns() async throws {
        let database = try Database.inMemory()
        let long = try await Self.begin(3, in: database)
        try await database.close()
        for task in long { #expect(await task.value?.code == .databaseClosed) }
        await #expect(throws: FirnError.self) { try await database.query("SELECT 1") }
    }

    @Test func aResultThatWasBegunEndsWithTheDatabase() async throws {
        let database = try Database.inMemory()
        let result = try await database.query("SELECT * FROM generate_series(1, 1000000)")
        var batches = result.makeAsyncIterator()
        _ = try await batches.next()
        // A consumer that has stopped reading holds no thread.
        #expect(database.workers.runningCount == 0)
        try await database.close()
        let error = await #expect(throws: FirnError.self) { while try await batches.next() != nil {} }
        #expect(error?.code == .databaseClosed)
    }

    @Test func openingDoesNotWaitForClosing() async throws {
        // As many slow calls as there were ever threads for opening and closing.
        let gate = ConditionLock(false)
        let slow = (0..<16).map { _ in
            Task {
                try await BlockingWorkers.upkeep.run { () throws(FirnError) in gate.wait(until: { $0 }, then: { _ in })
                }
            }
        }
        var options = DatabaseOptions()
        options.fileSystem = MemoryFileSystem()
        let database = try await Database.open(at: "/other", options: options)
        try await database.close()
        gate.withLock { $0 = true }
        gate.broadcast()
        for call in slow { try await call.value }
    }

    @Test func aDatabaseThatIsLetGoIsFreed() async throws {
        var options = DatabaseOptions()
        options.fileSystem = MemoryFileSystem()
        weak var database: Database?
        weak var engine: StorageEngine?
        weak var threads: BlockingWorkers?
        func use() async throws {
            let opened = try await Database.open(at: "/db", options: options)
            try await opened.execute("CREATE TABLE t (x integer)")
            try await opened.execute("INSERT INTO t VALUES (1)")
            #expect(try await opened.query("SELECT * FROM t").collect().count == 1)
            database = opened
            engine = try opened.openStore()
            threads = opened.workers
        }
        try await use()
        try await Self.wait { database == nil && engine == nil && threads == nil }
        let again = try await Database.open(at: "/db", options: options)
        #expect(try await again.query("SELECT * FROM t").collect().first?.rowCount == 1)
        try await again.close()
    }

    @Test func aSettingOfTheDatabasesOwnCallsLasts() async throws {
        let database = try Database.inMemory()
        try await database.execute("SET timezone = 'Europe/Berlin'")
        let shown = try await database.query("SHOW timezone").collect()
        #expect(shown[0].columns[0][0] == .text("Europe/Berlin"))
    }

    @Test(
        "A statement without rows is refused before it has changed anything",
        arguments: [
            "CREATE TABLE made (x integer)", "INSERT INTO t VALUES (1)", "SET timezone = 'Europe/Berlin'",
            "DROP TABLE t",
        ])
    func statementsWithoutRowsAreRefusedUnrun(sql: String) async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (x integer)")
        let error = await #expect(throws: FirnError.self) { try await database.query(sql) }
        #expect(error?.code == .syntaxError)
        #expect(try database.tables().map(\.name) == ["t"])
        #expect(try await database.query("SELECT * FROM t").collect().isEmpty)
        #expect(try await database.query("SHOW timezone").collect()[0].columns[0][0] == .text("UTC"))
    }
}

@Suite("Statement timeout")
struct StatementTimeoutTests {
    @Test func aStatementIsCancelledWhenItsTimeIsOver() async throws {
        var options = DatabaseOptions()
        options.statementTimeoutMilliseconds = 30
        let database = try Database.inMemory(options: options)
        let error = await #expect(throws: FirnError.self) { try await database.execute(endless) }
        #expect(error?.code == .queryCanceled)
        #expect(error?.message == "canceling statement due to statement timeout")
        try await database.execute("SET statement_timeout = 0")
        try await database.execute("SELECT 1")
        try await database.close()
    }

    @Test func timeIsThatOfTheDatabasesClock() throws {
        let clock = ManualTimeSource()
        let flag = CancellationFlag()
        flag.setDeadline(.init(after: 5, on: clock))
        clock.advance(nanoseconds: 4_999_999)
        try flag.check()
        clock.advance(nanoseconds: 1)
        let error = #expect(throws: FirnError.self) { try flag.check() }
        #expect(error?.message == "canceling statement due to statement timeout")
    }

    @Test func theFirstReasonCounts() {
        let flag = CancellationFlag()
        flag.cancel(.closing)
        flag.cancel(.user)
        #expect(#expect(throws: FirnError.self) { try flag.check() }?.code == .databaseClosed)
    }
}

@Suite("Compute turns")
struct ComputeTurnsTests {
    private static let slice: UInt64 = 1_000

    private static func turns(_ clock: ManualTimeSource, _ count: Int = 1) -> ComputeTurns {
        ComputeTurns(turnCount: count, sliceNanoseconds: slice, silenceNanoseconds: 1_000_000, clock: clock)
    }

    @Test func whatIsShortNeedsNoTurn() {
        let clock = ManualTimeSource()
        let turns = Self.turns(clock)
        let (long, short) = (ComputeTurn(turns), ComputeTurn(turns))
        long.during {
            clock.advance(nanoseconds: Self.slice)
            long.checkpoint { false }
            // The long one has the only turn; the short one asks and goes on, on the same thread.
            short.during {
                for _ in 0..<10 {
                    clock.advance(nanoseconds: Self.slice / 20)
                    short.checkpoint {
                        Issue.record("a short statement waited")
                        return true
                    }
                }
            }
        }
        #expect(turns.waitingStatements == 0)
        #expect(turns.handovers == 0)
    }

    @Test func longStatementsTakeTurns() throws {
        let clock = ManualTimeSource()
        let turns = Self.turns(clock)
        let (first, second) = (ComputeTurn(turns), ComputeTurn(turns))
        let secondHad = Atomic<Bool>(false)
        try first.during {
            clock.advance(nanoseconds: Self.slice)
            first.checkpoint { false }
            let thread = try DedicatedThread(name: "second") {
                second.during {
                    clock.advance(nanoseconds: Self.slice)
                    second.checkpoint { false }
                    secondHad.store(true, ordering: .sequentiallyConsistent)
                }
            }
            try #require(eventually { turns.waitingStatements > 0 })
            var had = secondHad.load(ordering: .sequentiallyConsistent)
            #expect(!had)
            clock.advance(nanoseconds: Self.slice)
            first.checkpoint { false }
            // The first one waited until the second was done.
            had = secondHad.load(ordering: .sequentiallyConsistent)
            #expect(had)
            thread.join()
        }
        #expect(turns.handovers >= 1)
    }

    @Test func aTurnWhoseOwnerWaitsForSomethingElseIsLent() throws {
        let clock = ManualTimeSource()
        let turns = Self.turns(clock)
        let (silent, other) = (ComputeTurn(turns), ComputeTurn(turns))
        try silent.during {
            clock.advance(nanoseconds: Self.slice)
            silent.checkpoint { false }
            clock.advance(nanoseconds: 2_000_000)
            // The owner says nothing and waits for the other's end.
            let thread = try DedicatedThread(name: "other") {
                other.during {
                    clock.advance(nanoseconds: Self.slice)
                    other.checkpoint { false }
                }
            }
            thread.join()
            silent.checkpoint { false }
        }
        #expect(turns.waitingStatements == 0)
    }

    @Test func whoWakesTooLateForATurnGetsAnother() throws {
        // Whenever anyone looks, every turn was silent for too long: it is lent on before its owner has woken.
        let clock = ManualTimeSource()
        let turns = Self.turns(clock)
        let ended = ConditionLock(0)
        let (threadCount, blockCount) = (16, 100)
        let threads = try (0..<threadCount).map { number in
            try DedicatedThread(name: "statement \(number)") {
                let turn = ComputeTurn(turns)
                turn.during {
                    for _ in 0..<blockCount {
                        clock.advance(nanoseconds: 2_000_000)
                        turn.checkpoint { false }
                    }
                }
                ended.withLock { $0 += 1 }
                ended.signal()
            }
        }
        let allEnded: Void? = ended.wait(
            until: { $0 == threadCount }, timeoutNanoseconds: 60_000_000_000, then: { _ in })
        try #require(allEnded != nil, "a statement waits for a turn that never comes")
        for thread in threads { thread.join() }
        #expect(turns.waitingStatements == 0)
    }
}
