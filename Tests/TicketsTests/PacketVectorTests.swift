import Bytes
import Crypto
import JSON
import TestSupport
import Testing
import Tickets

/// The ticket side of `packet-*.json`: every ticket on every hop, both ways, and the
/// acknowledgements.
@Suite struct PacketVectorTests {
    struct Packet {
        let json: JSON
        let domain: Bytes32
        let selector: UInt32
        /// Chain keys by address.
        let chainKeys: [Address: ChainKey]
        /// Packet and chain keys by packet key.
        let nodes: [Bytes32: (packet: PacketKey, chain: ChainKey)]

        init(_ file: String) throws {
            let file = try Vectors.load(file)
            json = file.member("case")
            domain = json.fixed("domain_separator")
            selector = file.member("profile").hex("redeem_selector")
                .reduce(0) { $0 << 8 | UInt32($1) }
            var chainKeys: [Address: ChainKey] = [:]
            var nodes: [Bytes32: (packet: PacketKey, chain: ChainKey)] = [:]
            for node in json.list("nodes") {
                let chain = chainKey(node.fixed("chain_priv"))
                let packet = packetKey(node.fixed("offchain_seed"))
                chainKeys[chain.address] = chain
                nodes[packet.publicKey] = (packet, chain)
            }
            self.chainKeys = chainKeys
            self.nodes = nodes
        }

        /// Tickets of a journey, and the first one.
        func tickets(_ journey: [JSON], first: JSON) -> [JSON] {
            var tickets = [first]
            for step in journey {
                for name in ["ticket_in", "ticket_out"] {
                    if let ticket = step[name], ticket["raw"] != nil { tickets.append(ticket) }
                }
            }
            return tickets
        }
    }

    static func files() throws -> [String] { try Vectors.names(prefix: "packet-") }

    @Test(arguments: try files())
    func `every node's keys are what they should be`(file: String) throws {
        let packet = try Packet(file)
        for node in packet.json.list("nodes") {
            let keys = try #require(packet.nodes[node.fixed("offchain_pub")])
            #expect(keys.packet.scalar.array == node.hex("sphinx_scalar_le"))
            #expect(keys.chain.publicKey == node.fixed("chain_pub_compressed"))
            #expect(keys.chain.address == node.fixed("chain_address"))
        }
    }

    @Test(arguments: try files())
    func `every ticket on the way out and back agrees`(file: String) throws {
        let packet = try Packet(file)
        var tickets = packet.tickets(
            packet.json.list("journey"),
            first: packet.json.member("creation").member("ticket")
        )
        for reply in packet.json["replies"]?.elements ?? [] {
            tickets += packet.tickets(reply.list("journey"), first: reply.member("ticket"))
        }
        for ticket in tickets {
            let key = try #require(packet.chainKeys[ticket.fixed("issuer")])
            let wrong = checkTicket(
                ticket,
                domain: packet.domain,
                selector: packet.selector,
                issuer: key
            )
            #expect(wrong == [])
        }
    }

