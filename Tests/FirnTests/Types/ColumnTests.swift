// SPDX-License-Identifier: Apache-2.0
//
// Columns of the public face: what holds whatever their storage.

import Testing

@testable import Firn

@Suite("Columns")
struct ColumnTests {
    @Test("A column of NULLs over an empty dictionary can be decoded, gathered and joined")
    func emptyDictionaryHoldsNullsOnly() {
        let nulls = Bitmap(repeating: false, count: 3)
        let column = Column(
            type: .text, values: .dictionary([0, 0, 0], BytesDictionary(distinct: BytesValues())), validity: nulls)
        #expect(column.bytesValues?.count == 3)
        #expect(column[1] == .null)
        let joined = Column.concatenate([column, .text(["a"])], type: .text)
        #expect((0..<4).map { joined[$0] } == [.null, .null, .null, .text("a")])
        #expect(column.gather([2, 0]).nullCount == 2)
    }
}
