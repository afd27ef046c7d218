// SPDX-License-Identifier: Apache-2.0
//
// The shell's own commands, which begin with a backslash: their names, what stands behind them, and the words of \?.

import Firn

/// One of the commands, as \? lists it.
struct BackslashCommand {
    /// The names that mean it, with the backslash; the first is the usual one.
    let names: [String]
    /// What stands behind the name.
    let synopsis: String
    let summary: String
    /// Words that it takes at most; nil takes the rest of the line as it is.
    let wordsMax: Int?

    init(_ names: String..., synopsis: String = "", wordsMax: Int?, _ summary: String) {
        self.names = names
        self.synopsis = synopsis
        self.wordsMax = wordsMax
        self.summary = summary
    }

    /// The name and what stands behind it.
    var usage: String { synopsis.isEmpty ? names[0] : names[0] + " " + synopsis }

    static func named(_ name: String) -> BackslashCommand? { all.first { $0.names.contains(name) } }

    /// Whether a command takes the rest of the line as it is.
    static func takesLine(_ name: String) -> Bool {
        guard let command = named(name) else { return false }
        return command.wordsMax == nil
    }

    static var all: [BackslashCommand] { sections.flatMap(\.commands) }

    static let sections: [(title: String, commands: [BackslashCommand])] = [
        (
            "General",
            [
                BackslashCommand("\\q", "\\quit", wordsMax: 0, "leave (also exit, quit or Ctrl-D)"),
                BackslashCommand("\\?", wordsMax: 0, "this list (also help)"),
                BackslashCommand(
                    "\\h", "\\help", synopsis: "[COMMAND]", wordsMax: nil,
                    "the syntax of an SQL command, or all commands"),
                BackslashCommand("\\conninfo", wordsMax: 0, "which database is open, and how"),
                BackslashCommand("\\timing", synopsis: "[on|off]", wordsMax: 1, "how long each statement takes"),
                BackslashCommand("\\cd", synopsis: "[FOLDER]", wordsMax: 1, "change the working folder"),
                BackslashCommand(
                    "\\!", synopsis: "[COMMAND]", wordsMax: nil, "run a command of the system, or a shell"),
            ]
        ),
        (
            "The statement",
            [
                BackslashCommand(
                    "\\g", synopsis: "[FILE]", wordsMax: nil, "run it, or the last one again; into FILE or |COMMAND"),
                BackslashCommand("\\gx", synopsis: "[FILE]", wordsMax: nil, "the same with a column a line"),
                BackslashCommand("\\p", "\\print", wordsMax: 0, "print it, or the last one"),
                BackslashCommand("\\r", "\\reset", wordsMax: 0, "forget what was typed of it"),
                BackslashCommand(
                    "\\e", "\\edit", synopsis: "[FILE]", wordsMax: 1, "edit it, or the last one, or FILE, with $EDITOR"),
                BackslashCommand(
                    "\\w", "\\write", synopsis: "FILE", wordsMax: 1, "write it, or the last one, into FILE"),
                BackslashCommand(
                    "\\watch", synopsis: "[SECONDS]", wordsMax: nil, "run it again and again until Ctrl-C"),
                BackslashCommand("\\chart", synopsis: "[SQL]", wordsMax: nil, "draw the last result, or the query's"),
            ]
        ),
        (
            "Variables (:NAME stands for the value, :'NAME' for a literal, :\"NAME\" for a name)",
            [
                BackslashCommand(
                    "\\set", synopsis: "[NAME [VALUE]...]", wordsMax: .max, "give a variable a value, or list them all"),
                BackslashCommand("\\unset", synopsis: "NAME", wordsMax: 1, "forget a variable"),
                BackslashCommand(
                    "\\gset", synopsis: "[PREFIX]", wordsMax: 1,
                    "run the statement; its only row's values become variables"),
            ]
        ),
        (
            "Files",
            [
                BackslashCommand("\\i", "\\include", synopsis: "FILE", wordsMax: 1, "run a file of SQL"),
                BackslashCommand(
                    "\\ir", "\\include_relative", synopsis: "FILE", wordsMax: 1,
                    "the same; FILE is beside the script that names it"),
                BackslashCommand(
                    "\\o", "\\out", synopsis: "[FILE]", wordsMax: nil, "results into FILE or |COMMAND, or here again"),
                BackslashCommand(
                    "\\copy", synopsis: "...", wordsMax: nil, "COPY, as in \\copy t FROM 'file.csv' (HEADER)"),
                BackslashCommand("\\echo", synopsis: "[-n] TEXT", wordsMax: .max, "print text"),
                BackslashCommand("\\qecho", synopsis: "[-n] TEXT", wordsMax: .max, "print text where results go"),
                BackslashCommand("\\warn", synopsis: "[-n] TEXT", wordsMax: .max, "print text on standard error"),
            ]
        ),
        (
            "What there is (PATTERN: * any text, ? any letter; + more about each)",
            [
                BackslashCommand("\\d", "\\d+", synopsis: "[PATTERN]", wordsMax: 1, "tables, or the columns of one"),
                BackslashCommand("\\dt", "\\dt+", synopsis: "[PATTERN]", wordsMax: 1, "tables"),
                BackslashCommand("\\di", "\\di+", synopsis: "[PATTERN]", wordsMax: 1, "indexes"),
                BackslashCommand("\\df", "\\df+", synopsis: "[PATTERN]", wordsMax: 1, "functions"),
                BackslashCommand("\\l", "\\l+", wordsMax: 0, "the database"),
            ]
        ),
        (
            "How results look",
            [
                BackslashCommand(
                    "\\x", synopsis: "[on|off|auto]", wordsMax: 1, "a column a line; auto: where a table is too wide"),
                BackslashCommand("\\format", synopsis: "NAME", wordsMax: 1, "aligned, csv, json, ndjson or markdown"),
                BackslashCommand(
                    "\\t", synopsis: "[on|off]", wordsMax: 1, "rows only, without headings and numbers of rows"),
                BackslashCommand("\\C", synopsis: "[TITLE]", wordsMax: 1, "a title above each table, or none"),
                BackslashCommand(
                    "\\pset", synopsis: "[NAME [VALUE]]", wordsMax: 2,
                    "border, expanded, format, null, pager, title, tuples_only"),
            ]
        ),
    ]

