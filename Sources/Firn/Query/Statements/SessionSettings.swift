// SPDX-License-Identifier: Apache-2.0
//
// The parameters of a session that SET changes and SHOW prints, with their defaults and checks.

/// What a session has set. A value; statements take a copy when they begin.
struct SessionSettings: Sendable {
    var timeZone: TimeZoneRules
    /// Nil: the database's own.
    var durability: Durability?
    var threadCount: Int
    var memoryBytesMax: Int
    /// 0: no limit.
    var timeoutMilliseconds = 0
    /// Whether statements answer without ranges of files that are damaged.
    var skipsDamaged = false
}

/// The parameters by name.
enum SessionParameter: String, CaseIterable {
    case timezone
    case durability
    case threads
    case memoryLimit = "memory_limit"
    case statementTimeout = "statement_timeout"
    case skipDamaged = "skip_damaged"
    case serverVersion = "server_version"

    /// One line for SHOW ALL.
    var summary: String {
        switch self {
        case .timezone: "Zone in which TIMESTAMPTZ is read and shown"
        case .durability: "When a change is acknowledged: synced, buffered or memory"
        case .threads: "Threads that work on one statement"
        case .memoryLimit: "Bytes that one statement may hold in memory; units kB, MB, GB"
        case .statementTimeout: "Time after which a statement is cancelled, 0 for none; units us, ms, s, min, h, d"
        case .skipDamaged: "Whether statements answer without damaged ranges of files, with a notice: on or off"
        case .serverVersion: "Version of Firn"
        }
    }

    static func named(_ name: String) throws(FirnError) -> SessionParameter {
        if let parameter = SessionParameter(rawValue: name == "time zone" ? "timezone" : name) { return parameter }
        throw FirnError(
            .undefinedObject, "unrecognized configuration parameter \"\(name)\"",
            hint: "The parameters are: " + allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
}

extension SessionSettings {
    /// The text that SHOW prints.
    func text(of parameter: SessionParameter) -> String {
        switch parameter {
        case .timezone: timeZone.name
        case .durability: durability.map(\.name) ?? "default"
        case .threads: String(threadCount)
        case .memoryLimit: String(memoryBytesMax / 1_024) + "kB"
        case .statementTimeout: SettingDuration.text(milliseconds: timeoutMilliseconds)
        case .skipDamaged: skipsDamaged ? "on" : "off"
        case .serverVersion: Database.version
        }
    }

    /// Sets a parameter from the text that SET gave.
    mutating func set(
        _ parameter: SessionParameter, to text: String, zones: TimeZoneDatabase
    ) throws(FirnError) {
        switch parameter {
        case .timezone:
            do {
                timeZone = try zones.zone(named: text)
            } catch {
                throw FirnError(
                    .invalidParameterValue, "invalid value for parameter \"TimeZone\": \"\(text)\"",
                    hint: "Use an IANA name such as Europe/Berlin, or UTC.")
            }
        case .durability:
            guard let level = Durability(name: text) else {
                throw FirnError(
                    .invalidParameterValue, "invalid value for parameter \"durability\": \"\(text)\"",
                    hint: "The levels are: synced, buffered, memory.")
            }
            durability = level
        case .threads:
            guard let count = Int(text), (1...1_024).contains(count) else {
                throw FirnError(.invalidParameterValue, "threads is a number from 1 to 1024, not \"\(text)\"")
            }
            threadCount = count
        case .memoryLimit:
            guard let bytes = SessionSettings.bytes(text), bytes >= 1 << 20 else {
                throw FirnError(
                    .invalidParameterValue, "memory_limit is at least 1MB, not \"\(text)\"",
                    hint: "Write it as 512MB or 2GB.")
            }
            memoryBytesMax = bytes
        case .statementTimeout:
            timeoutMilliseconds = try SettingDuration.milliseconds(text, of: parameter)
        case .skipDamaged:
            switch text.lowercased() {
            case "on", "true", "yes", "1": skipsDamaged = true
            case "off", "false", "no", "0": skipsDamaged = false
            default:
                throw FirnError(.invalidParameterValue, "parameter \"skip_damaged\" requires a Boolean value")
            }
        case .serverVersion:
            throw FirnError(.objectInUse, "parameter \"server_version\" cannot be changed")
        }
    }

    /// A number of bytes with an optional unit of 1,024: B, kB, MB, GB.
    private static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let factor: Int? =
            switch text.dropFirst(digits.count).drop(while: { $0 == " " }).lowercased() {
            case "", "b": 1
            case "kb": 1 << 10
            case "mb": 1 << 20
            case "gb": 1 << 30
            default: nil
            }
        guard let factor else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }
}

extension Durability {
    /// Default interval of `.buffered`: 200 ms.
    public static let bufferedByDefault = Durability.buffered(flushIntervalNanoseconds: 200_000_000)

    /// The level by its name: `synced`, `buffered` (with the default interval) or `memory`.
    public init?(name: String) {
        switch name.lowercased() {
        case "synced": self = .synced
        case "buffered": self = .bufferedByDefault
        case "memory": self = .memory
        default: return nil
        }
    }

    /// The name of the level.
    public var name: String {
        switch self {
        case .synced: "synced"
        case .buffered: "buffered"
        case .memory: "memory"
        }
    }
}
