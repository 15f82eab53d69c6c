import Bytes
import Crypto
import Harness
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
    let hints: Column<Bytes33>
    let responses: Column<Bytes32>

    init(_ network: Network) {
        self.network = network
        memory = Memory(1 << 18)
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
        hints = arena.column(Bytes33.self, 64)
        responses = arena.column(Bytes32.self, 64)
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
        _ = make()
        _ = hash()
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

    func verify() -> UInt64 {
        _ = hash()
        let signed = lanes.verifyVariableTime(
            tickets,
            hashes: hashes,
            issuers: issuers,
            lanes: .max
        )
        precondition(signed == .max, "a signature is wrong")
        return signed
    }

    func issue() -> UInt64 {
        lanes.hash(issued, channelIDs: channelIDs, domains: domains, lanes: .max, into: hashes)
        let key = network.nodes[1].chainKey.secretScalar
        let signed = lanes.sign(issued, hashes: hashes, key: key, lanes: .max)
        precondition(signed == .max, "a ticket is not signed")
        return hashes.region(0).load(0)
    }

    func make() -> UInt64 {
        Acknowledgements.make(
            halfKeys: ack,
            signingKey: network.nodes[2].packetKey.signingKey,
            lanes: .max,
            into: acks
        )
        return acks.region(0).load(64)
    }

    func take() -> UInt64 {
        let signer = network.nodes[2].packetKey.publicKeyRegion
        let good = Acknowledgements.verifyVariableTime(acks, signer: signer, lanes: .max)
        let hinted = lanes.hints(of: acks, lanes: good, into: hints)
        let answered = lanes.responses(
            ownHalfKeys: own,
            acknowledgements: acks,
            lanes: hinted,
            into: responses
        )
        precondition(answered == .max, "an acknowledgement is refused")
        return responses.region(0).load(0)
    }
}

func ticketCases(_ network: Network) -> [Case] {
    let bench = TicketBench(network)
    let key = network.nodes[1].chainKey
    let hash = bench.hashes[0]
    let response = bench.responses[0]
    let signature = bench.tickets[0].signature
    let entropy = [UInt8](repeating: 9, count: 64)
    return [
        Case("ticket.hash", batch: 64) { bench.hash() },
        Case("ticket.challenge", batch: 64) { bench.challenge() },
        Case("ticket.verify", batch: 64) { bench.verify() },
        Case("ticket.issue", batch: 64) { bench.issue() },
        Case("ack.make", batch: 64) { bench.make() },
        Case("ack.take", batch: 64) { bench.take() },
        Case("luck.commitment") {
            Luck.commitment(hash: hash, opening: hash, response: response, signature: signature)
        },
        Case("luck.vrf") {
            let value = VRF.value(key: key, hash: hash, domain: network.domain)
            return Luck.vrf(hash: hash, value: value, response: response, signature: signature)
        },
        Case("luck.vrf.prove") {
            let proof = VRF.prove(key: key, hash: hash, domain: network.domain, entropy: entropy)
            return UInt64(proof.challenge[0])
        },
        Case("luck.chain", operations: 1_000) {
            UInt64(Hash.keccakIterate(hash, count: 1_000)[0])
        },
    ]
}
