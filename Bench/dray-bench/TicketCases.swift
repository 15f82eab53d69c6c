import Bytes
import Crypto
import Harness
import Load
import Sphinx
import Tickets

/// A batch of tickets as a relay receives them from one channel.
private final class TicketBench {
    let network: Network
    private let memory: Memory
    let lanes: TicketLanes
    let tickets: Column<Ticket>
    let issued: Column<Ticket>
    let proofs: Column<ProofString>
    let own: Column<Bytes32>
    let ack: Column<Bytes32>
    let hashes: Column<Bytes32>
    let channelIDs: Column<Bytes32>
    let domains: Column<Bytes32>
    let issuers: Column<Address>
    let acks: Column<Acknowledgement>
    let made: Column<Acknowledgement>
    let hints: Column<Bytes33>
    let responses: Column<Bytes32>
    let signers: Column<Bytes32>
    let luck: LuckLanes
    private let signerTable: Slab
    private let verifierTables: Slab
    private let ownTable: Region
    private var random: RandomStream

    init(_ network: Network) {
        self.network = network
        memory = Memory(
            (1 << 18) + Kernels.signerBytes + TicketLanes.ownTableBytes
                + TicketBench.neighbours.count * Kernels.verifierBytes
        )
        var arena = Arena(memory.region)
        lanes = TicketLanes(
            &arena,
            curve: .shared,
            selector: network.geometry.ticketSelector
        )
        tickets = arena.column(Ticket.self, 64)
        issued = arena.column(Ticket.self, 64)
        proofs = arena.column(ProofString.self, 64)
        own = arena.column(Bytes32.self, 64)
        ack = arena.column(Bytes32.self, 64)
        hashes = arena.column(Bytes32.self, 64)
        channelIDs = arena.column(Bytes32.self, 64)
        domains = arena.column(Bytes32.self, 64)
        issuers = arena.column(Address.self, 64)
        acks = arena.column(Acknowledgement.self, 64)
        made = arena.column(Acknowledgement.self, 64)
        hints = arena.column(Bytes33.self, 64)
        responses = arena.column(Bytes32.self, 64)
        signers = arena.column(Bytes32.self, 64)
        luck = LuckLanes(&arena)
        signerTable = Slab(
            region: arena.region(Kernels.signerBytes),
            stride: Kernels.signerBytes
        )
        verifierTables = Slab(
            region: arena.region(TicketBench.neighbours.count * Kernels.verifierBytes),
            stride: Kernels.verifierBytes
        )
        ownTable = arena.region(TicketLanes.ownTableBytes)
        random = RandomStream(
            in: arena.region(RandomStream.byteCount),
            seed: arena.region(32)
        )
        let packet = arena.region(network.geometry.packetBytes)
        for lane in 0..<64 {
            let built = network.packet(index: UInt64(lane), into: packet)
            tickets[lane] = built.ticket
            issued[lane] = built.ticket
            proofs[lane] = built.plan.strings[0]
            own[lane] = built.secrets.ownHalfKeys[0]
            ack[lane] = built.secrets.ackHalfKeys[1]
            channelIDs[lane] = network.channelID(0, 1)
            domains[lane] = network.ticketDomain
            issuers[lane] = network.nodes[0].chainKey.address
        }
        _ = hash()
        makeTables()
        makeAcks()
        _ = takeAcks(64)
        fillLuck()
    }

    private func makeTables() {
        var point = network.nodes[0].chainKey.affine
        let made = point.withRegion {
            Kernels.ecdsaTableVariableTime(
                Lanes($0),
                table: Lanes(signerTable.region),
                live: 1
            )
        }
        let keys = signers.region.column(0, count: 64) as Column<Bytes32>
        for lane in 0..<64 { keys[lane] = neighbour(lane).publicKey }
        let verifiers = Kernels.ed25519TableVariableTime(
            Lanes(keys),
            table: Lanes(verifierTables.region, stride: Kernels.verifierBytes),
            live: .first(TicketBench.neighbours.count)
        )
        precondition(made == 1 && verifiers == .first(TicketBench.neighbours.count), "no table")
        let own = network.nodes[1].chainKey
        let isOwn = lanes.makeOwnTable(
            key: own.secretScalar,
            address: own.address,
            into: ownTable
        )
        precondition(isOwn, "no table of our own key")
    }

    /// Who acknowledges a lane.
    private static let neighbours = (0..<8).map { Identity(40 + $0).packetKey }

    private func neighbour(_ lane: Int) -> PacketKey {
        TicketBench.neighbours[lane % TicketBench.neighbours.count]
    }

    private func makeAcks() {
        for lane in 0..<64 {
            acks[lane] = Acknowledgements.make(halfKey: ack[lane], key: neighbour(lane))
        }
    }

    private func fillLuck() {
        for lane in 0..<64 {
            luck.hash[lane] = hashes[lane]
            luck.opening[lane] = hashes[63 - lane]
            luck.response[lane] = responses[lane]
            luck.signature[lane] = tickets[lane].signature
        }
    }

