// SPDX-License-Identifier: Apache-2.0
//
// What a program may hand over wrongly gives a typed error and not the end of the process. Public face alone.

import Firn
import Testing

@Suite struct TypedErrorTests {
    private func code(_ body: () throws -> Void) -> SQLState? {
        do {
            try body()
            return nil
        } catch {
            return (error as? FirnError)?.code
        }
    }

    private func asyncCode(_ body: () async throws -> Void) async -> SQLState? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? FirnError)?.code
        }
    }

    @Test func batchesOfUnequalColumnsAreRefused() {
        #expect(code { _ = try ColumnBatch([.doubles([1, 2]), .doubles([1])]) } == .invalidParameterValue)
        #expect(code { _ = try ColumnBatch(["a": .doubles([1, 2]), "b": .doubles([])]) } == .invalidParameterValue)
        #expect(code { _ = try ColumnBatch([.doubles([1])], rowCount: 2) } == .invalidParameterValue)
        #expect(code { _ = try ColumnBatch([], rowCount: -1) } == .invalidParameterValue)
        #expect(
            code { _ = try ColumnBatch(names: ["a"], columns: [.doubles([1]), .doubles([1])]) }
                == .invalidParameterValue)
        #expect(code { _ = try ColumnBatch(["a": .doubles([1]), "a": .doubles([2])]) } == .duplicateColumn)
        #expect(
            code { _ = try ColumnBatch(names: ["a", "a"], columns: [.doubles([1]), .doubles([2])]) } == .duplicateColumn
        )
    }

    @Test func aValidityOfAnotherLengthIsRefused() {
        let short = Bitmap([true])
        let wrong: SQLState = .invalidParameterValue
        #expect(code { _ = try Column.booleans([true, false], validity: short) } == wrong)
        #expect(code { _ = try Column.integers([1, 2], validity: short) } == wrong)
        #expect(code { _ = try Column.floats([1, 2], validity: short) } == wrong)
        #expect(code { _ = try Column.doubles([], validity: short) } == wrong)
        #expect(code { _ = try Column.decimals([Decimal(1), Decimal(2)], validity: short) } == wrong)
        #expect(code { _ = try Column.timestamps(microseconds: [1, 2], validity: short) } == wrong)
        #expect(code { _ = try Column.times([1, 2], type: .date, validity: short) } == wrong)
        #expect(code { _ = try Column.text(["a", "b"], validity: short) } == wrong)
        #expect(code { _ = try Column.text(BytesValues(["a", "b"]), validity: short) } == wrong)
        #expect(code { _ = try Column.uuids([1, 2], validity: short) } == wrong)
        #expect(code { _ = try Column.intervals([Interval(), Interval()], validity: short) } == wrong)
        #expect(code { _ = try Column.vectors([1, 2], dimensions: 1, validity: short) } == wrong)
    }

    @Test func valuesOfAnotherTypeAreRefused() throws {
        #expect(code { _ = try Column([.text("a")], type: .double) } == .datatypeMismatch)
        #expect(code { _ = try Column([1, .null], type: .double) } == .datatypeMismatch)
        #expect(code { _ = try Column([.bytes([1])], type: .text) } == .datatypeMismatch)
        #expect(code { _ = try Column([.vector([1, 2])], type: .vector(3)) } == .datatypeMismatch)
        #expect(code { _ = try Column([.null], type: .unknown) } == .indeterminateDatatype)
        #expect(code { _ = try Column([.null], type: .vector(0)) } == .invalidParameterValue)
        #expect(code { _ = try Column.integers([1], type: .double) } == .datatypeMismatch)
        #expect(code { _ = try Column.times([1], type: .bigint) } == .datatypeMismatch)
        #expect(code { _ = try Column.vectors([1, 2, 3], dimensions: 2) } == .invalidParameterValue)
        #expect(code { _ = try Column.vectors([], dimensions: 0) } == .invalidParameterValue)
        #expect(try Column([1.5, .null], type: .double).nullCount == 1)
    }

    @Test func layoutsThatDoNotFitAreRefused() throws {
        #expect(code { _ = try BytesValues(bytes: [1, 2], offsets: []) } == .invalidParameterValue)
        #expect(code { _ = try BytesValues(bytes: [1, 2], offsets: [0, 3]) } == .invalidParameterValue)
        #expect(code { _ = try BytesValues(bytes: [1, 2], offsets: [0, 2, 1, 2]) } == .invalidParameterValue)
        #expect(code { _ = try BytesDictionary(BytesValues(["a", "b", "a"])) } == .invalidParameterValue)
        let dictionary = try BytesDictionary(BytesValues(["a", "b"]))
        #expect(dictionary.isSorted)
        #expect(code { _ = try Column.text(codes: [2], dictionary: dictionary) } == .invalidParameterValue)
    }

    @Test func fieldsThatAreNotThereAreErrors() async throws {
        let database = try Database.inMemory()
        for try await row in try await database.query("SELECT 1 AS a, 2 AS b, 3 AS b").rows {
            #expect(try row[0] == 1 && row["a"] == 1)
            #expect(code { _ = try row[3] } == .undefinedColumn)
            #expect(code { _ = try row[-1] } == .undefinedColumn)
            #expect(code { _ = try row["typo"] } == .undefinedColumn)
            #expect(code { _ = try row["b"] } == .ambiguousColumn)
            #expect(code { _ = try row.get(7, as: Int.self) } == .undefinedColumn)
            #expect(code { _ = try row.get("b", as: Int.self) } == .ambiguousColumn)
            #expect(code { _ = try row.get("a", as: String.self) } == .datatypeMismatch)
        }
    }

    @Test func typedRowsAskForAsManyTypesAsColumns() async throws {
        let database = try Database.inMemory()
        let fewer = await asyncCode {
            for try await _ in try await database.query("SELECT 1").rows(as: Int.self, Int.self) {}
        }
        #expect(fewer == .datatypeMismatch)
        let more = await asyncCode {
            for try await _ in try await database.query("SELECT 1, 2").rows(as: Int.self) {}
        }
        #expect(more == .datatypeMismatch)
        let empty = await asyncCode {
            for try await _ in try await database.query("SELECT 1 WHERE false").rows(as: Int.self, Int.self) {}
        }
        #expect(empty == .datatypeMismatch)
    }

    @Test func aColumnNamedTwiceInABatchOrTableIsRefused() async throws {
        let database = try Database.inMemory()
        let twice = [ColumnDefinition(name: "a", type: .bigint), ColumnDefinition(name: "a", type: .text)]
        #expect(await asyncCode { try await database.createTable("t", columns: twice) } == .duplicateColumn)
        let vector = [ColumnDefinition(name: "a", type: .vector(0))]
        #expect(await asyncCode { try await database.createTable("t", columns: vector) } == .invalidParameterValue)
        let numeric = [ColumnDefinition(name: "a", type: .numeric(precision: 99, scale: -3))]
        #expect(await asyncCode { try await database.createTable("t", columns: numeric) } == .invalidParameterValue)
        let unknown = [ColumnDefinition(name: "a", type: .unknown)]
        #expect(await asyncCode { try await database.createTable("t", columns: unknown) } == .invalidTableDefinition)
        let long = String(repeating: "n", count: 64)
        #expect(
            await asyncCode {
                try await database.createTable(long, columns: [ColumnDefinition(name: "a", type: .text)])
            }
                == .nameTooLong)
        let plain = [ColumnDefinition(name: "a", type: .bigint)]
        #expect(
            await asyncCode { try await database.createTable("t", columns: plain, primaryKey: ["a", "a"]) }
                == .duplicateColumn)
        let defaulted = [ColumnDefinition(name: "a", type: .bigint, defaultExpression: "nosuch + ")]
        #expect(await asyncCode { try await database.createTable("t", columns: defaulted) } == .syntaxError)
        #expect(
            await asyncCode { try await database.createTable("t", columns: plain, sortKey: ["b"]) } == .undefinedColumn)
        #expect(await asyncCode { try await database.createTable("", columns: plain) } == .invalidTableDefinition)
    }

    @Test func optionsThatCannotBeAreRefused() {
        func opening(_ change: (inout DatabaseOptions) -> Void) -> SQLState? {
            var options = DatabaseOptions()
            change(&options)
            return code { try Database.inMemory(options: options).closeBlocking() }
        }
        #expect(opening { _ in } == nil)
        #expect(opening { $0.queryThreadCount = 0 } == .invalidParameterValue)
        #expect(opening { $0.queryThreadCount = 1_000_000 } == .invalidParameterValue)
        #expect(opening { $0.statementThreadCountMax = 0 } == .invalidParameterValue)
        #expect(opening { $0.statementTimeoutMilliseconds = -1 } == .invalidParameterValue)
        #expect(opening { $0.queryMemoryBytesMax = -1 } == .invalidParameterValue)
        #expect(opening { $0.storage.memtableBytesMax = 0 } == .invalidParameterValue)
        #expect(opening { $0.storage.memoryBytesMax = 0 } == .invalidParameterValue)
        #expect(opening { $0.storage.logFileBytes = -5 } == .invalidParameterValue)
        #expect(opening { $0.storage.cacheBytesMax = -1 } == .invalidParameterValue)
        #expect(opening { $0.storage.chunkIntervalSeconds = 0 } == .invalidParameterValue)
        #expect(opening { $0.storage.chunkIntervalSeconds = .max } == .invalidParameterValue)
    }

    @Test func valuesAtTheirEndsHaveTexts() {
        for count in [Int64.min, .min + 1, -1, 0, .max - 1, .max] {
            #expect(!Timestamp(microseconds: count).text.isEmpty)
            #expect(!NanosecondTimestamp(nanoseconds: count).text.isEmpty)
            #expect(!Interval(months: .min, days: .max, microseconds: count).text.isEmpty)
            #expect(!DayNumber(days: Int32(truncatingIfNeeded: count)).text.isEmpty)
            for type in [DataType.timestamptz(.microseconds), .timestamp(.nanoseconds), .date, .bigint] {
                #expect(ValueText(type: type, zone: .utc).text(.integer(count)) != nil)
            }
            _ = Timestamp(microseconds: count).day
        }
        #expect(ValueText(type: .text, zone: .utc).text(Value.null) == nil)
        #expect((try? Decimal(1).rounded(toScale: .min)) == Decimal.zero)
        #expect((try? Decimal(1).truncated(toScale: .min)) == Decimal.zero)
        let error = FirnError(.syntaxError, "x", position: 1_000)
        #expect(error.rendered(in: "SELECT", firstLine: .max, firstColumn: .max).contains("x"))
    }
}
