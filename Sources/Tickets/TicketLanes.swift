public import Bytes
public import Crypto

/// Does the arithmetic of tickets for whole batches: one call a stage, one lane a packet.
///
/// Holds the curve context and scratch memory of one worker. Every function works on the lanes of a
/// mask and leaves the others alone; masks that come back are part of the mask handed in.
@safe
public struct TicketLanes: @unchecked Sendable {
    /// The worker's own context.
    public let curve: Secp256k1
    /// First four bytes of the hashed call, big-endian: a property of the network.
    public let selector: UInt32

    let preimage: Column<FixedBytes<128>>
    let digest: Column<Bytes32>
    let affine: Column<Bytes64>

    /// Takes scratch memory from an arena. A measuring arena gives lanes that must not be used.
    public init(_ arena: inout Arena, curve: Secp256k1, selector: UInt32) {
        self.curve = curve
        self.selector = selector
        preimage = arena.column(FixedBytes<128>.self, Batch.capacity)
        digest = arena.column(Bytes32.self, Batch.capacity)
        affine = arena.column(Bytes64.self, Batch.capacity)
    }
}

// Between packets and columns.
extension TicketLanes {
    /// Reads the tickets that begin at `offset` in the packets of a batch.
    ///
    /// - Returns: the lanes whose amounts are in range; the others are `amountRange`.
    @_noLocks
    public func parse(
        _ batch: borrowing Batch,
        slab: Slab,
        offset: Int,
        lanes: LaneMask,
        into tickets: Column<Ticket>
    ) -> LaneMask {
        var good: LaneMask = 0
        var left = lanes
        while let lane = left.popFirst() {
            let packet = slab.packet(batch.slot[lane], offset + Ticket.byteCount)
            var ticket = Ticket()
            let drop = Ticket.parse(packet.slice(offset, Ticket.byteCount), into: &ticket)
            tickets[lane] = ticket
            if drop.index == 0 { good |= 1 << LaneMask(lane) }
        }
        return good
    }

    /// Writes tickets to where `parse` found them.
    @_noLocks
    public func write(
        _ tickets: Column<Ticket>,
        to batch: borrowing Batch,
        slab: Slab,
        offset: Int,
        lanes: LaneMask
    ) {
        var left = lanes
        while let lane = left.popFirst() {
            let packet = slab.packet(batch.slot[lane], offset + Ticket.byteCount)
            tickets[lane].write(to: packet.slice(offset, Ticket.byteCount))
        }
    }
}
