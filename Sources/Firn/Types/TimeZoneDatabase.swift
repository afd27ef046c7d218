// SPDX-License-Identifier: Apache-2.0
//
// From a zone's name to its rules: IANA names read from TZif files, abbreviations, POSIX strings.
//
// Names are case-insensitive, as in PostgreSQL. A name never leaves the zone folder: it is checked before any
// file is asked for. Loaded zones are kept for ever (a few hundred exist); a file that was changed on disk is
// seen after a restart.

import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Finds time zones by name and keeps them. Safe to use from any thread.
final class TimeZoneDatabase: Sendable {
    private let directory: String
    private let read: @Sendable (String) throws -> [UInt8]
    private let loaded = Mutex<[String: TimeZoneRules]>([:])

    /// Where the system keeps its zones: the environment's TZDIR, else /usr/share/zoneinfo.
    static var systemDirectory: String {
        if let value = getenv("TZDIR"), value.pointee != 0 { return String(cString: value) }
        return "/usr/share/zoneinfo"
    }

    /// A database over TZif files.
    ///
    /// - Parameters:
    ///   - directory: the folder of the zone files.
    ///   - read: returns a whole file, given its path; what it throws counts as "no such zone".
    init(
        directory: String = TimeZoneDatabase.systemDirectory, read: @escaping @Sendable (String) throws -> [UInt8]
    ) {
        self.directory = directory
        self.read = read
    }

    /// A database that knows UTC, fixed offsets, POSIX strings and abbreviations of fixed offset, but no files.
    static let withoutFiles = TimeZoneDatabase(directory: "") { _ in
        throw TimeZoneRules.FileError(reason: "there are no zone files")
    }

    /// The zone of `SET TIME ZONE 'name'`: an IANA name or a POSIX string. Error 22023 when there is none.
    func zone(named name: String) throws(ValueError) -> TimeZoneRules {
        guard let zone = find(name) else {
            throw ValueError(
                code: "22023", message: "time zone \"\(name)\" not recognized",
                hint: "Use a name of the IANA time zone database such as Europe/Berlin, or UTC.")
        }
        return zone
    }

    /// The zone of `AT TIME ZONE 'name'`: an abbreviation such as `EST` first, then as `zone(named:)`.
    func zone(forExpression name: String) throws(ValueError) -> TimeZoneRules {
        switch TimeZoneAbbreviations.find(name.lowercased()) {
        case .fixed(let offset): return TimeZoneRules(fixedOffset: offset, name: name.uppercased())
        case .zone(let zone):
            if let rules = rules(ofAbbreviation: name, in: zone) { return rules }
            return try self.zone(named: zone)
        case nil: return try zone(named: name)
        }
    }

    /// What an abbreviation means at each moment, where that changed over the years: the offset of its last use in the
    /// zone up to the moment, before its first use the offset of that. Nil where there is no such zone.
    func rules(ofAbbreviation name: String, in zone: String) -> TimeZoneRules? {
        let key = "abbreviation \(name.lowercased())"
        if let known = loaded.withLock({ $0[key] }) { return known }
        guard let rules = find(zone) else { return nil }
        let meaning = rules.uses(ofAbbreviation: name) ?? rules
        return loaded.withLock { zones in
            if let known = zones[key] { return known }
            zones[key] = meaning
            return meaning
        }
    }

    /// The zone with this name, or nil. Costs one file read the first time, a lock and a look-up afterwards.
    func find(_ name: String) -> TimeZoneRules? {
        let key = name.lowercased()
        if key == "utc" { return .utc }
        if let known = loaded.withLock({ $0[key] }) { return known }
        guard let zone = load(name) else { return nil }
        // Two threads may load the same zone at once; the first one kept is the one that all share.
        return loaded.withLock { zones in
            if let known = zones[key] { return known }
            zones[key] = zone
            return zone
        }
    }

    private func load(_ name: String) -> TimeZoneRules? {
        guard !name.isEmpty, name.utf8.count <= 255 else { return nil }
        if TimeZoneDatabase.isSafePath(name) {
            for candidate in TimeZoneDatabase.spellings(name) {
                let bytes: [UInt8]
                do { bytes = try read("\(directory)/\(candidate)") } catch { continue }
                do throws(TimeZoneRules.FileError) {
                    return try TimeZoneRules(name: candidate, file: bytes)
                } catch {
                    continue
                }
            }
        }
        guard let rule = POSIXTimeZone(name.utf8) else { return nil }
        return TimeZoneRules(posix: rule, name: name)
    }

    /// Letters, digits, `+ - _ /`, no empty or dotted part: cannot climb out of the folder.
    private static func isSafePath(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, let last = bytes.last, ASCII.isLetter(first), last != UInt8(ascii: "/") else {
            return false
        }
        return bytes.allSatisfy { ASCII.isAlphanumeric($0) || "+-_/".utf8.contains($0) }
            && !name.contains("//")
    }

    /// The name as given, in the usual capitals (`America/Port_of_Spain`), and all upper (`Etc/GMT+5`, `US/..`).
    private static func spellings(_ name: String) -> [String] {
        let small: Set<String> = ["of", "au", "es"]
        let large: Set<String> = [
            "us", "gb", "nz", "prc", "roc", "rok", "utc", "uct", "gmt", "est", "mst", "hst", "cet", "eet", "met", "wet",
            "gmt0", "nz-chat", "est5edt", "cst6cdt", "mst7mdt", "pst8pdt", "dumontdurville", "mcmurdo",
        ]
        let special = [
            "dumontdurville": "DumontDUrville", "mcmurdo": "McMurdo", "nz-chat": "NZ-CHAT", "gb-eire": "GB-Eire",
            "w-su": "W-SU", "act": "ACT", "lhi": "LHI", "nsw": "NSW", "bajanorte": "BajaNorte",
            "bajasur": "BajaSur", "easterisland": "EasterIsland",
        ]
        let parts = name.lowercased().split(separator: "/").map { part -> String in
            if let known = special[String(part)] { return known }
            if large.contains(String(part)) || part.hasPrefix("gmt") { return part.uppercased() }
            var result = ""
            var word = ""
            func capitalise(_ word: String) -> String {
                small.contains(word) && !result.isEmpty ? word : word.prefix(1).uppercased() + word.dropFirst()
            }
            for character in part {
                if character == "_" || character == "-" {
                    result += capitalise(word) + String(character)
                    word = ""
                } else {
                    word.append(character)
                }
            }
            return result + capitalise(word)
        }
        let usual = parts.joined(separator: "/")
        return usual == name ? [name] : [name, usual]
    }
}
