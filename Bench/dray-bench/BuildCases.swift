import Bytes
import Crypto
import Harness
import Load
import Sphinx
import Tickets

/// One packet after the other, as a sender makes them.
private final class BuildBench {
    private let network: Network
    private let memory = Memory(4_096)
    private let packet: Region
    private let seed: Region
    private let padding: Region
    private let senderID = SenderID()

    init(_ network: Network) {
        self.network = network
        var arena = Arena(memory.region)
        packet = arena.region(network.geometry.packetBytes)
        seed = arena.region(32)
        padding = arena.region(222)
        network.source.fill(padding)
        network.source.fill(seed)
    }

    /// The Sphinx side alone: secrets, alphas, half-keys, header and payload.
    func relays(_ count: Int, proofs: Bool) -> UInt64 {
        var nodes = PathNodes()
        for node in network.nodes[1...(count + 1)] {
            _ = nodes.append(keyID: node.keyID, publicKey: node.packetKey.publicKey)
        }
        let secrets = Build.derive(seed: seed, nodes: nodes, scratch: network.building)
        let plan = proofs ? network.plan(secrets) : ProofPlan()
        let header = Build.seal(
            secrets: secrets,
            nodes: nodes,
            proofs: plan.strings,
            noAck: false,
            reply: false,
            senderID: senderID,
            padding: padding,
            scratch: network.building
        )
        Build.write(alpha: secrets.alpha, header: header, to: packet)
        Build.encrypt(
            payload: packet.slice(Geometry.payloadOffset, network.geometry.payloadBytes),
            secrets: secrets,
            scratch: network.building
        )
        seed.copy(packet.slice(400, 32), to: 0)
        return seed.load(0)
    }
}

/// A batch of packets, or of replies, made together.
private final class BuildBatchBench {
    private let network: Network
    private let memory: Memory
    private let slab: Slab
    private let scratch: BuildScratch
    private let tables: NodeTables
    private let proofs: ProofLanes
    private let tickets: TicketLanes
    private let ticket: Column<Ticket>
    private let channelIDs: Column<Bytes32>
    private let domains: Column<Bytes32>
    private let hashes: Column<Bytes32>
    private var slots = [64 of UInt32](repeating: 0)
    private let payloads: Payloads

    init(_ network: Network) {
        self.network = network
        let slabBytes = 2_048 * Batch.capacity
        var measure = Arena()
        _ = BuildScratch(&measure, lanes: Batch.capacity)
        _ = NodeTables(&measure, capacity: 64)
        _ = ProofLanes(&measure, lanes: Batch.capacity)
        memory = Memory(slabBytes + measure.used + (1 << 16))
        var arena = Arena(memory.region)
        slab = Slab(region: arena.region(slabBytes), stride: 2_048, offset: 64)
        scratch = BuildScratch(&arena, lanes: Batch.capacity)
        tables = NodeTables(&arena, capacity: 64)
        proofs = ProofLanes(&arena, lanes: Batch.capacity)
        tickets = TicketLanes(&arena, curve: .shared, selector: network.geometry.ticketSelector)
        ticket = arena.column(Ticket.self, Batch.capacity)
        channelIDs = arena.column(Bytes32.self, Batch.capacity)
        domains = arena.column(Bytes32.self, Batch.capacity)
        hashes = arena.column(Bytes32.self, Batch.capacity)
        for lane in 0..<Batch.capacity {
            channelIDs[lane] = network.channelID(0, 1)
            domains[lane] = network.ticketDomain
        }
        for lane in 0..<Batch.capacity { slots[lane] = UInt32(lane) }
        payloads = Payloads(slab, slots: slots, geometry: network.geometry)
        network.source.fill(slab.region)
        network.source.fill(scratch.padding.region)
    }

    /// Bytes of a packet's payload, which every call changes.
    private func noise(_ lane: Int) -> Region {
        slab.packet(UInt32(lane), network.geometry.packetBytes).slice(400, 32)
    }

    /// Paths and seeds, then what `derive` makes of them.
    private func begin(_ count: Int, known: Bool) {
        var nodes = PathNodes()
        for node in network.nodes[1...(count + 1)] {
            _ = nodes.append(keyID: node.keyID, publicKey: node.packetKey.publicKey)
        }
        for lane in 0..<Batch.capacity {
            scratch.nodes[lane] = nodes
            scratch.seed[lane] = noise(lane).load(0)
        }
        let built = Build.derive(lanes: .max, tables: known ? tables : nil, scratch: scratch)
        precondition(built == .max, "a public key is no point")
    }

    private func finish() -> UInt64 {
        Build.seal(lanes: .max, scratch: scratch)
        Build.encrypt(lanes: .max, payloads: payloads, scratch: scratch)
        Build.write(lanes: .max, slab: slab, slots: slots, scratch: scratch)
        scratch.wipe()
        return noise(0).load(0)
    }

    /// The Sphinx side alone, with the wiping of its secrets.
    func relays(_ count: Int, known: Bool) -> UInt64 {
        begin(count, known: known)
        return finish()
    }

    /// The whole packet: proof of relay for its path, and the ticket for the first node.
    func whole(_ count: Int) -> UInt64 {
        begin(count, known: true)
        for lane in 0..<Batch.capacity {
            proofs.count[lane] = count + 1
            proofs.ownHalfKeys[lane] = scratch.ownHalfKeys[lane]
            proofs.ackHalfKeys[lane] = scratch.ackHalfKeys[lane]
        }
        let planned = proofs.make(lanes: .max)
        precondition(planned == .max, "a half-key is no scalar")
        for lane in 0..<Batch.capacity { scratch.proofs[lane] = proofs.plan[lane].strings }
        sign(relays: count)
        for lane in 0..<Batch.capacity {
            let place = slab.packet(UInt32(lane), network.geometry.packetBytes)
            ticket[lane].write(to: place.slice(network.geometry.ticketOffset, Ticket.byteCount))
        }
        return finish()
    }

    private func sign(relays: Int) {
        let receiver = network.nodes[1].chainKey.address
        for lane in 0..<Batch.capacity {
            ticket[lane] = Ticket(
                counterparty: receiver,
                amount: Network.price * UInt128(relays),
                index: UInt64(lane),
                channelEpoch: Network.channelEpoch,
                winProbability: .always,
                challenge: proofs.plan[lane].firstChallenge
            )
        }
        tickets.hash(ticket, channelIDs: channelIDs, domains: domains, lanes: .max, into: hashes)
        let key = network.nodes[0].chainKey.secretScalar
        let signed = tickets.sign(ticket, hashes: hashes, key: key, lanes: .max)
        precondition(signed == .max, "a ticket is not signed")
    }

    /// The one layer that a replier adds.
    func reply() -> UInt64 {
        for lane in 0..<Batch.capacity { scratch.senderKey[lane] = noise(lane).load(0) }
        Reply.encrypt(lanes: .max, payloads: payloads, scratch: scratch)
        return noise(0).load(0)
    }
}

func buildCases(_ network: Network) -> [Case] {
    let single = BuildBench(network)
    let batch = BuildBatchBench(network)
    return (0...3).map { relays in
        Case("build.relays\(relays)", batch: 64) { batch.relays(relays, known: true) }
    } + [
        Case("build.whole3", batch: 64) { batch.whole(3) },
        Case("build.relays3.unknown", batch: 64) { batch.relays(3, known: false) },
        Case("build.relays3.batch1") { single.relays(3, proofs: false) },
        Case("build.relays3.proofs") { single.relays(3, proofs: true) },
        Case("build.reply", batch: 64) { batch.reply() },
    ]
}
