// SPDX-License-Identifier: Apache-2.0
//
// The checksum of a block that knows where the block belongs.
//
// It is the CRC32C of 16 bytes that no file stores (file id, byte offset, both little-endian) followed by the
// block's own bytes. A block that was copied, swapped, misplaced, or left over from another file therefore fails,
// although its bytes are whole.
//
// Idea: ZFS and TigerBeetle, where what refers to a block says what it must be.

enum BlockChecksum {
    /// The checksum of `block`, which begins at `byteOffset` of the file `file`.
    static func of(_ block: UnsafeRawBufferPointer, file: FileID, byteOffset: Int64) -> UInt32 {
        CRC32C.checksum(block, seed: seed(file: file, byteOffset: byteOffset))
    }

    /// The checksum of the place alone; the bytes of the block continue it.
    static func seed(file: FileID, byteOffset: Int64) -> UInt32 {
        let place = (file.rawValue.littleEndian, byteOffset.littleEndian)
        return withUnsafeBytes(of: place) { CRC32C.checksum($0) }
    }
}
