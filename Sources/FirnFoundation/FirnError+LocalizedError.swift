// SPDX-License-Identifier: Apache-2.0
//
// What Foundation asks of an error, so that `localizedDescription` says what was wrong.

public import Firn
public import Foundation

extension FirnError: LocalizedError {
    /// What was wrong, with the SQLSTATE code.
    public var errorDescription: String? { headline }
    /// More about what was wrong.
    public var failureReason: String? { detail }
    /// What to do about it.
    public var recoverySuggestion: String? { hint }
}
