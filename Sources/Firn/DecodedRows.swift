// SPDX-License-Identifier: Apache-2.0
//
// The rows of a result as Codable values, by the names of columns.

extension QueryResult {
    /// The rows as values of a `Decodable` type, whose coding keys are names of columns; optionals take NULL.
    ///
    ///     struct Reading: Decodable {
    ///         let time: Timestamp
    ///         let sensor: String
    ///         let value: Double?
    ///     }
    ///     for try await reading in try await database.query("SELECT * FROM readings").rows(as: Reading.self) { … }
    ///
    /// Properties may be of every ``RowValue`` type, or of a type that decodes from one of these, such as an enum with raw
    /// values. Columns that the type does not ask for are left out. Iterating throws 42703 for a property without a column,
    /// optional ones included, 42702 where several columns have its name, 42804 where it cannot be read as its type, 23502 for
    /// NULL in a type that is not optional. Costs more than `rows(as:)` with a type for each column, as Codable asks for
    /// each field by name.
    @_disfavoredOverload
    public func rows<T: Decodable>(as type: T.Type) -> DecodedRows<T> { DecodedRows(result: self) }
}

/// The rows of a result as values of a `Decodable` type; see `rows(as:)` of ``QueryResult``.
public struct DecodedRows<Element: Decodable>: AsyncSequence {
    /// What iterating throws.
    public typealias Failure = FirnError

    let result: QueryResult

    /// The iterator. A result can be read once: every further iterator throws 55000.
    public func makeAsyncIterator() -> Iterator { Iterator(result) }

    /// Hands out the rows.
    public struct Iterator: AsyncIteratorProtocol {
        private var batches: QueryResult.Iterator
        private let decoder: RowDecoder
        private var index = 0
        private var rowCount = 0

        init(_ result: QueryResult) {
            batches = result.makeAsyncIterator()
            decoder = RowDecoder(result.columns)
        }

        /// The next row; nil at the end. No change of threads but at the end of a batch.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(FirnError) -> Element? {
            if index == rowCount {
                guard let batch = try await batches.next(isolation: actor) else { return nil }
                decoder.turn(to: batch)
                index = 0
                rowCount = batch.rowCount
            }
            decoder.begin(row: index)
            index += 1
            do {
                return try Element(from: decoder)
            } catch {
                throw FirnError(decoding: error)
            }
        }
    }
}
