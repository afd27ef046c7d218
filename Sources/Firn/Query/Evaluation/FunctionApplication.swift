// SPDX-License-Identifier: Apache-2.0
//
// Calls a function of the catalogue over a block: NULL arguments, constant arguments and dictionary-coded text
// are dealt with here once, so that no function has to.

extension ScalarFunction {
    /// The function's value for each row.
    func apply(
        _ arguments: [Vector], rowCount: Int, _ context: EvaluationContext
    ) throws(FirnError) -> Vector {
        if nulls == .handled { return try evaluate(arguments, rowCount, context) }
        var validity: Bitmap?
        var columnCount = 0
        let nullable = nullableFrom ?? arguments.count
        for (index, argument) in arguments.enumerated() {
            switch argument {
            case .constant(.null, _) where index < nullable: return .constant(.null, resultType)
            case .constant: break
            case .column(let column):
                columnCount += 1
                if index < nullable { validity = combinedValidity(validity, column.validity) }
            }
        }
        if columnCount == 0, volatility != .volatile {
            return .constant(try evaluate(arguments, 1, context).row(0), resultType)
        }
        if columnCount == 1, volatility != .volatile,
            let position = arguments.firstIndex(where: { $0.dictionary != nil }),
            let result = try applyToDictionary(arguments, position, rowCount: rowCount, context)
        {
            return result
        }
        guard let validity else { return try evaluate(arguments, rowCount, context) }
        switch nulls {
        case .ignored, .handled:
            let result = try evaluate(arguments, rowCount, context).materialized(rowCount: rowCount)
            return .column(result.with(validity: validity))
        case .neverSeen:
            let rows = validity.setIndices
            if rows.isEmpty { return .constant(.null, resultType) }
            let dense = try evaluate(arguments.map { $0.gather(rows) }, rows.count, context)
            return .column(dense.materialized(rowCount: rows.count).scattered(by: validity))
        }
    }

    /// Evaluates once for each entry of the dictionary and maps by code.
    ///
    /// Nil where that does not pay, or where some entry is an error: whether a row has it is then found row by row.
    private func applyToDictionary(
        _ arguments: [Vector], _ position: Int, rowCount: Int, _ context: EvaluationContext
    ) throws(FirnError) -> Vector? {
        guard case .column(let column) = arguments[position], let (codes, dictionary) = column.dictionaryValues,
            dictionary.count > 0
        else { return nil }
        let operation = DictionaryResultCache.Operation(
            name: name, resultType: resultType,
            constants: arguments.enumerated().map { $0.offset == position ? .null : $0.element.row(0) },
            position: position)
        let cache = context.dictionaryResults
        var result = cache.result(of: operation, for: dictionary)
        if result == nil {
            // A dictionary serves a whole segment: at most as much work ahead as a few blocks would be.
            guard dictionary.count <= 8 * max(rowCount, 1_024) else { return nil }
            var onEntries = arguments
            onEntries[position] = .column(Column(type: column.type, values: .bytes(dictionary.values)))
            let outcome: Column
            do throws(FirnError) {
                outcome = try evaluate(onEntries, dictionary.count, context).materialized(rowCount: dictionary.count)
            } catch {
                return nil
            }
            result = cache.keep(.init(column: outcome.dictionaryCoded), of: operation, for: dictionary)
        }
        // A NULL row may hold any code.
        let last = Int32(dictionary.count - 1)
        let rows = codes.map { min(Int32(truncatingIfNeeded: $0), last) }
        let mapped = result!.column.gather(rows)
        return .column(mapped.with(validity: combinedValidity(mapped.validity, column.validity)))
    }
}

extension Vector {
    /// The dictionary of dictionary-coded text.
    var dictionary: BytesDictionary? {
        if case .column(let column) = self { column.dictionaryValues?.dictionary } else { nil }
    }

    /// The given rows, in their order.
    func gather(_ rows: [Int32]) -> Vector {
        switch self {
        case .constant: self
        case .column(let column): .column(column.gather(rows))
        }
    }
}

extension Column {
    /// Text of distinct values by code; other types as they are.
    var dictionaryCoded: Column {
        guard case .bytes(let values) = values else { return self }
        var codeOfText: [[UInt8]: UInt32] = [:]
        var distinct = BytesValues()
        var codes: [UInt32] = []
        codes.reserveCapacity(count)
        for row in 0..<count {
            let text = Array(values[row])
            if let code = codeOfText[text] {
                codes.append(code)
            } else {
                let code = UInt32(distinct.count)
                codeOfText[text] = code
                distinct.append(contentsOf: text)
                codes.append(code)
            }
        }
        return Column(type: type, values: .dictionary(codes, BytesDictionary(distinct: distinct)), validity: validity)
    }

    /// The column, NULL also where the row of `dense` that went to a row is.
    private func combined(with dense: Column, by validity: Bitmap) -> Column {
        guard dense.validity != nil else { return self }
        var next = 0
        let isPresent = bitmap(count: validity.count) { row in
            guard validity[row] else { return false }
            defer { next += 1 }
            return !dense.isNull(next)
        }
        return with(validity: isPresent)
    }

    /// Row k of this column goes to the k-th bit of `validity` that is 1; the other rows are NULL.
    func scattered(by validity: Bitmap) -> Column {
        precondition(count == validity.setCount && count > 0, "a row for each bit that is 1")
        if case .bytes(let texts) = values {
            // NULL rows are empty: a copy of another row's text could be many bytes.
            var spread = BytesValues()
            spread.reserveCapacity(validity.count, byteCount: texts.bytes.count)
            var next = 0
            for row in 0..<validity.count {
                if validity[row] {
                    spread.append(contentsOf: texts[next])
                    next += 1
                } else {
                    spread.append("")
                }
            }
            return Column(type: type, values: .bytes(spread), validity: validity).combined(with: self, by: validity)
        }
        var next: Int32 = 0
        var rows = [Int32](repeating: 0, count: validity.count)
        for row in validity.setIndices {
            rows[Int(row)] = next
            next += 1
        }
        let spread = gather(rows)
        return spread.with(validity: combinedValidity(spread.validity, validity))
    }
}