    func hash() -> UInt64 {
        lanes.hash(tickets, channelIDs: channelIDs, domains: domains, lanes: .max, into: hashes)
        return hashes.region(0).load(0)
    }

    func challenge() -> UInt64 {
        let check = lanes.checkChallenges(
            tickets,
            ownHalfKeys: own,
            proofs: proofs,
            lanes: .max
        )
        precondition(check.passed == .max, "a challenge does not open")
        return check.passed
    }

    /// With the issuer's table, or by recovery.
    func verify(known: Bool) -> UInt64 {
        _ = hash()
        var tables = LaneTables(signerTable)
        if known { for lane in 0..<64 { tables.set(lane, place: 0) } }
        let signed = lanes.verifyVariableTime(
            tickets,
            hashes: hashes,
            issuers: issuers,
            tables: tables,
            lanes: .max
        )
        precondition(signed == .max, "a signature is wrong")
        return signed
    }

    func issue() -> UInt64 {
        hashIssued()
        let key = network.nodes[1].chainKey.secretScalar
        let signed = lanes.sign(issued, hashes: hashes, key: key, lanes: .max)
        precondition(signed == .max, "a ticket is not signed")
        return hashes.region(0).load(0)
    }

    func issueHedged() -> UInt64 {
        hashIssued()
        let signed = lanes.sign(
            issued,
            hashes: hashes,
            key: network.nodes[1].chainKey.secretScalar,
            hedgedBy: &random,
            lanes: .max
        )
        precondition(signed == .max, "a ticket is not signed")
        return hashes.region(0).load(0)
    }

    /// With the self-check, by the table of our own key.
    func issueChecked() -> UInt64 {
        let sum = issue()
        let good = lanes.verifyOwnVariableTime(
            issued,
            hashes: hashes,
            table: ownTable,
            lanes: .max
        )
        precondition(good == .max, "a ticket of ours is spoilt")
        return sum
    }

    private func hashIssued() {
        lanes.hash(issued, channelIDs: channelIDs, domains: domains, lanes: .max, into: hashes)
    }

    func make() -> UInt64 {
        Acknowledgements.make(
            halfKeys: ack,
            signingKey: network.nodes[2].packetKey.signingKey,
            lanes: .max,
            into: made
        )
        return made.region(0).load(64)
    }

    /// Acknowledgements of several neighbours whose tables are there: signature, hint, response.
    func takeAcks(_ count: Int) -> UInt64 {
        let all = LaneMask.first(count)
        var tables = LaneTables(verifierTables)
        for lane in 0..<count {
            tables.set(lane, place: UInt32(lane % TicketBench.neighbours.count))
        }
        let good = Acknowledgements.verifyVariableTime(
            acks,
            signers: signers,
            tables: tables,
            lanes: all
        )
        let hinted = lanes.hints(of: acks, lanes: good, into: hints)
        let answered = lanes.responses(
            ownHalfKeys: own,
            acknowledgements: acks,
            lanes: hinted,
            into: responses
        )
        precondition(answered == all, "an acknowledgement is refused")
        return responses.region(0).load(0)
    }

    func drawCommitment() -> UInt64 {
        luck.drawCommitment(lanes: .max)
        return luck.luck[0]
    }

    func drawVRF() -> UInt64 {
        let key = network.nodes[1].chainKey
        var domain = network.domain
        domain.withRegion {
            luck.drawVRF(
                redeemer: key.address,
                key: key.secretScalar,
                domain: $0,
                lanes: .max
            )
        }
        return luck.luck[0]
    }
}

func ticketCases(_ network: Network) -> [Case] {
    let bench = TicketBench(network)
    let key = network.nodes[1].chainKey
    let hash = bench.hashes[0]
    let entropy = [UInt8](repeating: 9, count: 64)
    return [
        Case("ticket.hash", batch: 64) { bench.hash() },
        Case("ticket.challenge", batch: 64) { bench.challenge() },
        Case("ticket.verify", batch: 64) { bench.verify(known: true) },
        Case("ticket.verify.unknown", batch: 64) { bench.verify(known: false) },
        Case("ticket.issue", batch: 64) { bench.issue() },
        Case("ticket.issue.hedged", batch: 64) { bench.issueHedged() },
        Case("ticket.issue.checked", batch: 64) { bench.issueChecked() },
        Case("ack.make", batch: 64) { bench.make() },
        Case("ack.take", batch: 64) { bench.takeAcks(64) },
        Case("ack.take.batch10", batch: 10) { bench.takeAcks(10) },
        Case("luck.commitment", batch: 64) { bench.drawCommitment() },
        Case("luck.vrf", batch: 64) { bench.drawVRF() },
        Case("luck.vrf.prove") {
            let proof = VRF.prove(key: key, hash: hash, domain: network.domain, entropy: entropy)
            return UInt64(proof.challenge[0])
        },
        Case("luck.chain", operations: 1_000) {
            UInt64(Hash.keccakIterate(hash, count: 1_000)[0])
        },
    ]
}