    @Test(arguments: try files())
    func `the sender's plan agrees with its proof values and strings`(file: String) throws {
        let packet = try Packet(file)
        let creation = packet.json.member("creation")
        let own = creation.list("own_keys").compactMap { Bytes32(hex: $0.text ?? "") }
        let ack = creation.list("ack_keys").compactMap { Bytes32(hex: $0.text ?? "") }
        let values: FixedBytes<54> = creation.member("por_values").fixed("raw")
        let strings = creation.list("por_strings").map { $0.fixed("raw") as FixedBytes<53> }
        var ownKeys = [4 of Bytes32](repeating: Bytes32())
        var ackKeys = [4 of Bytes32](repeating: Bytes32())
        for index in own.indices { ownKeys[index] = own[index] }
        for index in ack.indices { ackKeys[index] = ack[index] }
        // The last challenge is a random draw: it stands in the last string, or in the values.
        let last: Address
        if let string = strings.last {
            last = try #require(Address(string.array.prefix(20)))
        } else {
            last = ProofOfRelay.firstChallenge(values)
        }

        var plan = ProofPlan()
        let made = ProofOfRelay.plan(
            ownHalfKeys: ownKeys,
            ackHalfKeys: ackKeys,
            count: ack.count,
            lastChallenge: last,
            curve: .shared,
            into: &plan
        )
        #expect(made)
        #expect(plan.values == values)
        #expect(ProofOfRelay.pathLength(values) == ack.count)
        #expect(
            ProofOfRelay.acknowledgementChallenge(values)
                == creation.member("por_values").fixed("ack_challenge")
        )
        #expect(strings.count == ack.count - 1)
        for index in strings.indices {
            let string = plan.strings[index]
            #expect(string == strings[index])
        }
    }

    @Test(arguments: try files())
    func `a relay's challenge check passes for its own ticket only`(file: String) throws {
        let packet = try Packet(file)
        let bench = Bench(selector: packet.selector)
        var count = 0
        for step in packet.json.list("journey") where step["por_string"] != nil {
            bench.tickets[count] = try #require(Ticket(step.member("ticket_in").hex("raw")))
            bench.own[count] = step.fixed("own_key")
            bench.proofs[count] = step.fixed("por_string")
            count += 1
        }
        let lanes = LaneMask.first(count)
        let check = bench.lanes.checkChallenges(
            bench.tickets,
            ownHalfKeys: bench.own,
            proofs: bench.proofs,
            lanes: lanes
        )
        #expect(check.passed == lanes)
        #expect(check.hintInvalid == 0)

        for lane in 0..<count { bench.own[lane][31] ^= 1 }
        let spoilt = bench.lanes.checkChallenges(
            bench.tickets,
            ownHalfKeys: bench.own,
            proofs: bench.proofs,
            lanes: lanes
        )
        #expect(spoilt.passed == 0)
        #expect(spoilt.hintInvalid == 0)

        for lane in 0..<count { bench.proofs[lane][20] = 5 }
        let broken = bench.lanes.checkChallenges(
            bench.tickets,
            ownHalfKeys: bench.own,
            proofs: bench.proofs,
            lanes: lanes
        )
        #expect(broken.passed == 0)
        #expect(broken.hintInvalid == lanes)
    }

    @Test(arguments: try files())
    func `acknowledgements give responses and luck`(file: String) throws {
        let packet = try Packet(file)
        let journey = packet.json.list("journey")
        for (position, vector) in packet.json.list("acknowledgements").enumerated() {
            let signer: Bytes32 = vector.fixed("acknowledger")
            let halfKey: Bytes32 = vector.fixed("ack_key")
            let acknowledgement: Acknowledgement = vector.fixed("acknowledgement")
            let node = try #require(packet.nodes[signer])
            #expect(Acknowledgements.isSigned(acknowledgement, by: signer))
            #expect(Acknowledgements.make(halfKey: halfKey, key: node.packet) == acknowledgement)
            #expect(ProofOfRelay.hint(of: halfKey) == vector.fixed("ack_challenge"))
            let response = try #require(
                ProofOfRelay.response(own: vector.fixed("own_key"), ack: halfKey)
            )
            #expect(response == vector.fixed("response"))
            #expect(
                ProofOfRelay.opens(response, challenge: vector.fixed("response_challenge"))
            )

            let ticket = try #require(Ticket(journey[position].member("ticket_in").hex("raw")))
            let redeemer = try #require(packet.chainKeys[ticket.counterparty])
            let hash: Bytes32 = vector.fixed("ticket_hash")
            let value = VRF.value(key: redeemer, hash: hash, domain: packet.domain)
            #expect(value == vector.fixed("vrf_v_xy"))
            let luck = Luck.vrf(
                hash: hash,
                value: value,
                response: response,
                signature: ticket.signature
            )
            #expect(luck == vector.hex("luck56").reduce(0) { $0 << 8 | UInt64($1) })
            #expect(ticket.winProbability == vector.winProbability("win_prob"))
            #expect(ticket.winProbability.wins(luck) == vector["winning"]?.bool)
        }
    }
}
