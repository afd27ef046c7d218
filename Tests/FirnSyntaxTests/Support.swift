// SPDX-License-Identifier: Apache-2.0
//
// What the tests share: a seeded generator, and parsing of one statement, expression or query.

import FirnSyntax

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): small, and the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// The seed of a property test: that of `FIRN_SEED`, else the one given.
func testSeed(_ usual: UInt64) -> UInt64 {
    guard let text = getenv("FIRN_SEED") else { return usual }
    return UInt64(String(cString: text)) ?? usual
}

/// The only statement of a text.
func statement(_ sql: String) throws -> Statement.Kind {
    let statements = try SQLParser.parse(sql)
    guard statements.count == 1 else { throw UnexpectedStatementCount(count: statements.count) }
    return statements[0].kind
}

struct UnexpectedStatementCount: Error {
    var count: Int
}

/// The only SELECT block of a text.
func select(_ sql: String) throws -> Select {
    guard case .query(let query) = try statement(sql), case .select(let select) = query.body else {
        throw UnexpectedStatementCount(count: 0)
    }
    return select
}

func expression(_ sql: String) throws -> Expression.Kind { try SQLParser.parseExpression(sql).kind }

/// The error of a text, nil when it parses.
func syntaxError(_ sql: String) -> SyntaxError? {
    do throws(SyntaxError) {
        _ = try SQLParser.parse(sql)
        return nil
    } catch {
        return error
    }
}

/// Runs a body on a thread with a stack of the given size, as small as a task's on another platform.
func onThread(stackBytes: Int, _ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var attributes = pthread_attr_t()
    precondition(pthread_attr_init(&attributes) == 0, "thread attributes can be made")
    precondition(pthread_attr_setstacksize(&attributes, stackBytes) == 0, "the stack size is allowed")
    let context = Unmanaged.passRetained(Box(body)).toOpaque()
    #if canImport(Darwin)
        var thread: pthread_t?
        let result = pthread_create(
            &thread, &attributes,
            {
                Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body()
                return nil
            }, context)
    #else
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            {
                if let argument = $0 { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, context)
    #endif
    precondition(result == 0, "a thread can be made")
    #if canImport(Darwin)
        if let thread { pthread_join(thread, nil) }
    #else
        pthread_join(thread, nil)
    #endif
    pthread_attr_destroy(&attributes)
}
