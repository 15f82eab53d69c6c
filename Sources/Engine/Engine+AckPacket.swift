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
    /// - Returns: false if the neighbour's packet key is no point, or the count does not fit.
    @_noLocks
    public mutating func makeAckPacket(
        to node: UInt32,
        halfKeys: Column<Bytes32>,
        count: Int,
        packet: Region,
        snapshot: Snapshot
    ) -> Bool {
        guard fits(node, count, halfKeys.count, snapshot) else { return false }
        let acks = begin(packet, count)
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
        return seal(packet, to: node, count, snapshot)
    }

    /// The same with acknowledgements that are made already.
    @_noLocks
    public mutating func makeAckPacket(
        to node: UInt32,
        acks made: Column<Acknowledgement>,
        count: Int,
        packet: Region,
        snapshot: Snapshot
    ) -> Bool {
        guard fits(node, count, made.count, snapshot) else { return false }
        let acks = begin(packet, count)
        for index in 0..<count { acks[index] = made[index] }
        return seal(packet, to: node, count, snapshot)
    }

    @_noLocks
    private func fits(_ node: UInt32, _ count: Int, _ given: Int, _ snapshot: Snapshot) -> Bool {
        Int(node) < snapshot.nodes.count && count > 0 && count <= config.geometry.ackCapacity
            && count <= given
    }

    /// Where the acknowledgements of a packet stand.
    @_noLocks
    private func begin(_ packet: Region, _ count: Int) -> Column<Acknowledgement> {
        let textBytes = Acknowledgements.textBytes(count: count)
        return Acknowledgements.begin(
            AckPacket.text(in: packet, count: textBytes, geometry: config.geometry),
            count: count
        )
    }

    @_noLocks
    private mutating func seal(
        _ packet: Region,
        to node: UInt32,
        _ count: Int,
        _ snapshot: Snapshot
    ) -> Bool {
        random.fill(entropy)
        let row = snapshot.nodes[Int(node)]
        var challenge = Address()
        let made = AckPacket.seal(
            packet,
            textBytes: Acknowledgements.textBytes(count: count),
            to: row.packetKey,
            random: entropy,
            geometry: config.geometry,
            scratch: building,
            challenge: &challenge
        )
        zeroize(entropy)
        guard made else { return false }
        signZeroHop(row, challenge, packet, snapshot)
        counters.count(.ackPacketsOut)
        counters.count(.acksOut, by: UInt64(count))
        return true
    }

    @_noLocks
    private func signZeroHop(
        _ row: NodeRow,
        _ challenge: Address,
        _ packet: Region,
        _ snapshot: Snapshot
    ) {
        lanes.issued[0] = Ticket.zeroHop(to: row.chainAddress, challenge: challenge)
        lanes.channelID[0] = row.outgoingID
        lanes.domain[0] = snapshot.headerColumn[0].domain
        tickets.hash(
            lanes.issued,
            channelIDs: lanes.channelID,
            domains: lanes.domain,
            lanes: 1,
            into: lanes.hash
        )
        _ = tickets.sign(
            lanes.issued,
            hashes: lanes.hash,
            key: snapshot.chainKey.region(0),
            lanes: 1
        )
        lanes.issued[0].write(
            to: packet.slice(config.geometry.ticketOffset, Ticket.byteCount)
        )
    }
}
