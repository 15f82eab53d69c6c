public import Bytes
internal import Crypto

/// Where the payload block of every lane lies.
public struct Payloads: Sendable {
    let blocks: Lanes
    /// Bytes of a block.
    public let byteCount: Int

    /// Lane i's is the payload block of the packet in slot `slots[i]`.
    @_noLocks
    public init(_ slab: Slab, slots: borrowing [64 of UInt32], geometry: Geometry) {
        blocks = Lanes(slab, slots: slots, offset: Geometry.payloadOffset)
        byteCount = geometry.payloadBytes
    }

    /// Lane i's begins at `i * stride` of `region`. One lane needs no stride.
    @_noLocks
    public init(_ region: Region, stride: Int = 0, byteCount: Int) {
        blocks = Lanes(region, stride: stride)
        self.byteCount = byteCount
    }
}