    /// Commands of psql's that are not here, and what to use; the empty text where there is nothing.
    static let insteadOfPsql: [String: String] = {
        var commands: [String: String] = [
            "\\a": "\\format csv prints unaligned values.", "\\f": "\\format csv separates values by commas.",
            "\\H": "\\format markdown or csv.", "\\html": "\\format markdown or csv.",
            "\\c": "Leave with \\q, and start firn with the other DATABASE.",
            "\\connect": "Leave with \\q, and start firn with the other DATABASE.",
            "\\crosstabview": "Columns can be made with aggregates: sum(v) FILTER (WHERE …).",
            "\\gdesc": "\\d describes tables.",
            "\\gexec": "Write the statements with \\t and \\o, then run them with \\i.",
            "\\s": "The history is the file that FIRN_HISTORY names, ~/.firn_history by default.",
            "\\encoding": "Everything is UTF-8.", "\\errverbose": "Errors say all there is.",
            "\\prompt": "\\set NAME VALUE, or firn -v NAME=VALUE.", "\\getenv": "firn -v NAME=\"$NAME\".",
            "\\setenv": "Set it before firn is started.", "\\bind": "\\set NAME VALUE, then :'NAME' in the statement.",
            "\\parse": "\\set NAME VALUE, then :'NAME' in the statement.",
            "\\sf": "\\df lists the functions.", "\\sf+": "\\df lists the functions.",
            "\\da": "\\df lists the aggregates, too.", "\\dC": "", "\\T": "",
            "\\;": "Each statement gives its result: write ; alone.", "\\copyright": "",
        ]
        for name in ["\\if", "\\elif", "\\else", "\\endif"] {
            commands[name] = "Scripts have no conditions; the shell that runs firn has."
        }
        for name in [
            "\\dv", "\\dm", "\\ds", "\\dE", "\\dn", "\\du", "\\dg", "\\dp", "\\z", "\\dT", "\\dD", "\\dx", "\\db",
            "\\dP", "\\dS", "\\dO", "\\do", "\\dL", "\\dA", "\\dy", "\\dF", "\\drds", "\\ddp", "\\dl", "\\dRp", "\\dRs",
            "\\dX", "\\des", "\\det", "\\dew", "\\deu", "\\dconfig",
        ] {
            commands[name] =
                "There is nothing of the kind. \\d, \\dt, \\di, \\df and \\l show what there is; SHOW ALL the settings."
            commands[name + "+"] = commands[name]
        }
        for name in [
            "\\ef", "\\ev", "\\sv", "\\sv+", "\\password", "\\lo_export", "\\lo_import", "\\lo_list", "\\lo_unlink",
        ] {
            commands[name] = ""
        }
        return commands
    }()

    /// What \? prints.
    static var help: String {
        let width = all.map { DisplayWidth.of($0.usage) }.max() ?? 0
        var text = ""
        for section in sections {
            text += section.title + "\n"
            for command in section.commands {
                let padding = String(repeating: " ", count: width - DisplayWidth.of(command.usage))
                text += "  " + command.usage + padding + "  " + command.summary + "\n"
            }
            text += "\n"
        }
        return text + """
            Ctrl-C stops the running statement, or gives up what was typed. Tab completes keywords, tables, columns,
            functions, settings, files and these commands.

            """
    }
}
