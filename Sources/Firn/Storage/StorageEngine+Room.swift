// SPDX-License-Identifier: Apache-2.0
//
// The ceiling of memory for rows that no segment holds: who gets room, who waits, and who wakes him.
//
// An append is given room before it takes its LSN. Where there is none it stands in one queue with all others, threads
// and tasks, first come first served. Room comes back where a flush has written a memtable, where an append that was
// given room fails, and where a table goes; each of these resumes those whose turn it is. Three things keep the queue
// moving, whatever the interleaving:
//
//   - whoever makes one of these true looks at it under the same lock, and acts: the queue is not empty while rows lie
//     in memory and no flush is on its way (a flush is scheduled); its first fits (it is resumed)
//   - what was reserved enters a memtable or is given back without waiting for room
//   - a flush needs no room, and neither does anything that may run in front of it on its thread

import FirnIO

extension StorageEngine {
    enum Reservation {
        case reserved, queued
        case refused(FirnError)
    }

    /// Takes memory for rows; waits for a flush where there is none left.
    func reserve(_ byteCount: Int) throws(FirnError) {
        let waiter = Waiter<Void>()
        switch reserveOrQueue(byteCount, then: { waiter.fulfil($0) }) {
        case .reserved: return
        case .refused(let error): throw error
        case .queued: break
        }
        if options.startsThreads {
            scheduleFlush()
        } else {
            // Whoever would run it is the one who waits. A failure comes by the waiter.
            while !waiter.isFulfilled, core.withLock({ $0.activeBytes + $0.frozenBytes > 0 }) {
                do throws(FirnError) { try flush(.once) } catch { break }
            }
        }
        try waiter.wait()
    }

    /// Takes memory for rows, or stands in the queue for it: `resume` is called once then, on any thread.
    ///
    /// Where the answer is `queued` the caller has a flush scheduled.
    func reserveOrQueue(
        _ byteCount: Int, then resume: @escaping @Sendable (Result<Void, FirnError>) -> Void
    ) -> Reservation {
        core.withLock { core in
            if core.phase != .open { return .refused(Self.closedError) }
            if let failure = core.failure { return .refused(Self.afterFailure(failure)) }
            if core.room.isEmpty, hasRoom(for: byteCount, core) {
                core.reservedBytes += byteCount
                return .reserved
            }
            if options.backpressure == .fail { return .refused(Self.busy) }
            core.room.append(RoomWaiter(byteCount: byteCount, resume: resume))
            return .queued
        }
    }

    /// True where rows of so many bytes may come in. A single batch larger than the ceiling comes in alone.
    func hasRoom(for byteCount: Int, _ core: Core) -> Bool {
        core.heldBytes == 0 || core.heldBytes + byteCount <= options.memoryBytesMax
    }

    /// Gives back what was reserved for an append that took no place.
    func giveBack(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        core.withLock { $0.reservedBytes -= byteCount }
        grantRoom()
    }

    /// Gives the room that there is to those who wait for it. One thread at a time does so, since those who are resumed
    /// may give room back at once.
    func grantRoom() {
        while true {
            let ready: [RoomWaiter] = core.withLock { core in
                guard !core.isGrantingRoom else { return [] }
                var count = 0
                while count < core.room.count, hasRoom(for: core.room[count].byteCount, core) {
                    core.reservedBytes += core.room[count].byteCount
                    count += 1
                }
                guard count > 0 else { return [] }
                core.isGrantingRoom = true
                defer { core.room.removeFirst(count) }
                return Array(core.room[..<count])
            }
            guard !ready.isEmpty else { break }
            for waiter in ready { waiter.resume(.success(())) }
            core.withLock { $0.isGrantingRoom = false }
        }
        if core.withLock({ shouldScheduleFlush($0) }) { scheduleFlush() }
    }

    private static let busy = FirnError(
        .busy, "memory for unflushed rows is used up", hint: "try again when the flush in progress has made room")

    static func noRoom(_ failure: FirnError) -> FirnError {
        var error = failure
        error.detail = "Memory for unflushed rows is used up, and they cannot be written to a segment."
        return error
    }
}
