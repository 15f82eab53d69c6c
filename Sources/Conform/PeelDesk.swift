internal import Bytes
internal import Crypto
internal import Sphinx

/// Peels one packet at a time.
struct PeelDesk {
    /// What a node finds.
    struct Found {
        let verdict: Drop
        let packet: [UInt8]
        let secret: Bytes32
        let tag: Bytes16
        let prefix: PrefixByte
        let nextKeyID: UInt32
        let proof: ProofString
        let senderID: SenderID
        let ownHalfKey: Bytes32
        let ackHalfKey: Bytes32

        /// Challenge for the next ticket.
        var nextChallenge: Address { Address(proof.array.prefix(20)) ?? Address() }
        /// What the next node acknowledges with.
        var hint: Bytes33 { Bytes33(proof.array.suffix(33)) ?? Bytes33() }
    }

    let geometry: Geometry
    private let memory: Memory
    private let slab: Slab
    private let scratch: PeelScratch

    init(_ geometry: Geometry) {
        self.geometry = geometry
        var measure = Arena()
        _ = PeelDesk.layout(&measure, geometry)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        (slab, scratch) = PeelDesk.layout(&arena, geometry)
    }

    private static func layout(_ arena: inout Arena, _ geometry: Geometry) -> (Slab, PeelScratch) {
        let stride = (geometry.packetBytes + 63) & ~63
        return (Slab(region: arena.region(stride), stride: stride), PeelScratch(&arena))
    }

    /// Peels a packet of the right length.
    func peel(_ packet: [UInt8], key: PacketKey) -> Found {
        slab.packet(0, geometry.packetBytes).store(bytes: packet, 0)
        var batch = Batch()
        batch.append(slot: 0, byteCount: UInt32(packet.count), source: 0)
        withExtendedLifetime(key) {
            Peel.peel(
                &batch,
                slab: slab,
                geometry: geometry,
                key: PeelKey(scalar: key.scalar, publicKey: key.signingKey.slice(32, 32)),
                scratch: scratch
            )
        }
        return Found(
            verdict: batch.verdict(0),
            packet: slab.packet(0, geometry.packetBytes).array,
            secret: scratch.secret[0],
            tag: scratch.tag[0],
            prefix: scratch.prefix[0],
            nextKeyID: scratch.nextKeyID[0],
            proof: scratch.proof[0],
            senderID: scratch.senderID[0],
            ownHalfKey: scratch.ownHalfKey[0],
            ackHalfKey: scratch.ackHalfKey[0]
        )
    }
}
