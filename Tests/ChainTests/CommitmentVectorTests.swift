import Bytes
import Chain
import Crypto
import JSON
import LedgerSupport
import TestSupport
import Testing
import Tickets

/// The published known answers, paid out by the ledger: a voice that shares nothing with it.
@Suite struct CommitmentVectorTests {
    private struct Case {
        let issuer: Player
        let redeemer: Player
        let parameters: LedgerParameters
        let channelEpoch: Int
        let ticketEpoch: Int
        let vector: JSON

        init(_ vector: JSON) throws {
            self.vector = vector
            issuer = Player(chain: Player.key(vector.hex("issuer_chain_key")))
            redeemer = Player(chain: Player.key(vector.hex("redeemer_chain_key")))
            parameters = LedgerParameters(
                chainID: try #require(vector["chain_id"]?.unsigned),
                contract: try #require(Address(vector.hex("contract"))),
                noticeMillis: 0,
                supply: 1 << 100
            )
            channelEpoch = try #require(vector["channel_epoch"]?.integer)
            ticketEpoch = try #require(vector["ticket_epoch"]?.integer)
        }
    }

    /// A ledger whose channel has the vector's epochs.
    private func ledger(_ test: Case, _ commitment: Bytes32) -> InProcessLedger {
        let ledger = InProcessLedger(
            test.parameters,
            genesis: [(test.issuer.address, 1 << 90), (test.redeemer.address, 1)]
        )
        let domain = test.parameters.domain
        let destination = test.redeemer.address
        for epoch in 1...test.channelEpoch {
            ledger.ask(
                test.issuer.sign(.fund(destination: destination, amount: 1 << 80), domain)
            )
            if epoch == test.channelEpoch { break }
            ledger.ask(test.issuer.sign(.notice(destination: destination), domain))
            ledger.ask(test.issuer.sign(.close(destination: destination), domain))
        }
        for _ in 0..<test.ticketEpoch {
            ledger.ask(
                test.redeemer.sign(
                    .commit(source: test.issuer.address, commitment: commitment),
                    domain
                )
            )
        }
        return ledger
    }

    @Test func `all winners are paid and nothing else`() throws {
        let cases = try Vectors.load("hopr/commitment.json").list("cases").map { try Case($0) }
        #expect(cases.count == 3)
        // The third case has the last channel epoch there is; its twenty tickets all lose.
        for test in cases where test.channelEpoch < 100 {
            let chain = openings(
                test.redeemer.chain,
                test.parameters,
                TicketDomain.channelID(
                    source: test.issuer.address,
                    destination: test.redeemer.address
                ),
                channelEpoch: UInt32(test.channelEpoch),
                ticketEpoch: UInt32(test.ticketEpoch)
            )
            let ledger = ledger(test, chain.commitment)
            #expect(test.parameters.domain.array == test.vector.hex("domain_separator"))
            for ticket in test.vector.list("tickets_in_index_order") {
                let response = try #require(Bytes32(ticket.hex("response")))
                let bytes = try #require(FixedBytes<132>(ticket.hex("ticket")))
                let receipt = ledger.ask(
                    test.redeemer.sign(
                        .redeem(
                            source: test.issuer.address,
                            tickets: [
                                Redemption(
                                    ticket: bytes,
                                    response: response,
                                    proof: ticket.hex("opening")
                                )
                            ]
                        ),
                        test.parameters.domain
                    )
                )
                let wins = ticket["wins"]?.bool == true
                #expect(receipt.refusal == (wins ? nil : .ticketLoses))
            }
            let end = try #require(test.vector["after_redeeming_all_winners"])
            let channel = ledger.ledger.channel(
                from: test.issuer.address,
                to: test.redeemer.address
            )
            #expect(channel.ticketIndex == end["ticket_index"]?.unsigned)
            #expect(channel.commitment.array == end.hex("commitment"))
            let paid = (UInt128(1) << 80) - channel.balance
            #expect("\(paid)" == end["paid"]?.text)
        }
    }
}
