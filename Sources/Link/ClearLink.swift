public import Bytes

/// Packets as datagrams in the clear: one datagram of exactly a packet's length.
///
/// This is the interface that every link keeps: `open` makes packets of authenticated neighbours
/// from datagrams, `seal` makes a datagram from a packet. Here the source address alone says who
/// sent a packet; a link with keys replaces this type, and nothing else.
public struct ClearLink: BitwiseCopyable, Sendable {
    /// Bytes of a packet, and of a datagram.
    public let packetBytes: Int

    /// A link for packets of one size.
    public init(packetBytes: Int) { self.packetBytes = packetBytes }

    /// Opens the datagrams of a batch, in place.
    ///
    /// - Parameters:
    ///   - batch: lanes with the length of the datagram, and in `source` the neighbour registered
    ///     at the sender's address, or `stranger`. What is no packet of a neighbour leaves as
    ///     `sourceUnknown` or `packetSize`.
    ///   - stranger: the source of datagrams that come from nobody.
    @_noLocks
    public func open(_ batch: inout Batch, stranger: UInt32) {
        var left = batch.live
        while let lane = left.popFirst() {
            if batch.source[lane] == stranger {
                batch.drop(lane, .sourceUnknown)
            } else if Int(batch.byteCount[lane]) != packetBytes {
                batch.drop(lane, .packetSize)
            }
        }
    }

    /// Makes a datagram from the packet in a slot, in place; returns the datagram's length.
    @_noLocks
    public func seal(_ packet: Region) -> Int {
        assert(packet.byteCount == packetBytes)
        return packetBytes
    }
}
