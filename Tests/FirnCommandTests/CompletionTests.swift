// SPDX-License-Identifier: Apache-2.0
//
// What Tab offers, by what stands in front of the word.

import Testing

@testable import FirnCommand

@Suite struct CompletionTests {
    private let catalogue = CompletionCatalogue(
        keywords: ["select", "set", "from", "where", "group", "order", "count"],
        tables: [
            ("readings", ["time", "sensor", "value"]), ("rooms", ["name", "floor"]), ("Odd Name", ["x"]),
        ],
        functions: ["date_trunc", "time_bucket", "count"], settings: ["timezone", "durability", "threads"])

    /// `|` is the cursor; the word goes back to the last of libedit's word breaks.
    private func complete(_ text: String) -> Completion {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        let breaks = " \t\n\"\\'`@$><=;|&{(,."
        let word = String(parts[0].reversed().prefix { !breaks.contains($0) }.reversed())
        return Completion.of(
            word, before: String(parts[0].dropLast(word.count)), after: parts.count > 1 ? parts[1] : "", catalogue
        ) { folder in
            folder == "." ? ["data/", "rows.csv", ".hidden"] : folder == "data/" ? ["more.csv", "most.csv"] : []
        }
    }

    @Test(arguments: [
        ("sel|", ["select"]), ("SEL|", ["SELECT"]), ("SELECT 1; sel|", ["select"]), ("he|", ["help"]),
        ("SELECT * FROM r|", ["readings", "rooms"]), ("INSERT INTO ro|", ["rooms"]), ("DROP TABLE read|", ["readings"]),
        ("DROP TABLE IF EXISTS ro|", ["rooms"]), ("DESCRIBE re|", ["readings"]), ("COPY re|", ["readings"]),
        ("SELECT * FROM gen|", ["generate_series("]), ("SELECT * FROM firn_|", ["firn_columns", "firn_segments"]),
    ])
    func beginningsAndTables(text: String, matches: [String]) {
        #expect(complete(text).matches == matches)
    }

    @Test(arguments: [
        ("SELECT * FROM readings WHERE s|", ["sensor", "select", "set"]),
        ("SELECT fl| FROM rooms", ["floor"]), ("SELECT r.| FROM readings r", ["sensor", "time", "value"]),
        ("SELECT rooms.n| FROM rooms", ["name"]), ("SELECT x.f| FROM rooms AS x", ["floor"]),
        ("INSERT INTO rooms (|", ["floor", "name"]), ("INSERT INTO rooms (name, f|", ["floor"]),
        ("COPY readings (v|", ["value"]), ("SELECT * FROM rooms ORDER BY |", ["floor", "name"]),
    ])
    func columnsAreThoseOfTheTablesThatAreNamed(text: String, matches: [String]) {
        #expect(Set(complete(text).matches) == Set(matches))
    }

    @Test func functionsOpenTheirParenthesis() {
        let found = complete("SELECT date_t|")
        #expect(found == Completion(matches: ["date_trunc("], ending: ""))
    }

    @Test(arguments: [
        ("SET t|", ["timezone", "threads", "time"]), ("SHOW th|", ["threads"]), ("RESET dur|", ["durability"]),
        ("SHOW ta|", ["tables"]), ("SET durability = s|", ["synced"]), ("SET durability TO b|", ["buffered"]),
        ("SET durability = 'm|", ["memory"]),
    ])
    func settingsStandBehindSet(text: String, matches: [String]) {
        #expect(Set(complete(text).matches) == Set(matches))
    }

    @Test func filesStandBehindCopyAndFileCommands() {
        #expect(complete("COPY readings FROM 'ro|") == Completion(matches: ["rows.csv"], ending: "'"))
        #expect(complete("COPY readings FROM 'd|") == Completion(matches: ["data/"], ending: ""))
        #expect(complete("COPY readings TO 'data/mo|").matches == ["data/more.csv", "data/most.csv"])
        #expect(complete("\\i ro|") == Completion(matches: ["rows.csv"], ending: " "))
        #expect(complete("\\i |").matches == ["data/", "rows.csv"])
        #expect(complete("\\o data/mor|").matches == ["data/more.csv"])
        #expect(complete("\\cd |").matches == ["data/"])
        #expect(complete("\\copy readings FROM 'ro|").matches == ["rows.csv"])
        #expect(complete("SELECT 'ro|").matches == [])
    }

    @Test func commandsStandBehindTheBackslash() {
        #expect(complete("\\ti|").matches == ["timing"])
        #expect(complete("\\d|").matches == ["d", "d+", "df", "df+", "di", "di+", "dt", "dt+"])
        #expect(complete("\\d re|").matches == ["readings"])
        #expect(complete("\\df date|").matches == ["date_trunc"])
        #expect(complete("\\x a|").matches == ["auto"])
        #expect(complete("\\pset pa|").matches == ["pager"])
        #expect(complete("\\pset pager al|").matches == ["always"])
        #expect(complete("\\format c|").matches == ["csv"])
        #expect(complete("\\h SEL|").matches == ["SELECT"])
    }

    @Test func namesThatNeedQuotesGetThem() {
        #expect(complete("SELECT * FROM |").matches.contains("\"Odd Name\""))
        #expect(complete("SELECT * FROM \"Od|") == Completion(matches: ["Odd Name"], ending: "\""))
    }

    @Test func linesAboveCount() {
        #expect(complete("SELECT *\nFROM rooms\nWHERE fl|").matches == ["floor"])
    }
}
