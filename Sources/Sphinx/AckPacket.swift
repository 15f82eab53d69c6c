public import Bytes

/// Packets that carry acknowledgements to a neighbour: one node, no SURB, none wanted back.
public enum AckPacket {
    /// Random bytes that one packet takes: seed, ticket challenge, sender id, header padding.
    @inlinable public static var randomBytes: Int { @_noLocks get { 32 + 20 + 18 + 222 } }

    /// Where the acknowledgements' text is put: in the packet itself, at the end of its payload
    /// block.
    @_noLocks
    public static func text(in packet: Region, count: Int, geometry: Geometry) -> Region {
        assert(count <= geometry.messageBytesMax)
        return packet.slice(geometry.ticketOffset - count, count)
    }

    /// Makes the packet around a text that stands where `text` said.
    ///
    /// - Parameters:
    ///   - publicKey: the neighbour's packet key.
    ///   - packet: `geometry.packetBytes`; all is written but the ticket.
    ///   - textBytes: length of the text.
    ///   - random: `randomBytes`, used in the order of its parts.
    ///   - challenge: becomes the challenge for the packet's zero-hop ticket.
    /// - Returns: false if `publicKey` is no point.
    @_noLocks
    public static func seal(
        _ packet: Region,
        textBytes: Int,
        to publicKey: Bytes32,
        random: Region,
        geometry: Geometry,
        scratch: BuildScratch,
        challenge: inout Address
    ) -> Bool {
        var nodes = PathNodes()
        guard nodes.append(keyID: 0, publicKey: publicKey) else { return false }
        let secrets = Build.derive(
            seed: random.slice(0, 32),
            nodes: nodes,
            halfKeys: false,
            scratch: scratch
        )
        guard secrets.count == 1 else { return false }
        challenge = random.load(32)
        let header = Build.seal(
            secrets: secrets,
            nodes: nodes,
            proofs: [3 of ProofString](repeating: ProofString()),
            noAck: true,
            reply: false,
            senderID: random.load(52),
            padding: random.slice(70, 222),
            scratch: scratch
        )
        let payload = packet.slice(Geometry.payloadOffset, geometry.payloadBytes)
        pad(payload, textBytes)
        Build.encrypt(payload: payload, secrets: secrets, scratch: scratch)
        Build.write(alpha: secrets.alpha, header: header, to: packet)
        return true
    }

    /// What stands before the text.
    @_noLocks
    private static func pad(_ payload: Region, _ textBytes: Int) {
        let start = payload.byteCount - textBytes
        payload.store(Message.flags(signal: .none, surbCount: 0), start - 1)
        payload.store(Padding.marker, start - 2)
        payload.slice(0, start - 2).fill(0)
    }

    /// Puts what a packet takes into a lane, for `seal` over lanes; the text stands in it already.
    ///
    /// - Parameters: as those of `seal` for one packet.
    /// - Returns: the challenge for the packet's zero-hop ticket.
    @_noLocks
    public static func put(
        _ packet: Region,
        textBytes: Int,
        to publicKey: Bytes32,
        random: Region,
        geometry: Geometry,
        scratch: BuildScratch,
        lane: Int
    ) -> Address {
        var nodes = PathNodes()
        _ = nodes.append(keyID: 0, publicKey: publicKey)
        scratch.nodes[lane] = nodes
        scratch.seed[lane] = random.load(0)
        scratch.senderID[lane] = random.load(52)
        scratch.padding[lane] = random.load(70)
        pad(packet.slice(Geometry.payloadOffset, geometry.payloadBytes), textBytes)
        return random.load(32)
    }

    /// Makes the packets of all lanes that `put` has filled.
    ///
    /// - Returns: the lanes whose public key is a point; the others' packets are of no use.
    @_noLocks
    public static func seal(
        lanes: LaneMask,
        slab: Slab,
        slots: borrowing [64 of UInt32],
        geometry: Geometry,
        scratch: BuildScratch
    ) -> LaneMask {
        let derived = Build.derive(lanes: lanes, halfKeys: false, scratch: scratch)
        if derived == 0 { return 0 }
        Build.seal(lanes: derived, noAck: derived, scratch: scratch)
        Build.encrypt(
            lanes: derived,
            payloads: Payloads(slab, slots: slots, geometry: geometry),
            scratch: scratch
        )
        Build.write(lanes: derived, slab: slab, slots: slots, scratch: scratch)
        return derived
    }
}
