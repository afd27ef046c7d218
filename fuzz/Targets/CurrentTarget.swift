// SPDX-License-Identifier: Apache-2.0
//
// CURRENT; its checksum is made right before it is read.

import FirnIO

@testable import Firn

extension FuzzTarget {
    static let current = FuzzTarget(name: "current") { input in
        do throws(FormatError) {
            let current = try CurrentFile.decode(Resealing.current(input))
            require(try CurrentFile.decode(current.bytes) == current, "CURRENT changes when it is written anew")
            plantedBug(withUnsafeBytes(of: current.manifest.number.littleEndian) { Array($0) })
            return .accepted
        } catch {
            return .refused
        }
    }
}
