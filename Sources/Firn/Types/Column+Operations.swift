// SPDX-License-Identifier: Apache-2.0
//
// Cutting, picking and joining columns: what operators and the memtable do to whole columns.

extension Column {
    /// The rows of a range, copied.
    func slice(_ range: Range<Int>) -> Column {
        if range == 0..<count { return self }
        let cut: Values =
            switch values {
            case .boolean(let values): .boolean(Array(values[range]))
            case .integer(let values): .integer(Array(values[range]))
            case .float(let values): .float(Array(values[range]))
            case .double(let values): .double(Array(values[range]))
            case .decimal(let values): .decimal(values.slice(range))
            case .bytes(let values): .bytes(values.slice(range))
            case .dictionary(let codes, let dictionary): .dictionary(Array(codes[range]), dictionary)
            case .uuid(let values): .uuid(Array(values[range]))
            case .interval(let values): .interval(Array(values[range]))
            case .vector(let values, let dimensions):
                .vector(
                    Array(values[range.lowerBound * dimensions..<range.upperBound * dimensions]),
                    dimensions: dimensions)
            }
        return Column(type: type, values: cut, validity: validity?.slice(range))
    }

    /// The given rows, in their order; a row may come several times.
    func gather(_ rows: [Int32]) -> Column {
        let picked: Values =
            switch values {
            case .boolean(let values): .boolean(Column.pick(values, rows))
            case .integer(let values): .integer(Column.pick(values, rows))
            case .float(let values): .float(Column.pick(values, rows))
            case .double(let values): .double(Column.pick(values, rows))
            case .decimal(let values): .decimal(values.gather(rows))
            case .bytes(let values): .bytes(values.gather(rows))
            case .dictionary(let codes, let dictionary): .dictionary(Column.pick(codes, rows), dictionary)
            case .uuid(let values): .uuid(Column.pick(values, rows))
            case .interval(let values): .interval(Column.pick(values, rows))
            case .vector(let values, let dimensions):
                .vector(
                    rows.flatMap { values[Int($0) * dimensions..<(Int($0) + 1) * dimensions] }, dimensions: dimensions)
            }
        return Column(type: type, values: picked, validity: validity?.gather(rows))
    }

    /// The given rows, ascending: progressions are not written out for them.
    func gather(ascending rows: [Int32]) -> Column {
        guard let stepped else { return gather(rows) }
        return Column(type: type, values: stepped.gather(ascending: rows))
    }

    /// The rows at indices that were checked once, not per value.
    private static func pick<T>(_ values: [T], _ rows: [Int32]) -> [T] {
        // A negative row is a large one without its sign.
        let largest = rows.reduce(UInt32(0)) { max($0, UInt32(bitPattern: $1)) }
        precondition(rows.isEmpty || Int(largest) < values.count, "row indices within the column")
        return [T](unsafeUninitializedCapacity: rows.count) { target, initialized in
            values.withUnsafeBufferPointer { source in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                // In bounds: every row is below the column's count.
                for index in rows.indices { (target + index).initialize(to: source[Int(rows[index])]) }
            }
            initialized = rows.count
        }
    }

    /// Columns of one type, end to end.
    static func concatenate(_ columns: [Column], type: DataType) -> Column {
        if columns.count == 1 { return columns[0].type == type ? columns[0] : columns[0].retyped(type) }
        let total = columns.reduce(0) { $0 + $1.count }
        var validity: Bitmap?
        if columns.contains(where: { $0.validity != nil }) {
            var joined = Bitmap()
            for column in columns {
                if let validity = column.validity {
                    joined.append(validity)
                } else {
                    joined.append(repeating: true, count: column.count)
                }
            }
            validity = joined
        }
        func joined<T>(_ part: (Column) -> [T]?) -> [T] {
            var all: [T] = []
            all.reserveCapacity(total)
            for column in columns { all.append(contentsOf: part(column)!) }
            return all
        }
        let values: Values
        switch type.physical {
        case .boolean: values = .boolean(joined(\.booleanValues))
        case .integer: values = .integer(joined(\.integerValues))
        case .float: values = .float(joined(\.floatValues))
        case .double: values = .double(joined(\.doubleValues))
        case .decimal:
            var all = DecimalValues(coefficients: [], scales: .uniform(0))
            for column in columns { if case .decimal(let part) = column.values { all.append(part) } }
            values = .decimal(all)
        case .bytes:
            if let first = columns.first?.dictionaryValues?.dictionary,
                columns.allSatisfy({ $0.dictionaryValues?.dictionary === first })
            {
                values = .dictionary(joined { $0.dictionaryValues?.codes }, first)
            } else if columns.contains(where: \.hasLongEntries) {
                values = codedTogether(columns)
            } else {
                var all = BytesValues()
                for column in columns { all.append(column.bytesValues!) }
                values = .bytes(all)
            }
        case .uuid: values = .uuid(joined(\.uuidValues))
        case .interval: values = .interval(joined(\.intervalValues))
        case .vector:
            guard case .vector(let dimensions) = type else { preconditionFailure("only VECTOR is held as a vector") }
            values = .vector(
                joined { if case .vector(let values, _) = $0.values { values } else { nil } }, dimensions: dimensions)
        }
        return Column(type: type, values: values, validity: validity)
    }

    /// Entries of a dictionary that are longer, on the average, are not written out a row.
    private static let writtenBytesMax = 512

    private var hasLongEntries: Bool {
        guard let (_, dictionary) = dictionaryValues else { return false }
        return dictionary.values.bytes.count > dictionary.count * Self.writtenBytesMax
    }

    /// Texts of several columns as codes of one dictionary, each of them once.
    private static func codedTogether(_ columns: [Column]) -> Values {
        var codeOfText: [[UInt8]: UInt32] = [:]
        var entries = BytesValues()
        func code(_ text: ArraySlice<UInt8>) -> UInt32 {
            let text = Array(text)
            if let code = codeOfText[text] { return code }
            let code = UInt32(entries.count)
            codeOfText[text] = code
            entries.append(contentsOf: text)
            return code
        }
        var codes: [UInt32] = []
        codes.reserveCapacity(columns.reduce(0) { $0 + $1.count })
        for column in columns {
            if let (own, dictionary) = column.dictionaryValues {
                var translated = [UInt32?](repeating: nil, count: dictionary.count)
                for entry in own {
                    // A NULL row may hold any code.
                    let entry = min(Int(entry), dictionary.count - 1)
                    if translated[entry] == nil { translated[entry] = code(dictionary.values[entry]) }
                    codes.append(translated[entry]!)
                }
            } else {
                let values = column.bytesValues!
                for row in 0..<values.count { codes.append(code(values[row])) }
            }
        }
        return .dictionary(codes, BytesDictionary(distinct: entries))
    }

    /// Bytes of memory that the values take, shared dictionaries left out.
    var byteCount: Int {
        let valueBytes =
            switch values {
            case .boolean(let values): values.count
            case .integer(let values): values.count * 8
            case .float(let values): values.count * 4
            case .double(let values): values.count * 8
            case .decimal(let values): values.count * 17
            case .bytes(let values): values.bytes.count + values.count * 8
            case .dictionary(let codes, _): codes.count * 4
            case .uuid(let values): values.count * 16
            case .interval(let values): values.count * 16
            case .vector(let values, _): values.count * 4
            }
        return valueBytes + (validity?.words.count ?? 0) * 8
    }
}
