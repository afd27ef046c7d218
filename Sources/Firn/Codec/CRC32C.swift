// SPDX-License-Identifier: Apache-2.0
//
// CRC32C (Castagnoli, reflected polynomial 0x82F63B78), the checksum of every Firn file.
//
// The checksum of "123456789" is 0xE3069283. Checksums chain: the checksum of a followed by b is
// checksum(b, seed: checksum(a)).
//
// Source: RFC 3720, appendix B.4; slice-by-8 after Kounavis and Berry, "A systematic approach to
// building high performance, software-based, CRC generators", ISCC 2005.

import CKernels

enum CRC32C {
    /// Checksum of `bytes`, continuing from `seed` (the checksum of what came before, 0 at the start).
    static func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        guard let base = bytes.baseAddress else { return seed }
        return firn_crc32c(base, bytes.count, seed)
    }

    static func checksum(_ view: ByteView, seed: UInt32 = 0) -> UInt32 { checksum(view.bytes, seed: seed) }

    static func checksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, seed: seed) }
    }

    /// The portable body, eight bytes a step: what the C kernels are compared with.
    static func reference(_ bytes: UnsafeRawBufferPointer, seed: UInt32) -> UInt32 {
        guard let base = bytes.baseAddress else { return seed }
        return tables.withUnsafeBufferPointer { table in
            var crc = ~seed
            var offset = 0
            let wholeWords = bytes.count & ~7
            while offset < wholeWords {
                // Precondition: offset + 8 <= bytes.count.
                let word =
                    UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
                crc = table[7 * 256 + Int(word & 0xFF)]
                crc ^= table[6 * 256 + Int((word >> 8) & 0xFF)]
                crc ^= table[5 * 256 + Int((word >> 16) & 0xFF)]
                crc ^= table[4 * 256 + Int((word >> 24) & 0xFF)]
                crc ^= table[3 * 256 + Int((word >> 32) & 0xFF)]
                crc ^= table[2 * 256 + Int((word >> 40) & 0xFF)]
                crc ^= table[1 * 256 + Int((word >> 48) & 0xFF)]
                crc ^= table[Int(word >> 56)]
                offset += 8
            }
            while offset < bytes.count {
                let byte = base.load(fromByteOffset: offset, as: UInt8.self)
                crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8)
                offset += 1
            }
            return ~crc
        }
    }

    /// Eight tables of 256: table k advances a byte that is followed by k zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = (crc & 1) == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
            tables[byte] = crc
        }
        for slice in 1..<8 {
            for byte in 0..<256 {
                let previous = tables[(slice - 1) * 256 + byte]
                tables[slice * 256 + byte] = tables[Int(previous & 0xFF)] ^ (previous >> 8)
            }
        }
        return tables
    }()
}
