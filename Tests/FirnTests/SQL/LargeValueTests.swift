// SPDX-License-Identifier: Apache-2.0
//
// Values of many megabytes: what is too large is refused by name and place, and nothing is lost by it.

import Firn
import Testing

@Suite("Large values")
struct LargeValueTests {
    @Test func aValueAboveTheLimitIsRefusedWithItsPlace() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, note text, document jsonb)")
        let tooLarge = try BytesValues(
            bytes: [UInt8](repeating: 0x78, count: BytesValues.valueBytesMax + 2),
            offsets: [0, 1, BytesValues.valueBytesMax + 2])
        for column in ["note", "document"] {
            let error = await #expect(throws: FirnError.self) {
                let columns = [Column.timestamps(microseconds: [0, 1]), .text(tooLarge)]
                try await database.append(ColumnBatch(names: ["time", column], columns: columns), to: "t")
            }
            #expect(error?.code == .programLimitExceeded)
            #expect(error?.message == "a value of 268435457 bytes exceeds the limit of 268435456")
            #expect(error?.detail == "Row 2 of the batch, column \"\(column)\".")
        }
        let counted = try await RealDataTests.table(try await database.query("SELECT count(*) FROM t"))
        #expect(counted.rows == [["0"]])
    }
}
