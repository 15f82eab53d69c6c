import Bytes
import Crypto
import JSON
import TestSupport
import Testing
import Tickets

/// One case of `commitment.json`.
private struct Case {
    let vector: JSON
    let issuer: ChainKey
    let redeemer: ChainKey
    let channelID: Bytes32
    let domain: Bytes32
    let selector: UInt32

    init(_ position: Int) throws {
        vector = try Vectors.load("hopr/commitment.json").list("cases")[position]
        issuer = chainKey(vector.fixed("issuer_chain_key"))
        redeemer = chainKey(vector.fixed("redeemer_chain_key"))
        channelID = TicketDomain.channelID(
            source: issuer.address,
            destination: redeemer.address
        )
        domain = TicketDomain.separator(
            chainID: vector.number("chain_id"),
            contract: vector.fixed("contract")
        )
        selector = vector.hex("selector").reduce(0) { $0 << 8 | UInt32($1) }
    }

    var ticketEpoch: UInt32 { UInt32(vector.number("ticket_epoch")) }

    var epochDomain: Bytes32 {
        TicketDomain.separator(domain, rule: .commitment, ticketEpoch: ticketEpoch)
    }

    var seed: SecretBytes {
        CommitmentChain.seed(
            key: redeemer,
            chainID: vector.number("chain_id"),
            contract: vector.fixed("contract"),
            channelID: channelID,
            channelEpoch: UInt32(vector.number("channel_epoch")),
            ticketEpoch: ticketEpoch
        )
    }

    /// Checks what does not depend on luck.
    func check(_ ticket: Ticket, _ entry: JSON) -> (hash: Bytes32, response: Bytes32) {
        #expect(ticket.index == entry.number("index"))
        #expect(ticket.winProbability == vector.winProbability("win_prob"))
        let hash = ticket.hash(channelID: channelID, domain: epochDomain, selector: selector)
        #expect(hash == entry.fixed("ticket_hash"))
        #expect(Secp256k1.signer(hash: hash, signature: ticket.signature) == issuer.address)
        #expect(issuer.sign(hash: hash) == ticket.signature)
        let response = must(
            ProofOfRelay.response(
                own: entry.fixed("own_half_key"),
                ack: entry.fixed("ack_half_key")
            )
        )
        #expect(response == entry.fixed("response"))
        #expect(ProofOfRelay.opens(response, challenge: ticket.challenge))
        return (hash, response)
    }
}

@Suite struct CommitmentVectorTests {
    @Test(arguments: 0..<3)
    func `keys, domains, seed and chain agree`(position: Int) throws {
        let this = try Case(position)
        let vector = this.vector
        #expect(this.issuer.address == vector.fixed("issuer"))
        #expect(this.redeemer.address == vector.fixed("redeemer"))
        #expect(this.channelID == vector.fixed("channel_id"))
        #expect(this.domain == vector.fixed("domain_separator"))
        #expect(this.epochDomain == vector.fixed("domain_separator_with_ticket_epoch"))
        let plain = TicketDomain.separator(this.domain, rule: .vrf, ticketEpoch: this.ticketEpoch)
        #expect(plain == this.domain)
        #expect(this.seed.bytes == vector.hex("commitment_seed"))
        #expect(vector.number("iterations") == UInt64(CommitmentChain.iterations))

        let chain = CommitmentChain(seed: this.seed)
        while !chain.advance(by: 777) {}
        for member in try #require(vector.member("chain").members) {
            let value = try #require(Bytes32(hex: member.value.text ?? ""))
            let position = try #require(Int(member.name))
            #expect(chain.value(at: position) == value)
            #expect(chain.locate(value) == position)
        }
    }

    @Test(arguments: 0..<3)
    func `tickets in index order, their luck and the channel afterwards agree`(
        position: Int
    ) throws {
        let this = try Case(position)
        let chain = CommitmentChain.build(seed: this.seed)
        var nextPosition = CommitmentChain.iterations
        var ticketIndex: UInt64 = 0
        var paid: UInt128 = 0
        for entry in this.vector.list("tickets_in_index_order") {
            let ticket = try #require(Ticket(entry.hex("ticket")))
            let (hash, response) = this.check(ticket, entry)
            let opening = try #require(chain.opening(nextPosition: nextPosition))
            #expect(UInt64(nextPosition - 1) == entry.number("opening_position"))
            #expect(opening == entry.fixed("opening"))
            let luck = Luck.commitment(
                hash: hash,
                opening: opening,
                response: response,
                signature: ticket.signature
            )
            #expect(luck == entry.hex("luck").reduce(0) { $0 << 8 | UInt64($1) })
            let wins = ticket.winProbability.wins(luck)
            #expect(wins == entry["wins"]?.bool)
            guard wins else { continue }
            nextPosition -= 1
            ticketIndex = ticket.index + 1
            paid += ticket.amount
        }
        let after = this.vector.member("after_redeeming_all_winners")
        #expect(ticketIndex == after.number("ticket_index"))
        #expect(chain.value(at: nextPosition) == after.fixed("commitment"))
        #expect(paid == after.amount("paid"))
    }

    @Test func `a chain finds its values and no others, and ends`() throws {
        var random = SeededGenerator("chain", seed: 7)
        let chain = CommitmentChain.build(seed: SecretBytes(random.bytes(32)))
        for position in [0, 1, 315, 316, 99_855, 99_856, 99_857, 99_999, 100_000] {
            #expect(chain.locate(chain.value(at: position)) == position)
        }
        for _ in 0..<50 {
            let position = Int(random.next() % 100_001)
            let value = chain.value(at: position)
            #expect(chain.locate(value) == position)
            if position > 0 {
                #expect(Hash.keccak256(chain.value(at: position - 1).array) == value)
            }
        }
        #expect(chain.locate(random.fixed()) == nil)
        #expect(chain.locate(Hash.keccak256(chain.commitment.array)) == nil)
        #expect(chain.opening(nextPosition: 0) == nil)
        #expect(chain.opening(nextPosition: 1) == chain.value(at: 0))
        #expect(
            chain.opening(nextPosition: CommitmentChain.iterations)
                == chain.value(at: CommitmentChain.iterations - 1)
        )
    }

    @Test func `every part of a channel's identity changes the seed`() {
        var random = SeededGenerator("seed", seed: 8)
        let (key, other) = (random.key(), random.key())
        let contract: Address = random.fixed()
        let channel: Bytes32 = random.fixed()
        func seed(
            key used: ChainKey? = nil,
            chain: UInt64 = 1,
            contract at: Address? = nil,
            channel id: Bytes32? = nil,
            channelEpoch: UInt32 = 1,
            ticketEpoch: UInt32 = 1
        ) -> [UInt8] {
            CommitmentChain.seed(
                key: used ?? key,
                chainID: chain,
                contract: at ?? contract,
                channelID: id ?? channel,
                channelEpoch: channelEpoch,
                ticketEpoch: ticketEpoch
            ).bytes
        }
        let all = [
            seed(), seed(key: other), seed(chain: 2), seed(contract: random.fixed()),
            seed(channel: random.fixed()), seed(channelEpoch: 2), seed(ticketEpoch: 2),
        ]
        #expect(Set(all).count == all.count)
        #expect(seed() == all[0])
    }
}
