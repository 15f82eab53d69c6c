import Bytes
import Crypto
import Sphinx
import Tickets

/// Numbers that are the same in every run.
struct FixedSeed {
    private var state: UInt64 = 0x6472_6179_2d62_656e

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }

    mutating func fill(_ region: Region) {
        for index in 0..<region.byteCount {
            region.store(UInt8(truncatingIfNeeded: next() >> 24), index)
        }
    }

    mutating func bytes<let n: Int>() -> FixedBytes<n> {
        var value = FixedBytes<n>()
        value.withRegion { fill($0) }
        return value
    }
}

/// 64 packets for one relay, each with its ticket, and everything it takes to handle them: the
/// same in every run.
final class Fixture {
    static let lanes = Batch.capacity
    let geometry = Geometry.head
    let relay: PacketKey
    let nextHop: PacketKey
    let relayChain: ChainKey
    let issuer: ChainKey
    let domain: Bytes32
    let memory = Memory(4 << 20)
    let packets: Slab
    let pristine: Slab
    let peelScratch: PeelScratch
    let buildScratch: BuildScratch
    let tickets: TicketLanes
    var path = PathNodes()
    var seed = FixedSeed()

    init() {
        relay = PacketKey(seed: Fixture.secret(1))
        nextHop = PacketKey(seed: Fixture.secret(2))
        relayChain = Fixture.chainKey(3)
        issuer = Fixture.chainKey(4)
        domain = TicketDomain.separator(chainID: 31_337, contract: Address())
        var arena = Arena(memory.region)
        let stride = 2_048
        packets = Slab(region: arena.region(Fixture.lanes * stride), stride: stride)
        pristine = Slab(region: arena.region(Fixture.lanes * stride), stride: stride)
        peelScratch = PeelScratch(&arena)
        buildScratch = BuildScratch(&arena)
        let curve = Secp256k1(in: arena.region(Secp256k1.byteCount))
        tickets = TicketLanes(&arena, curve: curve, selector: geometry.ticketSelector)
        let others = (0..<2).map { PacketKey(seed: Fixture.secret(UInt8(5 + $0))).publicKey }
        for (index, key) in ([relay.publicKey, nextHop.publicKey] + others).enumerated() {
            _ = path.append(keyID: UInt32(index + 1), publicKey: key)
        }
        for lane in 0..<Fixture.lanes {
            build(pristine.packet(UInt32(lane), geometry.packetBytes))
        }
        restore()
    }

    private static func secret(_ number: UInt8) -> Region {
        let memory = SecretBytes([UInt8](repeating: number, count: 32))
        unsafe kept.append(memory)
        return memory.region
    }

    private nonisolated(unsafe) static var kept: [SecretBytes] = []

    private static func chainKey(_ number: UInt8) -> ChainKey {
        guard let key = ChainKey(secret: secret(number)) else { fatalError("no scalar") }
        return key
    }

    /// Puts the packets back as they were received.
    func restore() { packets.region.copy(pristine.region, to: 0) }

    /// A batch of the first `count` packets.
    func batch(_ count: Int) -> Batch {
        var batch = Batch()
        batch.reset(nowNanos: 0)
        for lane in 0..<count {
            batch.append(
                slot: UInt32(lane),
                byteCount: UInt32(geometry.packetBytes),
                source: 0
            )
        }
        return batch
    }

    /// The Sphinx side of a packet over three relays, and the plan of its proofs.
    @discardableResult
    func build(_ packet: Region, proofs: Bool = true) -> ProofPlan {
        var random: FixedBytes<32> = seed.bytes()
        let secrets = random.withRegion {
            Build.derive(seed: $0, nodes: path, scratch: buildScratch)
        }
        var plan = ProofPlan()
        if proofs {
            let made = ProofOfRelay.plan(
                ownHalfKeys: secrets.ownHalfKeys,
                ackHalfKeys: secrets.ackHalfKeys,
                count: path.count,
                lastChallenge: seed.bytes(),
                curve: tickets.curve,
                into: &plan
            )
            precondition(made)
        }
        var padding: FixedBytes<222> = seed.bytes()
        let header = padding.withRegion {
            Build.seal(
                secrets: secrets,
                nodes: path,
                proofs: plan.strings,
                noAck: false,
                reply: false,
                senderID: seed.bytes(),
                padding: $0,
                scratch: buildScratch
            )
        }
        Build.write(alpha: secrets.alpha, header: header, to: packet)
        let payload = packet.slice(Geometry.payloadOffset, geometry.payloadBytes)
        var text = FixedBytes<500>()
        text.withRegion { Padding.pad($0, into: payload) }
        Build.encrypt(payload: payload, secrets: secrets, scratch: buildScratch)
        if proofs { sign(plan.firstChallenge, to: packet) }
        return plan
    }

    /// A ticket of the issuer behind a packet.
    private func sign(_ challenge: Address, to packet: Region) {
        let ticket = Ticket(
            counterparty: relayChain.address,
            amount: 3_000_000,
            index: seed.next() >> 32,
            channelEpoch: 1,
            winProbability: WinProbability.always,
            challenge: challenge
        )
        let column: Column<Ticket> = memory.region.column(ticketOffset, count: 1)
        let hashes: Column<Bytes32> = memory.region.column(ticketOffset + 256, count: 1)
        let ids: Column<Bytes32> = memory.region.column(ticketOffset + 320, count: 1)
        let domains: Column<Bytes32> = memory.region.column(ticketOffset + 384, count: 1)
        column[0] = ticket
        ids[0] = TicketDomain.channelID(
            source: issuer.address,
            destination: relayChain.address
        )
        domains[0] = domain
        tickets.hash(column, channelIDs: ids, domains: domains, lanes: 1, into: hashes)
        precondition(tickets.sign(column, hashes: hashes, key: issuer.secretScalar, lanes: 1) == 1)
        column[0].write(to: packet.slice(geometry.ticketOffset, Ticket.byteCount))
    }

    private let ticketOffset = (4 << 20) - 4_096
}
