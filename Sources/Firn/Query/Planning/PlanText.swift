// SPDX-License-Identifier: Apache-2.0
//
// EXPLAIN's text: one operator a line with its inputs indented below it, as PostgreSQL prints plans, and what was
// counted beside it for EXPLAIN ANALYZE.
//
//     HashAggregate  (actual time=3.114 ms rows=24 threads=2)
//       Group Key: sensor, time_bucket('01:00:00', time)
//       ->  Seq Scan on readings  (actual time=1.870 ms rows=8640 threads=2)
//             Columns: sensor, time, value
//             Filter: (time >= '2024-01-01 00:00:00+00')
//             Row Groups Read: 1  Skipped: 131

import FirnIO

enum PlanText {
    /// The plan as it would run.
    static func lines(of plan: LogicalPlan) -> [String] { Printer(profile: nil).lines(of: plan) }

    /// Runs the plan to its end, drops its rows and tells what each operator did.
    static func analyzedLines(
        of plan: LogicalPlan, executor: QueryExecutor, timeSource: any TimeSource
    ) throws(FirnError) -> [String] {
        let profile = ExecutionProfile()
        let start = timeSource.monotonicNanoseconds()
        try executor.counting(in: profile).run(plan) { _ in }
        let elapsed = timeSource.monotonicNanoseconds() - start
        return Printer(profile: profile).lines(of: plan) + [
            "Peak Memory: \(executor.memory.peakBytes / 1_024) kB of sorts and groupings",
            "Execution Time: \(milliseconds(Int(elapsed))) ms",
        ]
    }

