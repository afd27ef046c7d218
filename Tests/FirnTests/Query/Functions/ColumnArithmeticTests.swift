// SPDX-License-Identifier: Apache-2.0
//
// + - * / of columns of doubles against one row at a time: the same results to the bit, and the error of the first row
// that has one, wherever it stands among ordinary ones.

import FirnIO
import Testing

@testable import Firn

@Suite("Arithmetic of columns")
struct ColumnArithmeticTests {
    private enum Outcome: Equatable {
        case values([UInt64?])
        case error(String)

        static func bits(_ value: Double) -> UInt64 { value.isNaN ? Double.nan.bitPattern : value.bitPattern }
    }

    /// What PostgreSQL gives for one row, or says of it (float8_pl and its like in float.h).
    private static func apply(_ symbol: String, _ left: Double, _ right: Double) -> (Double, error: String?) {
        let result: Double
        var mayUnderflow = false
        switch symbol {
        case "+": result = left + right
        case "-": result = left - right
        case "*":
            result = left * right
            mayUnderflow = left != 0 && right != 0
        default:
            if right == 0, !left.isNaN { return (0, "division by zero") }
            result = left / right
            mayUnderflow = left != 0 && !right.isInfinite
        }
        if result.isInfinite, !left.isInfinite, !right.isInfinite { return (0, "value out of range: overflow") }
        if result == 0, mayUnderflow { return (0, "value out of range: underflow") }
        return (result, nil)
    }

    @Test(arguments: ["+", "-", "*", "/"], [false, true])
    func columnsGiveWhatTheirRowsGive(symbol: String, isConstant: Bool) async throws {
        let seed = QuerySeed.current
        var generator = Xoshiro256(seed: seed)
        func random(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
        let ordinary: [Double] = [1, 2.5, 1e-3, 12_345.75, 7]
        let mixed: [Double] = [0, -0.0, -1, 3, -1e5]
        let special: [Double] = [.nan, .infinity, -.infinity, 1e308, -1e308, 1e-308, .leastNonzeroMagnitude, 0]
        for round in 0..<60 {
            let pool = round % 3 == 0 ? ordinary : ordinary + mixed
            let count = 1 + random(round % 4 == 0 ? 3_000 : 40)
            // Few rows that are out of the ordinary, or none.
            let specialShare = [0, 0, 3, count][random(4)]
            func value() -> Double {
                random(count) < specialShare ? special[random(special.count)] : pool[random(pool.count)]
            }
            let constant = value()
            let left = (0..<count).map { _ in random(9) == 0 ? nil : value() }
            let right = (0..<count).map { _ in isConstant ? constant : random(9) == 0 ? nil : value() }
            var values: [UInt64?] = []
            var error: String?
            for (left, right) in zip(left, right) where error == nil {
                guard let left, let right else {
                    values.append(nil)
                    continue
                }
                let outcome = Self.apply(symbol, left, right)
                error = outcome.error
                values.append(Outcome.bits(outcome.0))
            }
            let expected: Outcome = if let error { .error(error) } else { .values(values) }

            let database = try Database.inMemory()
            try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, a float8, b float8)")
            func column(_ values: [Double?]) -> Column {
                Column(values.map { $0.map { .double($0) } ?? .null }, type: .double)
            }
            try await database.append(
                ColumnBatch([
                    Column(repeating: .integer(0), type: .timestamptz, count: count), column(left), column(right),
                ]), to: "t")
            var found = Outcome.values([])
            do {
                let sql = "SELECT a \(symbol) \(isConstant ? "$1" : "b") FROM t"
                let parameters = isConstant ? [Value.double(constant)] : []
                let result = try await database.session().query(sql, parameters: parameters)
                var values: [UInt64?] = []
                for try await batch in result {
                    for row in 0..<batch.rowCount {
                        guard case .double(let value) = batch.columns[0][row] else {
                            values.append(nil)
                            continue
                        }
                        values.append(Outcome.bits(value))
                    }
                }
                found = .values(values)
            } catch let error as FirnError {
                found = .error(error.message)
            }
            #expect(found == expected, "seed \(seed), round \(round), \(count) rows of a \(symbol) b")
        }
    }
}
