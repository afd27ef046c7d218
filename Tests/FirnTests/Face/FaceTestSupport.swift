// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the public face share.

import Firn

/// The error that `body` throws; nil where it throws none, or one of another type.
func asyncFailure(_ body: () async throws -> Void) async -> FirnError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? FirnError
    }
}
