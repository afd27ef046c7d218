// SPDX-License-Identifier: Apache-2.0
//
// The settings of \pset: their names, the values that they take, and how they are said.

import Firn

/// One setting of the look of results.
enum PrintSetting: String, CaseIterable {
    case border, expanded, format, null, pager, title
    case tuplesOnly = "tuples_only"

    static func named(_ name: String) throws(FirnError) -> PrintSetting {
        let name = name == "x" ? "expanded" : name == "t" ? "tuples_only" : name
        if let setting = PrintSetting(rawValue: name) { return setting }
        let names = allCases.map(\.rawValue)
        let hint = Suggestion.hint(for: name, among: names).map { $0 + " " } ?? ""
        throw FirnError(
            .undefinedObject, "\\pset: unknown option \"\(name)\"",
            hint: hint + "The options are: " + names.joined(separator: ", ") + ".")
    }

    /// Nil turns a switch over; a setting that is no switch stays as it is.
    func change(_ settings: inout DisplaySettings, to value: String?) throws(FirnError) {
        switch self {
        case .border:
            guard let value else { return }
            guard let border = Int(value), 0...2 ~= border else { throw refusal(value, "0, 1 or 2") }
            settings.border = border
        case .expanded:
            guard let value else {
                settings.expanded = settings.expanded == .off ? .on : .off
                return
            }
            if value.lowercased() == "auto" {
                settings.expanded = .auto
            } else {
                do throws(FirnError) {
                    settings.expanded = try BackslashRunner.flag(value, current: false, of: "expanded") ? .on : .off
                } catch {
                    throw refusal(value, "on, off or auto")
                }
            }
        case .format:
            guard let value else { return }
            guard let format = OutputFormat(rawValue: value.lowercased()) else {
                let near = Suggestion.hint(for: value, among: OutputFormat.allCases.map(\.rawValue))
                throw FirnError(
                    .invalidParameterValue, "unknown format \"\(value)\"",
                    hint: (near.map { $0 + " " } ?? "") + "The formats are: " + OutputFormat.allNames + ".")
            }
            settings.format = format
        case .null:
            guard let value else { return }
            settings.nullText = value.isEmpty ? nil : value
        case .pager:
            guard let value else {
                settings.pager = settings.pager == .off ? .on : .off
                return
            }
            if value.lowercased() == "always" {
                settings.pager = .always
            } else {
                do throws(FirnError) {
                    settings.pager = try BackslashRunner.flag(value, current: false, of: "pager") ? .on : .off
                } catch {
                    throw refusal(value, "on, off or always")
                }
            }
        case .title: settings.title = value.flatMap { $0.isEmpty ? nil : $0 }
        case .tuplesOnly:
            settings.tuplesOnly = try BackslashRunner.flag(value, current: settings.tuplesOnly, of: rawValue)
        }
    }

    private func refusal(_ value: String, _ values: String) -> FirnError {
        FirnError(.invalidParameterValue, "\\pset: \(rawValue) is \(values), not \"\(value)\"")
    }

    /// The setting as a sentence, in psql's words.
    func sentence(_ settings: DisplaySettings) -> String {
        switch self {
        case .border: "Border style is \(settings.border)."
        case .expanded:
            settings.expanded == .auto
                ? "Expanded display is used automatically." : "Expanded display is \(settings.expanded.rawValue)."
        case .format: "Output format is \(settings.format.rawValue)."
        case .null: "Null display is \"\(settings.nullText ?? "")\"."
        case .pager:
            switch settings.pager {
            case .off: "Pager usage is off."
            case .on: "Pager is used for long output."
            case .always: "Pager is always used."
            }
        case .title: settings.title.map { "Title is \"\($0)\"." } ?? "Title is unset."
        case .tuplesOnly: "Tuples only is \(settings.tuplesOnly ? "on" : "off")."
        }
    }

    private func value(_ settings: DisplaySettings) -> String {
        switch self {
        case .border: "\(settings.border)"
        case .expanded: settings.expanded.rawValue
        case .format: settings.format.rawValue
        case .null: "'\(settings.nullText ?? "")'"
        case .pager: settings.pager.rawValue
        case .title: settings.title.map { "'\($0)'" } ?? ""
        case .tuplesOnly: settings.tuplesOnly ? "on" : "off"
        }
    }

    /// What \pset without a name prints.
    static func listing(_ settings: DisplaySettings) -> String {
        allCases.map { setting in
            let padding = String(repeating: " ", count: 12 - setting.rawValue.count)
            let value = setting.value(settings)
            return setting.rawValue + (value.isEmpty ? "" : padding + value) + "\n"
        }.joined()
    }
}
