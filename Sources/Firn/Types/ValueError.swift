// SPDX-License-Identifier: Apache-2.0
//
// The error that a value raises: text that is no value of its type, or a result that its type cannot hold.
//
// It carries PostgreSQL's SQLSTATE and wording, and knows nothing of statements, files or columns: the room
// above adds the place.

/// What was wrong with a value, in PostgreSQL's words.
public struct ValueError: Error, Sendable, Equatable {
    /// The SQLSTATE, five characters, such as `22007` (invalid datetime format) or `22003` (numeric out of range).
    public var code: String
    /// The primary message, without position; one sentence without a full stop.
    public var message: String
    /// More about this one occurrence, where there is more to say.
    public var detail: String?
    /// What the person who reads it could do.
    public var hint: String?

    /// Makes an error from its parts.
    public init(code: String, message: String, detail: String? = nil, hint: String? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
        self.hint = hint
    }
}

extension ValueError: CustomStringConvertible {
    /// The message followed by its SQLSTATE: `division by zero (22012)`.
    public var description: String { "\(message) (\(code))" }
}

extension ValueError {
    static var divisionByZero: ValueError { ValueError(code: "22012", message: "division by zero") }
    static var timestampOutOfRange: ValueError { ValueError(code: "22008", message: "timestamp out of range") }
    static var dateOutOfRange: ValueError { ValueError(code: "22008", message: "date out of range") }
    static var intervalOutOfRange: ValueError { ValueError(code: "22008", message: "interval out of range") }

    static func invalidSyntax(_ type: String, _ text: UnsafeBufferPointer<UInt8>) -> ValueError {
        ValueError(code: "22P02", message: "invalid input syntax for type \(type): \"\(String(bytes: text))\"")
    }

    static func invalidSyntax(_ type: String, _ text: String) -> ValueError {
        ValueError(code: "22P02", message: "invalid input syntax for type \(type): \"\(text)\"")
    }

    static func invalidParameter(_ message: String) -> ValueError { ValueError(code: "22023", message: message) }
}

extension String {
    /// The text of UTF-8 bytes; ill-formed sequences become U+FFFD, for messages.
    init(bytes: UnsafeBufferPointer<UInt8>) {
        self = String(decoding: bytes, as: UTF8.self)
    }

    /// Lends the UTF-8 bytes of the text to `body`, and passes on what it throws with its type.
    func withBytes<Value>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(ValueError) -> Value
    ) throws(ValueError) -> Value {
        var copy = self
        let outcome: Result<Value, ValueError> = copy.withUTF8 { bytes in
            do throws(ValueError) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
