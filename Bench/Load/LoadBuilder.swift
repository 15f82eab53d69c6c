internal import Bytes
internal import Crypto
internal import Sphinx
internal import Tickets

/// Builds the packets of a load run, a round at a time: each sender's share, its packets for next
/// hops drawn at random, and what these will answer.
final class LoadBuilder {
    /// What is known of a packet before it is sent.
    struct Made: BitwiseCopyable {
        /// Who sends it.
        var sender = 0
        /// Whom the relay sends it to.
        var nextHop = 0
        /// Beginning of the challenge in the ticket that the relay issues for it.
        var mark: UInt64 = 0
    }

    private static let slotBytes = 2_048

    private let network: LoadNetwork
    private let plan: LoadPlan
    private var source: Source
    private let memory: Memory
    private let slab: Slab
    private let scratch: BuildScratch
    private let nodeTables: NodeTables
    private let proofs: ProofLanes
    private let tickets: TicketLanes
    private let ticket: Column<Ticket>
    private let channelIDs: Column<Bytes32>
    private let domains: Column<Bytes32>
    private let hashes: Column<Bytes32>
    private let lineKeys: Column<Bytes32>
    private let lineAcks: Column<Acknowledgement>
    private let halfKeys: Column<Bytes32>
    private var nextIndex: [UInt64]

    /// What the last round has of each packet.
    let made: Column<Made>
    /// How the next hop acknowledges it.
    let acks: Column<Acknowledgement>

    init(_ network: LoadNetwork) {
        self.network = network
        plan = network.plan
        // Keys are drawn from the seed itself.
        source = Source(seed: ~plan.seed)
        nextIndex = Array(repeating: 0, count: plan.senders)
        let count = plan.roundPackets
        let slabBytes = LoadBuilder.slotBytes * count
        var measure = Arena()
        _ = BuildScratch(&measure, lanes: LoadPlan.batch)
        _ = NodeTables(&measure, capacity: 64)
        _ = ProofLanes(&measure, lanes: LoadPlan.batch)
        _ = TicketLanes(&measure, curve: .shared, selector: plan.geometry.ticketSelector)
        memory = Memory(slabBytes + measure.used + 256 * count + (1 << 17))
        var arena = Arena(memory.region)
        slab = Slab(region: arena.region(slabBytes), stride: LoadBuilder.slotBytes, offset: 64)
        scratch = BuildScratch(&arena, lanes: LoadPlan.batch)
        nodeTables = NodeTables(&arena, capacity: 64)
        proofs = ProofLanes(&arena, lanes: LoadPlan.batch)
        tickets = TicketLanes(&arena, curve: .shared, selector: plan.geometry.ticketSelector)
        ticket = arena.column(Ticket.self, LoadPlan.batch)
        channelIDs = arena.column(Bytes32.self, LoadPlan.batch)
        domains = arena.column(Bytes32.self, LoadPlan.batch)
        hashes = arena.column(Bytes32.self, LoadPlan.batch)
        lineKeys = arena.column(Bytes32.self, LoadPlan.batch)
        lineAcks = arena.column(Acknowledgement.self, LoadPlan.batch)
        made = arena.column(Made.self, count)
        acks = arena.column(Acknowledgement.self, count)
        halfKeys = arena.column(Bytes32.self, count)
    }

    /// A packet of the last round.
    func packet(_ index: Int) -> Region { slab.packet(UInt32(index), plan.geometry.packetBytes) }

    /// Builds the next round; returns the order in which its packets are sent: runs of one sender,
    /// shuffled.
    func round() -> [Int] {
        for (number, sender) in plan.batches.enumerated() {
            build(sender, from: number * LoadPlan.batch)
        }
        for nextHop in 0..<plan.nextHops { acknowledge(nextHop) }
        var runs: [Range<Int>] = []
        for first in stride(from: 0, to: plan.roundPackets, by: LoadPlan.batch) {
            for start in stride(from: 0, to: LoadPlan.batch, by: plan.run) {
                runs.append((first + start)..<(first + min(start + plan.run, LoadPlan.batch)))
            }
        }
        return runs.shuffled(using: &source).flatMap { Array($0) }
    }

