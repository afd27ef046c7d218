// SPDX-License-Identifier: Apache-2.0
//
// compress_chunk and decompress_chunk, in TimescaleDB's words: a chunk's rows are written anew, for few bytes or for
// speed, and the chunk's name comes back. A chunk that is there already gives a notice, or an error where asked for.

/// What the functions that write chunks anew work on.
struct ChunkRewriting: Sendable {
    let store: any TableStore
    let notice: @Sendable (Notice) -> Void
}

extension FunctionCatalogue {
    mutating func addChunkFunctions() {
        addRewrite("compress_chunk", to: .cold, flag: "if_not_compressed")
        addRewrite("decompress_chunk", to: .warm, flag: "if_compressed")
    }

    /// `name(uncompressed_chunk text, <flag> boolean = true)`.
    private mutating func addRewrite(_ name: String, to profile: SegmentProfile, flag: String) {
        let body: FunctionOverload.Body = { arguments, rowCount, context throws(FirnError) in
            let names = arguments[0].materialized(rowCount: rowCount)
            let flags = arguments.count > 1 ? arguments[1].materialized(rowCount: rowCount) : nil
            var results = ColumnBuilder(type: .text, capacity: rowCount)
            for row in 0..<rowCount {
                guard case .text(let name) = names[row] else { preconditionFailure("a strict function sees no NULL") }
                let isLenient = flags.map { $0[row] == .boolean(true) } ?? true
                results.append(.text(try Self.rewrite(name, to: profile, isLenient: isLenient, context)))
            }
            return .column(results.finish())
        }
        let one = FunctionOverload([.text], .text, volatility: .volatile, body: body)
        let two = FunctionOverload([.text, .boolean], .text, volatility: .volatile, body: body)
        addFunction(name, overload: one.named("uncompressed_chunk"))
        addFunction(name, overload: two.named("uncompressed_chunk", flag))
    }

    /// Writes the chunk of that name anew, and returns its whole name.
    private static func rewrite(
        _ name: String, to profile: SegmentProfile, isLenient: Bool, _ context: EvaluationContext
    ) throws(FirnError) -> String {
        guard let rewriting = context.chunkRewriting else {
            throw FirnError(.featureNotSupported, "chunks cannot be compressed here")
        }
        guard let (table, chunk) = ChunkName.parse(name) else {
            throw FirnError(
                .undefinedTable, "relation \"\(name)\" does not exist", detail: "It is not the name of a chunk.",
                hint: "SELECT show_chunks('table') lists the chunks of a table")
        }
        let cancellation = context.cancellation
        let outcome: ChunkRewriteOutcome
        do throws(FirnError) {
            outcome = try rewriting.store.rewriteChunk(chunk, of: table, to: profile) { () throws(FirnError) in
                try cancellation.check()
            }
        } catch {
            guard error.code == .undefinedTable else { throw error }
            throw FirnError(
                .undefinedTable, "relation \"\(name)\" does not exist",
                hint: "SELECT show_chunks('table') lists the chunks of a table")
        }
        if outcome == .unchanged {
            let shown = ChunkName.bareText(table: table, chunk: chunk)
            let message = "chunk \"\(shown)\" is \(profile == .cold ? "already" : "not") compressed"
            guard isLenient else { throw FirnError(.duplicateObject, message) }
            rewriting.notice(Notice(message))
        }
        return ChunkName.text(table: table, chunk: chunk)
    }
}
