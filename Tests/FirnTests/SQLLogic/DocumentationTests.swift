// SPDX-License-Identifier: Apache-2.0
//
// Every row of every table in docs/sql.md has an example among the .slt files, which are run; and no example is of a row
// that is gone.

import FirnIO
import SystemPackage
import Testing

@Suite("Documentation of SQL")
struct DocumentationTests {
    private static func text(_ path: FilePath) throws -> String {
        String(decoding: try POSIXFileSystem().open(path, .readOnly).readAll(), as: UTF8.self)
    }

    /// The first cells of all rows of tables, as they read.
    static func firstCells(of markdown: String) -> [String] {
        let lines = markdown.split(separator: "\n", omittingEmptySubsequences: false)
        var cells: [String] = []
        for (index, line) in lines.enumerated() where line.hasPrefix("| ") {
            // The line above the rule is the table's head.
            if index + 1 < lines.count, lines[index + 1].hasPrefix("| ---") || lines[index + 1].hasPrefix("| :-") {
                continue
            }
            if line.hasPrefix("| --") || line.hasPrefix("| :-") { continue }
            let row = line.replacing("\\|", with: "\u{0}").dropFirst(2)
            guard let end = row.firstIndex(of: "|") else { continue }
            var cell = row[..<end].replacing("\u{0}", with: "|").replacing("`", with: "")
            while cell.last == " " { cell.removeLast() }
            cells.append(String(cell))
        }
        return cells
    }

    @Test("Every row of docs/sql.md has an example that runs")
    func everyRowHasAnExample() throws {
        let root = SQLLogicTests.folder.removingLastComponent().removingLastComponent()
        let cells = Self.firstCells(of: try Self.text(root.appending("docs/sql.md")))
        #expect(cells.count > 40)
        let marker = "# docs/sql.md: "
        var examples: [String] = []
        for name in SQLLogicTests.names {
            examples += try Self.text(SQLLogicTests.folder.appending(name)).split(separator: "\n")
                .filter { $0.hasPrefix(marker) }.map { String($0.dropFirst(marker.count)) }
        }
        for cell in cells where !examples.contains(where: { cell.hasPrefix($0) }) {
            Issue.record("docs/sql.md has no example in Tests/SQL for: \(cell)")
        }
        for example in examples where !cells.contains(where: { $0.hasPrefix(example) }) {
            Issue.record("Tests/SQL has an example for a row that docs/sql.md does not have: \(example)")
        }
    }
}