    private func build(_ sender: Int, from first: Int) {
        var slots = [64 of UInt32](repeating: 0)
        for lane in 0..<LoadPlan.batch {
            slots[lane] = UInt32(first + lane)
            let nextHop = Int.random(in: 0..<plan.nextHops, using: &source)
            made[first + lane] = Made(sender: sender, nextHop: nextHop)
            var nodes = PathNodes()
            let next = network.neighbours[plan.link(nextHop: nextHop)]
            for node in [network.relay, next, network.exit] {
                _ = nodes.append(keyID: node.keyID, publicKey: node.packetKey.publicKey)
            }
            scratch.nodes[lane] = nodes
            source.fill(packet(first + lane))
        }
        for region in [scratch.seed.region, scratch.padding.region, scratch.senderID.region] {
            source.fill(region)
        }
        let derived = Build.derive(lanes: .max, tables: nodeTables, scratch: scratch)
        precondition(derived == .max, "a public key is no point")
        prove(from: first)
        sign(sender, from: first)
        for lane in 0..<LoadPlan.batch { pad(packet(first + lane)) }
        Build.seal(lanes: .max, scratch: scratch)
        Build.encrypt(
            lanes: .max,
            payloads: Payloads(slab, slots: slots, geometry: plan.geometry),
            scratch: scratch
        )
        Build.write(lanes: .max, slab: slab, slots: slots, scratch: scratch)
        scratch.wipe()
    }

    /// Proof of relay; keeps what the next hop will acknowledge with.
    private func prove(from first: Int) {
        for lane in 0..<LoadPlan.batch {
            proofs.count[lane] = 3
            proofs.ownHalfKeys[lane] = scratch.ownHalfKeys[lane]
            proofs.ackHalfKeys[lane] = scratch.ackHalfKeys[lane]
            halfKeys[first + lane] = scratch.ackHalfKeys[lane][1]
        }
        source.fill(proofs.lastChallenge.region)
        let planned = proofs.make(lanes: .max)
        precondition(planned == .max, "a half-key is no scalar")
        for lane in 0..<LoadPlan.batch {
            scratch.proofs[lane] = proofs.plan[lane].strings
            made[first + lane].mark = scratch.proofs.region(lane).load(0)
        }
    }

    private func sign(_ sender: Int, from first: Int) {
        let key = network.neighbours[sender].chainKey
        let channelID = network.channelID(network.neighbours[sender], network.relay)
        for lane in 0..<LoadPlan.batch {
            ticket[lane] = Ticket(
                counterparty: network.relay.chainKey.address,
                amount: LoadNetwork.price * 2,
                index: nextIndex[sender],
                channelEpoch: LoadNetwork.channelEpoch,
                winProbability: .always,
                challenge: proofs.plan[lane].firstChallenge
            )
            nextIndex[sender] += 1
            channelIDs[lane] = channelID
            domains[lane] = network.ticketDomain
        }
        tickets.hash(ticket, channelIDs: channelIDs, domains: domains, lanes: .max, into: hashes)
        let signed = tickets.sign(ticket, hashes: hashes, key: key.secretScalar, lanes: .max)
        precondition(signed == .max, "a ticket is not signed")
        for lane in 0..<LoadPlan.batch {
            let place = packet(first + lane)
            ticket[lane].write(to: place.slice(plan.geometry.ticketOffset, Ticket.byteCount))
        }
    }

    /// A message of 800 random bytes.
    private func pad(_ packet: Region) {
        let payload = packet.slice(Geometry.payloadOffset, plan.geometry.payloadBytes)
        let start = payload.byteCount - 801
        payload.slice(0, start - 1).fill(0)
        payload.store(Padding.marker, start - 1)
        payload.store(Message.flags(signal: .none, surbCount: 0), start)
    }

    /// Signs a next hop's acknowledgements of the round.
    private func acknowledge(_ nextHop: Int) {
        let key = network.neighbours[plan.link(nextHop: nextHop)].packetKey.signingKey
        let mine = (0..<plan.roundPackets).filter { made[$0].nextHop == nextHop }
        for start in stride(from: 0, to: mine.count, by: LoadPlan.batch) {
            let part = mine[start..<min(start + LoadPlan.batch, mine.count)]
            for (lane, index) in part.enumerated() { lineKeys[lane] = halfKeys[index] }
            Acknowledgements.make(
                halfKeys: lineKeys,
                signingKey: key,
                lanes: .first(part.count),
                into: lineAcks
            )
            for (lane, index) in part.enumerated() { acks[index] = lineAcks[lane] }
        }
    }
}
