// SPDX-License-Identifier: Apache-2.0
//
// firn-encodings: what the engine's encodings make of columns, and how fast. encodings.py prepares the columns.
//
//     firn-encodings FOLDER
//
// FOLDER has columns.tsv, a line for each column of its name and int64 or double, and NAME.raw, its values of 64 bits.
// Prints one JSON object a column: for warm and cold the bits a value of its pages, and of all bytes of a segment that
// a flush writes of it; nanoseconds a value to encode, and values a nanosecond to check and decode. Every value is
// compared with what was read. It reaches into the engine: build it with -Xswiftc -enable-testing.

import Foundation

@testable import Firn

@main
enum FirnEncodings {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: firn-encodings FOLDER\n".utf8))
            exit(2)
        }
        let folder = URL(fileURLWithPath: arguments[1], isDirectory: true)
        let list = try String(contentsOf: folder.appendingPathComponent("columns.tsv"), encoding: .utf8)
        for line in list.split(separator: "\n") {
            let fields = line.split(separator: "\t").map(String.init)
            let bytes = try Data(contentsOf: folder.appendingPathComponent("\(fields[0]).raw"))
            let values = bytes.withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
            let column = MeasuredColumn(values: values, isDouble: fields[1] == "double")
            let warm = try column.measure(.warm)
            let cold = try column.measure(.cold)
            print("{\"name\": \"\(fields[0])\", \"warm\": \(warm.json), \"cold\": \(cold.json)}")
            fflush(nil)
        }
    }
}
