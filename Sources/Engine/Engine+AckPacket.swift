public import Bytes
internal import Crypto
public import Exchange
internal import Sphinx
public import Tickets

extension Engine {
    /// Makes the packet that acknowledges to a neighbour.
    ///
    /// - Parameters:
    ///   - halfKeys: at most `config.geometry.ackCapacity`, as `ackKey` gave them.
    ///   - count: how many of them.
    ///   - packet: `config.geometry.packetBytes`, all written.
    /// - Returns: false if the neighbour's packet key is no point, the count does not fit, or the
    ///   ticket failed our self-check.
    @_noLocks
    public mutating func makeAckPacket(
        to node: UInt32,
        halfKeys: Column<Bytes32>,
        count: Int,
        packet: Region,
        snapshot: Snapshot
    ) -> Bool {
        guard ackPackets.count == 0, fits(node, count, halfKeys.count, snapshot) else {
            return false
        }
        let slab = Slab(region: packet, stride: config.geometry.packetBytes)
        let acks = begin(to: node, count, slot: 0, slab)
        var first = 0
        while first < count {
            let part = min(Batch.capacity, count - first)
            Acknowledgements.make(
                halfKeys: halfKeys.region.column(first * Bytes32.count, count: part),
                signingKey: snapshot.signingKeys.region(0),
                lanes: .first(part),
                into: acks.region.column(first * Acknowledgements.byteCount, count: part)
            )
            first += part
        }
        return makeAckPackets(slab: slab, snapshot: snapshot) == 1
    }

    /// Most packets that `makeAckPackets` makes together.
    public static var ackPacketsMax: Int { @_noLocks get { AckPackets.most } }

    /// Packets begun and not made yet.
    public var ackPacketsBegun: Int {
        @_noLocks
        get { ackPackets.count }
    }

    /// Begins a packet that acknowledges to a neighbour; `makeAckPackets` must follow before the
    /// snapshot changes.
    ///
    /// - Parameters:
    ///   - made: at least `count` acknowledgements, at most `config.geometry.ackCapacity`.
    ///   - slot: where the packet will stand.
    /// - Returns: false if the count does not fit, or `ackPacketsMax` packets are begun.
    @_noLocks
    public mutating func beginAckPacket(
        to node: UInt32,
        acks made: Column<Acknowledgement>,
        count: Int,
        slot: UInt32,
        slab: Slab,
        snapshot: Snapshot
    ) -> Bool {
        guard ackPackets.count < AckPackets.most, fits(node, count, made.count, snapshot) else {
            return false
        }
        let acks = begin(to: node, count, slot: slot, slab)
        for index in 0..<count { acks[index] = made[index] }
        return true
    }

    /// Where a packet stands that was begun; valid until the next one is.
    @_noLocks
    public func ackPacketSlot(_ lane: Int) -> UInt32 { ackPackets.slots[lane] }

    /// Makes all packets that were begun.
    ///
    /// - Returns: those that are made; a neighbour whose packet key is no point gets none, nor does
    ///   one whose ticket failed our self-check.
    @_noLocks
    public mutating func makeAckPackets(slab: Slab, snapshot: Snapshot) -> LaneMask {
        let count = ackPackets.count
        ackPackets.count = 0
        for lane in 0..<count {
            let row = snapshot.nodes[Int(ackPackets.nodes[lane])]
            random.fill(entropy)
            let challenge = AckPacket.put(
                slab.packet(ackPackets.slots[lane], config.geometry.packetBytes),
                textBytes: Acknowledgements.textBytes(count: Int(ackPackets.acks[lane])),
                to: row.packetKey,
                random: entropy,
                geometry: config.geometry,
                scratch: building,
                lane: lane
            )
            lanes.issued[lane] = Ticket.zeroHop(to: row.chainAddress, challenge: challenge)
            lanes.channelID[lane] = row.outgoingID
            lanes.domain[lane] = snapshot.headerColumn[0].domain
        }
        zeroize(entropy)
        let made = AckPacket.seal(
            lanes: .first(count),
            slab: slab,
            slots: ackPackets.slots,
            geometry: config.geometry,
            scratch: building
        )
        building.wipe()
        return made == 0 ? 0 : signZeroHops(made, slab, snapshot)
    }

    @_noLocks
    private func fits(_ node: UInt32, _ count: Int, _ given: Int, _ snapshot: Snapshot) -> Bool {
        Int(node) < snapshot.nodes.count && count > 0 && count <= config.geometry.ackCapacity
            && count <= given
    }

    /// Notes a packet; where its acknowledgements stand.
    @_noLocks
    private mutating func begin(
        to node: UInt32,
        _ count: Int,
        slot: UInt32,
        _ slab: Slab
    ) -> Column<Acknowledgement> {
        let lane = ackPackets.count
        ackPackets.slots[lane] = slot
        ackPackets.nodes[lane] = node
        ackPackets.acks[lane] = UInt32(count)
        ackPackets.count += 1
        let text = AckPacket.text(
            in: slab.packet(slot, config.geometry.packetBytes),
            count: Acknowledgements.textBytes(count: count),
            geometry: config.geometry
        )
        return Acknowledgements.begin(text, count: count)
    }

    /// Tickets worth nothing, as every packet carries one. Returns the packets that have one.
    @_noLocks
    private mutating func signZeroHops(
        _ made: LaneMask,
        _ slab: Slab,
        _ snapshot: Snapshot
    ) -> LaneMask {
        let signed = signIssued(made, snapshot)
        var left = signed
        while let lane = left.popFirst() {
            let packet = slab.packet(ackPackets.slots[lane], config.geometry.packetBytes)
            lanes.issued[lane].write(
                to: packet.slice(config.geometry.ticketOffset, Ticket.byteCount)
            )
            counters.count(.ackPacketsOut)
            counters.count(.acksOut, by: UInt64(ackPackets.acks[lane]))
        }
        return signed
    }
}

/// Packets of acknowledgements that were begun: where, to whom, and how many in each.
struct AckPackets {
    static var most: Int { @_noLocks get { 16 } }

    var count = 0
    var slots = [64 of UInt32](repeating: 0)
    var nodes = [16 of UInt32](repeating: 0)
    var acks = [16 of UInt32](repeating: 0)

    @_noLocks
    init() {}
}
