public import Bytes
internal import CRing

/// What came in one piece: a datagram, or several of one sender put together.
public struct Arrival: Sendable {
    /// What was kept of it, on a 64-byte boundary; the kernel's again after `Port.release`.
    public let bytes: Region
    /// Bytes of each datagram but the last, which may be shorter; 0 if nothing came but a sender.
    public let segmentBytes: Int
    /// The buffer was too short.
    public let truncated: Bool
    /// Its sender.
    public let source: DatagramAddress

    @_noLocks
    init(_ raw: port_arrival) {
        bytes = unsafe Region(base: raw.bytes, byteCount: Int(raw.byte_count))
        segmentBytes = unsafe Int(raw.segment_bytes)
        truncated = unsafe raw.truncated != 0
        source = unsafe DatagramAddress(raw.source)
    }

    /// Datagrams in it.
    public var count: Int {
        @_noLocks
        get { segmentBytes == 0 ? 1 : (bytes.byteCount + segmentBytes - 1) / segmentBytes }
    }

    /// One of its datagrams.
    @_noLocks
    public func datagram(_ index: Int) -> Region {
        let start = index * segmentBytes
        return bytes.slice(start, min(segmentBytes, bytes.byteCount - start))
    }
}
