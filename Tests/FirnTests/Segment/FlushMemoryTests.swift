// SPDX-License-Identifier: Apache-2.0
//
// The memory of a flush goes to the next one, and to one at a time.

import Testing

@testable import Firn

@Suite struct FlushMemoryTests {
    @Test func theNextWriterGetsTheMemory() throws {
        let keeper = FlushMemoryKeeper()
        var first: FlushMemory?
        try keeper.withMemory { memory in
            first = memory
            for index in 0..<1_000_000 { memory.places(1_000_000)[index] = UInt32(index) }
        }
        #expect(keeper.byteCount >= 4_000_000)
        try keeper.withMemory { memory in
            #expect(memory === first)
            #expect(keeper.byteCount == 0)
        }
        #expect(keeper.byteCount >= 4_000_000)
    }

    @Test func writersAtOneTimeHaveMemoryOfTheirOwn() throws {
        let keeper = FlushMemoryKeeper()
        try keeper.withMemory { (first) throws(FirnError) in
            try keeper.withMemory { second in
                #expect(first !== second)
                first.values(Int64.self, 1_000)[999] = 1
                second.values(Int64.self, 1_000)[999] = 2
                #expect(first.values(Int64.self, 1_000)[999] == 1)
            }
        }
    }

    @Test func aWriterThatFailsLeavesItsMemory() {
        let keeper = FlushMemoryKeeper()
        #expect(throws: FirnError.self) {
            try keeper.withMemory { (memory) throws(FirnError) in
                _ = memory.validity(10_000)
                throw FirnError(.ioError, "the disk is full")
            }
        }
        #expect(keeper.byteCount >= 10_000)
    }

    @Test func moreThanALimitIsNotKept() throws {
        let keeper = FlushMemoryKeeper()
        try keeper.withMemory { memory in _ = memory.windowLists(FlushMemory.keptByteCountMax / 8 + 1) }
        #expect(keeper.byteCount == 0)
    }

    /// Each kind of room is a buffer of its own, in which as much can be written as was asked for.
    @Test func roomsDoNotOverlap() {
        let memory = FlushMemory()
        for count in [1, 1_000, 300_000, 10] {
            let lists = memory.windowLists(count)
            let places = memory.places(count)
            let values = memory.values(UInt32.self, count)
            let validity = memory.validity(count)
            for index in 0..<count {
                lists.rows[index] = 1
                lists.places[index] = 2
                places[index] = 3
                values[index] = 4
                validity[index] = 5
            }
            #expect((0..<count).allSatisfy { lists.rows[$0] == 1 && lists.places[$0] == 2 && places[$0] == 3 })
            #expect((0..<count).allSatisfy { values[$0] == 4 && validity[$0] == 5 })
        }
    }
}
