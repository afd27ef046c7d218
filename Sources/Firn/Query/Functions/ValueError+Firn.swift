// SPDX-License-Identifier: Apache-2.0
//
// What a value raises becomes the engine's one error; the evaluator adds the place.

/// Runs code that raises value errors where engine errors are expected.
@inline(__always)
func raising<Result>(_ body: () throws(ValueError) -> Result) throws(FirnError) -> Result {
    do throws(ValueError) {
        return try body()
    } catch {
        throw FirnError(error)
    }
}
