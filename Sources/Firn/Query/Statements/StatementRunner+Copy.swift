// SPDX-License-Identifier: Apache-2.0
//
// COPY: rows between tables or queries and text files or streams, all of a file in one commit.

import FirnIO
import FirnSyntax
import SystemPackage

extension StatementRunner {
    func runCopy(_ copy: Copy) throws(FirnError) -> StatementOutcome {
        if let filter = copy.filter { throw notSupported("WHERE in COPY", at: filter.range) }
        let path: String?
        switch copy.endpoint {
        // Opened by its name, it would be written from its start on, beside what the program writes.
        case .file("/dev/stdout") where copy.direction == .to && environment.standardOutput != nil: path = nil
        case .file(let name): path = name
        case .standardInput, .standardOutput: path = nil
        case .program: throw FirnError(.featureNotSupported, "COPY does not run programs", hint: "Pipe through STDIN.")
        }
        let format = try CSVFormat.options(copy.options, path: path, isReading: copy.direction == .from)
        return copy.direction == .from
            ? try copyIn(copy, path: path, format) : try copyOut(copy, path: path, format)
    }

    // MARK: FROM

    private func copyIn(_ copy: Copy, path: String?, _ format: CSVFormat) throws(FirnError) -> StatementOutcome {
        guard case .table(let name, let columns) = copy.subject else {
            throw FirnError(.syntaxError, "COPY FROM fills a table, not a query")
        }
        let snapshot = try store.snapshot()
        let table = try self.table(name, in: snapshot)
        let targets = try targetColumns(columns, of: table)
        let filler = try DefaultFiller(table: table, given: targets, context, snapshot)

        let streamName = path ?? "stdin"
        let bytes: any ByteSource
        if let path {
            bytes = try FileByteSource(FilePath(path), externalFileSystem)
        } else if let input = environment.standardInput {
            bytes = ClosureByteSource(input)
        } else {
            throw FirnError(.featureNotSupported, "there is no standard input to COPY from")
        }
        let loader = try CSVLoader(
            try decompressing(bytes, name: streamName), format: format, name: streamName,
            columns: targets.map { table.columns[$0] }, tableName: table.name,
            context: context.dateTime)
        let commit = StatementCommit(store: store, table: table, durability: settings.durability)
        do throws(FirnError) {
            while let batch = try loader.next() {
                try cancellation.check()
                try commit.append(try filler.complete(batch, targets: targets))
                environment.progress?(
                    CopyProgress(
                        rowCount: commit.rowCount, byteCount: bytes.consumedBytes, totalBytes: bytes.totalBytes))
            }
            return .command(tag: "COPY \(try commit.finish())")
        } catch {
            commit.abandon()
            throw error
        }
    }

    // MARK: TO

    private func copyOut(_ copy: Copy, path: String?, _ format: CSVFormat) throws(FirnError) -> StatementOutcome {
        let snapshot = try store.snapshot()
        let plan: LogicalPlan
        switch copy.subject {
        case .query(let query): plan = try self.plan(query, snapshot)
        case .table(let name, let columns):
            let table = try self.table(name, in: snapshot)
            let wanted = try targetColumns(columns, of: table).map { table.columns[$0].id }
            plan = .scan(
                LogicalPlan.TableScan(table: table, columns: wanted, ranges: [], filter: nil, alias: table.name))
        }
        let stream = execute(plan, snapshot)
        var writer = CSVWriter(format: format, columns: stream.columns, zone: settings.timeZone)
        let sink: any ByteSink
        if let path {
            sink = try compressing(try FileByteSink(FilePath(path), externalFileSystem), path: path)
        } else if let output = environment.standardOutput {
            sink = ClosureByteSink(output)
        } else {
            throw FirnError(.featureNotSupported, "there is no standard output to COPY to")
        }
        do throws(FirnError) {
            var rowCount = 0
            writer.appendHeader()
            while let batch = try stream.next() {
                try cancellation.check()
                try writer.append(batch)
                rowCount += batch.rowCount
                if writer.bytes.count >= 1 << 20 { try sink.write(writer.takeBytes()) }
                environment.progress?(CopyProgress(rowCount: rowCount, byteCount: sink.writtenBytes, totalBytes: nil))
            }
            try sink.write(writer.takeBytes())
            try sink.finish()
            return .command(tag: "COPY \(rowCount)")
        } catch {
            sink.abandon()
            throw error
        }
    }
}
