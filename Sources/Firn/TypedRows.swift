// SPDX-License-Identifier: Apache-2.0
//
// The rows of a result as tuples of Swift values. The types are matched with the columns once a batch; a row costs a
// call a column then. Iteration is inlinable, so that a program's own tuples are made without generic code.

extension QueryResult {
    /// The rows as tuples, column by column; optionals take NULL.
    ///
    ///     for try await (sensor, average) in result.rows(as: String.self, Double?.self) { … }
    ///
    /// Iterating throws 42804 where there are more or fewer columns than types, or a column cannot be read as its type,
    /// and 23502 for NULL in a type that is not optional.
    public func rows<each T: RowValue>(as types: repeat (each T).Type) -> TypedRows<repeat each T> {
        TypedRows(result: self)
    }
}

/// The rows of a result as tuples; see `rows(as:)` of ``QueryResult``.
public struct TypedRows<each T: RowValue>: AsyncSequence, Sendable {
    /// What iterating gives.
    public typealias Element = (repeat each T)
    /// What iterating throws.
    public typealias Failure = FirnError

    let result: QueryResult

    /// The iterator. A result can be read once: every further iterator throws 55000.
    public func makeAsyncIterator() -> Iterator { Iterator(result) }

    /// Hands out the rows.
    public struct Iterator: AsyncIteratorProtocol {
        var batches: QueryResult.Iterator
        let columns: [ResultColumn]
        @usableFromInline var readers: (repeat ColumnReader<each T>)?
        @usableFromInline var index = 0
        @usableFromInline var rowCount = 0

        init(_ result: QueryResult) {
            batches = result.makeAsyncIterator()
            columns = result.columns
        }

        /// The next row; nil at the end. No change of threads but at the end of a batch.
        @inlinable
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(FirnError) -> (repeat each T)? {
            if index == rowCount {
                guard try await advance(isolation: actor) else { return nil }
            }
            guard let readers else { return nil }
            let row = index
            index += 1
            return (repeat try (each readers).read(row))
        }

        /// Turns to the next batch; false at the end.
        @usableFromInline
        mutating func advance(isolation actor: isolated (any Actor)?) async throws(FirnError) -> Bool {
            var typeCount = 0
            for _ in repeat (each T).self { typeCount += 1 }
            guard typeCount == columns.count else {
                throw FirnError(
                    .datatypeMismatch,
                    "rows of \(columns.count) columns cannot be read as \(typeCount) values",
                    hint: "Name a type for each column of the query.")
            }
            guard let batch = try await batches.next(isolation: actor) else {
                rowCount = 0
                index = 0
                readers = nil
                return false
            }
            var position = -1
            func reader<Element: RowValue>(_ type: Element.Type) -> ColumnReader<Element> {
                position += 1
                return ColumnReader(batch.columns[position], columns[position])
            }
            readers = (repeat reader((each T).self))
            index = 0
            rowCount = batch.rowCount
            return true
        }
    }
}
