// SPDX-License-Identifier: Apache-2.0
//
// The options of COPY, as PostgreSQL names them, into a CSVFormat.

import FirnSyntax

extension CSVFormat {
    /// Reads COPY's options; `path` decides the style where no FORMAT is given: `….csv`, `….csv.gz` and
    /// `….csv.zst` are CSV, all else is PostgreSQL's text.
    static func options(_ options: [Option], path: String?, isReading: Bool) throws(FirnError) -> CSVFormat {
        var format = CSVFormat.text
        if let path, [".csv", ".csv.gz", ".csv.zst"].contains(where: path.lowercased().hasSuffix) { format = .csv }
        for option in options where option.name == "format" {
            switch option.value?.text?.lowercased() {
            case "csv": format = .csv
            case "text": format = .text
            case let other:
                throw FirnError(
                    .invalidParameterValue, "COPY format \"\(other ?? "")\" not recognized",
                    hint: "The formats are csv and text.", position: option.valueRange.start.byteOffset)
            }
        }
        var seen: Set<String> = []
        var hasEscape = false
        for option in options {
            if !seen.insert(option.name).inserted {
                throw FirnError(
                    .syntaxError, "conflicting or redundant options", position: option.range.start.byteOffset)
            }
            switch option.name {
            case "format": continue
            case "header":
                switch option.value?.text?.lowercased() {
                case nil, "true", "on", "1": format.header = .skipped
                case "false", "off", "0": format.header = .none
                case "match" where isReading: format.header = .matched
                default:
                    throw FirnError(
                        .syntaxError, "header requires a Boolean value or \"match\"",
                        position: option.valueRange.start.byteOffset)
                }
            case "delimiter", "delim", "sep": format.delimiter = try oneByte(option)
            case "null", "nullstr": format.null = Array(try string(option).utf8)
            case "quote": format.quote = try oneByte(option, in: format)
            case "escape":
                format.escape = try oneByte(option, in: format)
                hasEscape = true
            case "encoding":
                let name = try string(option).lowercased()
                if name != "utf8" && name != "utf-8" {
                    throw FirnError(
                        .featureNotSupported, "COPY reads and writes UTF-8 only",
                        position: option.valueRange.start.byteOffset)
                }
            case "force_quote", "force_not_null", "force_null", "freeze":
                throw FirnError(
                    .featureNotSupported, "COPY's option \(option.name) is not supported yet",
                    position: option.range.start.byteOffset)
            default:
                throw FirnError(
                    .syntaxError, "option \"\(option.name)\" not recognized",
                    hint: "The options are: format, header, delimiter, null, quote, escape, encoding.",
                    position: option.range.start.byteOffset)
            }
        }
        if !hasEscape, format.style == .csv { format.escape = format.quote }
        let special: [UInt8] = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        if special.contains(format.delimiter) || format.null.contains(where: special.contains) {
            throw FirnError(.invalidParameterValue, "COPY delimiter and null cannot hold a line end")
        }
        if format.style == .csv, format.delimiter == format.quote {
            throw FirnError(.invalidParameterValue, "COPY delimiter and quote must be different")
        }
        // These mean something behind a backslash.
        if format.style == .text, "\\.abcdefghijklmnopqrstuvwxyz0123456789".utf8.contains(format.delimiter) {
            throw FirnError(
                .invalidParameterValue,
                "COPY delimiter cannot be \"\(Character(UnicodeScalar(format.delimiter)))\"")
        }
        if format.null.contains(format.delimiter) {
            throw FirnError(.invalidParameterValue, "COPY delimiter must not appear in the NULL specification")
        }
        if format.style == .csv, format.null.contains(format.quote) {
            throw FirnError(.invalidParameterValue, "CSV quote character must not appear in the NULL specification")
        }
        return format
    }

    private static func string(_ option: Option) throws(FirnError) -> String {
        if let text = option.value?.text { return text }
        throw FirnError(
            .syntaxError, "\(option.name) requires a parameter", position: option.range.start.byteOffset)
    }

    private static func oneByte(_ option: Option, in format: CSVFormat? = nil) throws(FirnError) -> UInt8 {
        if let format, format.style != .csv {
            throw FirnError(
                .featureNotSupported, "COPY \(option.name) requires CSV mode", position: option.range.start.byteOffset)
        }
        let text = try string(option)
        guard text.utf8.count == 1, let byte = text.utf8.first else {
            throw FirnError(
                .invalidParameterValue, "COPY \(option.name) must be a single one-byte character",
                position: option.valueRange.start.byteOffset)
        }
        return byte
    }
}