    /// Three digits behind the point.
    fileprivate static func milliseconds(_ nanoseconds: Int) -> String {
        let microseconds = (nanoseconds + 500) / 1_000
        let fraction = String(microseconds % 1_000)
        return "\(microseconds / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

/// Prints a plan; numbers operators as the executor does: depth first from 0.
private struct Printer {
    /// More values of a column than this are counted, not listed.
    private static let choicesShownMax = 10

    let profile: ExecutionProfile?

    func lines(of plan: LogicalPlan) -> [String] {
        var numbers = OperatorNumbers()
        return lines(of: plan, &numbers)
    }

    private func lines(of plan: LogicalPlan, _ numbers: inout OperatorNumbers) -> [String] {
        let counters = profile?[numbers.take()]
        var lines = [title(of: plan) + (counters.map(actual) ?? "")]
        lines += details(of: plan, counters).map { "  " + $0 }
        for input in inputs(of: plan, &numbers) {
            let inputLines = self.lines(of: input, &numbers)
            lines.append("  ->  " + inputLines[0])
            lines += inputLines.dropFirst().map { "      " + $0 }
        }
        return lines
    }

    private func actual(_ counters: OperatorCounters) -> String {
        "  (actual time=\(PlanText.milliseconds(counters.elapsedNanoseconds)) ms rows=\(counters.rowCount)"
            + " threads=\(max(1, counters.threadCountPeak)))"
    }

    private func inputs(of plan: LogicalPlan, _ numbers: inout OperatorNumbers) -> [LogicalPlan] {
        switch plan {
        // Shown where it is first read.
        case .common(let rows): numbers.isFirst(rows) ? [rows.plan] : []
        case .scan, .values, .series, .catalogue: []
        case .filter(let input, _), .project(let input, _, _), .aggregate(let input, _, _, _), .sort(let input, _),
            .topRows(let input, _, _, _), .limit(let input, _, _), .distinct(let input):
            [input]
        case .append(let inputs, _): inputs
        }
    }

    private func title(of plan: LogicalPlan) -> String {
        switch plan {
        case .scan(let scan):
            (scan.ranges.primaryKeys(of: scan.table) == nil ? "Seq Scan" : "Index Scan using \(scan.table.name)_pkey")
                + " on \(scan.table.name)" + (scan.alias == scan.table.name ? "" : " \(scan.alias)")
        case .values(let rows, let columns):
            columns.isEmpty && rows.count == 1 ? "Result" : "Values Scan  (\(rows.count) rows)"
        case .series: "Function Scan on generate_series"
        case .catalogue(let scan): scan.title
        case .filter: "Filter"
        case .project: "Projection"
        case .aggregate(_, let keys, _, _): keys.isEmpty ? "Aggregate" : "HashAggregate"
        case .sort: "Sort"
        case .topRows: "Top-N Sort"
        case .limit: "Limit"
        case .distinct: "Unique"
        case .append: "Append"
        case .common(let rows): "CTE Scan on \(rows.name)"
        }
    }

    private func details(of plan: LogicalPlan, _ counters: OperatorCounters?) -> [String] {
        switch plan {
        case .scan(let scan): return scanDetails(scan, counters)
        case .values, .append, .distinct, .catalogue, .common: return []
        case .series(let series):
            return [
                "Function Call: generate_series(\(series.start.text(over: [])), \(series.stop.text(over: [])), "
                    + "\(series.step.text(over: [])))"
            ]
        case .filter(let input, let predicate): return ["Filter: \(predicate.text(over: input.columns))"]
        case .project(let input, let expressions, _):
            let columns = input.columns
            return ["Output: " + expressions.map { $0.text(over: columns) }.joined(separator: ", ")]
        case .aggregate(let input, let keys, let aggregates, _):
            let columns = input.columns
            var lines: [String] = []
            if !keys.isEmpty {
                lines.append("Group Key: " + keys.map { $0.text(over: columns) }.joined(separator: ", "))
            }
            if !aggregates.isEmpty { lines.append("Aggregates: " + aggregates.map(\.text).joined(separator: ", ")) }
            return lines
        case .sort(let input, let keys): return [sortKeys(keys, input)]
        case .topRows(let input, let keys, let limit, let offset):
            return [sortKeys(keys, input), limits(limit, offset)]
        case .limit(_, let limit, let offset): return [limits(limit, offset)]
        }
    }

    private func scanDetails(_ scan: LogicalPlan.TableScan, _ counters: OperatorCounters?) -> [String] {
        let columns = scan.outputColumns(scan.columnsRead)
        var lines = ["Columns: " + (columns.isEmpty ? "none" : columns.map(\.name).joined(separator: ", "))]
        if let filter = scan.filter { lines.append("Filter: \(filter.text(over: columns))") }
        if !scan.ranges.isEmpty {
            let ranges = scan.ranges.map { range in
                let column = scan.table.columns[scan.table.index(of: range.column)!]
                func bound(_ value: Value?) -> String { value.map { $0.text(as: column.type) } ?? "" }
                let bounds = "\(column.name) in [\(bound(range.lower)), \(bound(range.upper))]"
                guard let choices = range.choices else { return bounds }
                if choices.count > Self.choicesShownMax { return "\(bounds) (\(choices.count) values)" }
                return "\(column.name) in {\(choices.map(bound).joined(separator: ", "))}"
            }
            lines.append("Prune: " + ranges.joined(separator: ", "))
        }
        if let counters {
            if scan.filter != nil { lines.append("Rows Removed by Filter: \(counters.filteredRowCount)") }
            lines.append(
                "Row Groups Read: \(counters.readMorselCount)  Skipped: \(counters.skippedMorselCount)")
        }
        return lines
    }

    private func sortKeys(_ keys: [LogicalPlan.SortKey], _ input: LogicalPlan) -> String {
        let columns = input.columns
        return "Sort Key: "
            + keys.map { key in
                var text = key.expression.text(over: columns)
                if key.isDescending { text += " DESC" }
                // The default: NULLs are the largest.
                if key.nullsFirst != key.isDescending { text += key.nullsFirst ? " NULLS FIRST" : " NULLS LAST" }
                return text
            }.joined(separator: ", ")
    }

    private func limits(_ limit: Int?, _ offset: Int) -> String {
        "Rows: \(limit.map(String.init) ?? "all")" + (offset > 0 ? " after \(offset)" : "")
    }
}

extension Value {
    /// The value as a literal of a type, for plans.
    fileprivate func text(as type: DataType) -> String {
        func quoted(_ write: (inout [UInt8]) -> Void) -> String {
            var bytes: [UInt8] = []
            write(&bytes)
            let text = String(decoding: bytes, as: UTF8.self)
            return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
        switch (self, type) {
        case (.null, _): return "NULL"
        case (.boolean(let value), _): return value ? "true" : "false"
        case (.integer(let value), .timestamptz(.microseconds)):
            return quoted { Timestamp(microseconds: value).append(to: &$0, in: .utc) }
        case (.integer(let value), .timestamp(.microseconds)):
            return quoted { Timestamp(microseconds: value).appendWithoutZone(to: &$0) }
        case (.integer(let value), .timestamptz(.nanoseconds)):
            return quoted { NanosecondTimestamp(nanoseconds: value).append(to: &$0, in: .utc) }
        case (.integer(let value), .timestamp(.nanoseconds)):
            return quoted { NanosecondTimestamp(nanoseconds: value).appendWithoutZone(to: &$0) }
        case (.integer(let value), .date):
            return quoted { DayNumber(days: Int32(truncatingIfNeeded: value)).append(to: &$0) }
        case (.integer(let value), _): return "\(value)"
        case (.float(let value), _): return "\(value)"
        case (.double(let value), _): return "\(value)"
        case (.decimal(let value), _): return value.description
        case (.text(let value), _): return quoted { $0 += value.utf8 }
        case (.bytes(let value), _):
            return quoted { bytes in value.withUnsafeBufferPointer { ByteText.append($0, to: &bytes) } }
        case (.uuid(let value), _): return quoted { UUIDValue(value).append(to: &$0) }
        case (.interval(let value), _): return quoted { value.append(to: &$0) }
        case (.vector(let value), _): return "'\(value)'"
        }
    }
}

extension BoundExpression {
    /// The expression in SQL's manner, over named columns; for people, not for the parser.
    func text(over columns: [OutputColumn]) -> String {
        func list(_ parts: [BoundExpression]) -> String {
            parts.map { $0.text(over: columns) }.joined(separator: ", ")
        }
        func joined(_ parts: [BoundExpression], by word: String) -> String {
            "(" + parts.map { $0.text(over: columns) }.joined(separator: " \(word) ") + ")"
        }
        switch kind {
        case .constant(let value): return value.text(as: type)
        case .column(let index): return index < columns.count ? columns[index].name : "column\(index + 1)"
        case .call(let function, let arguments):
            let isOperator = function.name.first.map { !$0.isLetter && $0 != "_" } ?? false
            if isOperator, arguments.count == 2 { return joined(arguments, by: function.name) }
            if isOperator, arguments.count == 1 { return "(\(function.name)\(arguments[0].text(over: columns)))" }
            return "\(function.name)(\(list(arguments)))"
        case .compare(let comparison, let left, let right): return joined([left, right], by: comparison.rawValue)
        case .cast(let operand): return "\(operand.text(over: columns))::\(type)"
        case .and(let terms): return joined(terms, by: "AND")
        case .or(let terms): return joined(terms, by: "OR")
        case .not(let operand): return "(NOT \(operand.text(over: columns)))"
        case .isNull(let operand, let negated):
            return "(\(operand.text(over: columns)) IS \(negated ? "NOT " : "")NULL)"
        case .isDistinct(let left, let right, let negated):
            return joined([left, right], by: "IS \(negated ? "NOT " : "")DISTINCT FROM")
        case .isBoolean(let operand, let wanted, let negated):
            return "(\(operand.text(over: columns)) IS \(negated ? "NOT " : "")\(wanted ? "TRUE" : "FALSE"))"
        case .case(let branches, let otherwise):
            let cases = branches.map {
                "WHEN \($0.condition.text(over: columns)) THEN \($0.result.text(over: columns))"
            }.joined(separator: " ")
            return "CASE \(cases)" + (otherwise.map { " ELSE \($0.text(over: columns))" } ?? "") + " END"
        case .coalesce(let arguments): return "COALESCE(\(list(arguments)))"
        case .inConstants(let operand, let values, let hasNull, let negated):
            let items = values.map { $0.text(as: operand.type) } + (hasNull ? ["NULL"] : [])
            return "(\(operand.text(over: columns)) \(negated ? "NOT " : "")IN (\(items.joined(separator: ", "))))"
        }
    }
}
