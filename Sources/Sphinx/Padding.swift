public import Bytes

/// The payload block's padding: zero bytes, one marker, data to the end.
public enum Padding {
    /// Stands before the data.
    @inlinable public static var marker: UInt8 { @_noLocks get { 0xaa } }

    /// What is found in a block.
    public struct Found: BitwiseCopyable, Sendable {
        /// Where the data begins; the block's length if there is no marker.
        public let dataOffset: Int
        /// True if there is a marker.
        public let marked: Bool
        /// True if all before it is zero.
        public let clean: Bool
    }

    /// Looks for the data of a decrypted block. Constant time in the bytes.
    @_noLocks
    public static func find(_ block: Region) -> Found {
        var offset = block.byteCount
        var found: UInt8 = 0
        var dirt: UInt8 = 0
        for index in 0..<block.byteCount {
            let byte = block.byte(index)
            let isMarker: UInt8 = byte == marker ? 1 : 0
            let first = isMarker & ~found
            offset = first == 1 ? index + 1 : offset
            found |= isMarker
            dirt |= found == 0 ? byte : 0
        }
        return Found(dataOffset: offset, marked: found == 1, clean: dirt == 0)
    }

    /// Moves data that lies anywhere in `data` to the end of `block` and pads before it.
    ///
    /// `data` must not overlap `block` and must leave room for the marker.
    @_noLocks
    public static func pad(_ data: Region, into block: Region) {
        let start = block.byteCount - data.byteCount
        assert(start >= 1)
        block.slice(0, start - 1).fill(0)
        block.store(marker, start - 1)
        block.copy(data, to: start)
    }
}
