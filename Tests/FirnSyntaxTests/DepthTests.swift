// SPDX-License-Identifier: Apache-2.0
//
// Nesting and chains: limits that throw 54001, and nothing that reaches the end of a small stack.

import FirnSyntax
import Testing

struct DepthTests {
    static let shapes: [(open: String, inner: String, close: String)] = [
        ("(", "1", ")"), ("f(", "1", ")"), ("- ", "1", ""), ("NOT ", "a", ""), ("ARRAY[", "1", "]"),
        ("CASE WHEN a THEN ", "1", " END"), ("(SELECT ", "1", ")"), ("a = ANY (ARRAY[", "1", "])"),
        ("CAST(", "1", " AS int)"), ("(((SELECT ", "1", ")))"), ("x IN (", "1", ")"),
        ("EXISTS (SELECT 1 FROM (SELECT ", "1", ") t)"), ("extract(epoch FROM ", "a", ")"),
        ("substring(", "a", " FROM 1)"), ("1 + (2 * (", "3", "))"), ("a[", "1", "]"), ("(1, ", "2", ")"),
        ("sum(a) OVER (ORDER BY ", "b", ")"),
    ]

    @Test(arguments: shapes.indices, [384, 512, 8_192])
    func deepNestingIsAnErrorWhateverTheStack(shape: Int, stackKibibytes: Int) {
        let (open, inner, close) = Self.shapes[shape]
        onThread(stackBytes: stackKibibytes * 1_024) {
            for count in [1, 5, 60, 100, 200, 201, 3_000, 100_000] {
                let text = String(repeating: open, count: count) + inner + String(repeating: close, count: count)
                do throws(SyntaxError) {
                    let parsed = try SQLParser.parseExpression(text)
                    #expect(count < DepthLimits.standard.nestingMax)
                    // Walks of the whole tree: rendering, hashing, comparing, releasing.
                    #expect(parsed.hashValue == parsed.hashValue)
                    if stackKibibytes > 512 {
                        #expect(try SQLParser.parseExpression(parsed.sqlText) == parsed)
                    }
                } catch {
                    #expect(error.code == "54001")
                    #expect(count > (stackKibibytes > 512 ? 49 : 4))
                }
            }
        }
    }

    @Test(arguments: ["a || b", "a + 1", "a::text", "a IS NULL", "a[1]", "a AT TIME ZONE b"])
    func aLongChainIsAnErrorAndAShortOneATree(link: String) {
        let step = String(link.dropFirst())
        onThread(stackBytes: 256 * 1_024 * 1_024) {
            for count in [400, 1_000, 5_000, 100_000] {
                let text = "a" + String(repeating: step, count: count)
                do throws(SyntaxError) {
                    let parsed = try SQLParser.parseExpression(text)
                    #expect(count < DepthLimits.standard.treeHeightMax)
                    let again = try SQLParser.parseExpression(parsed.sqlText)
                    #expect(again == parsed)
                } catch {
                    #expect(error.code == "54001")
                    #expect(count > 5_000)
                }
            }
        }
    }

    @Test
    func callersMayAskForLess() throws {
        let sum = "SELECT 1" + String(repeating: " + 1", count: 150)
        #expect(try SQLParser.parse(sum).count == 1)
        do throws(SyntaxError) {
            _ = try SQLParser.parse(sum, limits: .shallow)
            Issue.record("taller than allowed")
        } catch {
            #expect(error.code == "54001")
        }
    }

    @Test
    func aConditionOfManyTermsIsFlat() throws {
        let text = "a = 1" + String(repeating: " OR b = 2 AND c = 3 AND d", count: 20_000)
        guard case .or(let terms) = try expression(text) else {
            Issue.record("not a list of terms")
            return
        }
        #expect(terms.count == 20_001)
    }

    @Test
    func manyRowsAreFlat() throws {
        let text =
            "INSERT INTO t VALUES " + Array(repeating: "(1, -2.5, 'x', NULL)", count: 20_000).joined(separator: ", ")
        guard case .insert(let insert) = try statement(text), case .query(let query) = insert.source,
            case .values(let rows) = query.body
        else {
            Issue.record("not an INSERT of rows")
            return
        }
        #expect(rows.count == 20_000)
    }

    @Test
    func longUnionsAndJoinsAreLimited() {
        let unions = Array(repeating: "SELECT 1", count: 20_000).joined(separator: " UNION ALL ")
        #expect(syntaxError(unions)?.code == "54001")
        let joins = "SELECT 1 FROM a" + String(repeating: " CROSS JOIN b", count: 20_000)
        #expect(syntaxError(joins)?.code == "54001")
        let nested = "SELECT 1 FROM a" + String(repeating: " JOIN b", count: 20_000)
        #expect(syntaxError(nested)?.code == "54001")
        let explains = String(repeating: "EXPLAIN ", count: 20_000)
        #expect(syntaxError(explains)?.code == "54001")
        let lists = "SET a = " + String(repeating: "(", count: 20_000)
        #expect(syntaxError(lists)?.code == "54001")
        let parentheses = "SELECT * FROM " + String(repeating: "(", count: 20_000)
        #expect(syntaxError(parentheses)?.code == "54001")
        #expect(syntaxError(String(repeating: "(", count: 20_000))?.code == "54001")
    }
}
