internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

extension Worker {
    /// Packets become datagrams of the link to their next hop.
    @_noLocks
    mutating func seal() {
        for place in 0..<outgoingCount {
            let packet = slab.packet(outgoing[place], packetBytes)
            lengths[place] = UInt32(truncatingIfNeeded: link.seal(packet))
        }
    }
}
