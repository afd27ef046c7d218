// SPDX-License-Identifier: Apache-2.0
//
// Where an error stands in the script that was being read: FILE:LINE, as compilers say it.

import Firn
import FirnSyntax

enum ErrorPlace {
    /// The error with the script's name and the line of what was wrong.
    ///
    /// - Parameters:
    ///   - name: the script's; nil where it has none, as what is typed.
    ///   - dataLine: the line of the script on which the data of COPY … FROM STDIN began, where it has been read.
    static func placed(
        _ error: FirnError, in statement: ScriptStatement, of name: String?, dataLine: Int? = nil
    ) -> FirnError {
        guard let name else { return error }
        var placed = error
        if let location = error.location, location.file == "stdin", let dataLine {
            placed.location?.file = name
            placed.location?.line = dataLine + location.line - 1
            return placed
        }
        var line = statement.line
        if let position = error.position {
            let place = SourceLocation(of: SourcePosition(byteOffset: position), in: statement.text)
            line += place.line - 1
        }
        if let location = error.location {
            // A place within another file stays in the message, behind the place in the script.
            let column = location.column.map { "column \"\($0)\": " } ?? ""
            placed.message = "\(location.file):\(location.line): \(column)\(error.message)"
        }
        placed.location = FirnError.FileLocation(file: name, line: line)
        return placed
    }
}
