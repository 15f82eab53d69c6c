import Bytes
import Crypto
import JSON
import TestSupport
import Testing
import Tickets

/// Tickets that HOPR's contract itself, in a real EVM, judged and paid.
@Suite struct EVMVectorTests {
    /// Hex with or without `0x`, and with leading zeros left out, as the EVM tools print numbers.
    static func number<let n: Int>(_ json: JSON, _ name: String) -> FixedBytes<n> {
        var digits = json[name]?.text ?? ""
        if digits.hasPrefix("0x") { digits.removeFirst(2) }
        digits = String(repeating: "0", count: max(0, 2 * n - digits.count)) + digits
        guard let value = FixedBytes<n>(hex: digits.lowercased()) else {
            fatalError("member \(name) is no number of \(n) bytes")
        }
        return value
    }

    let file: JSON
    let domain: Bytes32
    let channelID: Bytes32
    let issuer: Address
    let redeemer: Address

    init() throws {
        file = try Vectors.load("evm/hopr_vectors.json")
        issuer = Self.number(file, "issuer")
        redeemer = Self.number(file, "redeemer")
        channelID = TicketDomain.channelID(source: issuer, destination: redeemer)
        domain = TicketDomain.separator(
            chainID: file.number("chainId"),
            contract: Self.number(file.member("addresses"), "channels")
        )
    }

    @Test func `the contract has our domain separator and channel id`() {
        #expect(domain == file.fixed("domainSeparator"))
        #expect(channelID == file.fixed("channelId"))
    }

    @Test func `the contract's tickets hash, recover, draw and win alike`() throws {
        for vector in file.list("ticketVectors") {
            let response: Bytes32 = Self.number(vector, "porSecret")
            let point = try #require(
                ProofOfRelay.hint(of: response).flatMap { CurvePoint(compressed: $0) }
            )
            let winBytes: FixedBytes<7> = Self.number(vector, "winProb")
            var ticket = Ticket(
                counterparty: redeemer,
                amount: vector.amount("amount"),
                index: vector.number("index"),
                channelEpoch: UInt32(vector.number("epoch")),
                winProbability: WinProbability(
                    rawValue: winBytes.array.reduce(0) { $0 << 8 | UInt64($1) }
                ),
                challenge: point.address
            )
            ticket.signature = try #require(
                Bytes64(vector.hex("r") + vector.hex("vs"))
            )
            let hash = ticket.hash(
                channelID: channelID,
                domain: domain,
                selector: v4Selector
            )
            #expect(hash == vector.fixed("ticketHash"))
            #expect(
                ticket.isSigned(
                    by: issuer,
                    channelID: channelID,
                    domain: domain,
                    selector: v4Selector
                )
            )

            let vrf = vector.member("vrf")
            let value = try #require(
                Bytes64(
                    (Self.number(vrf, "vx") as Bytes32).array
                        + (Self.number(vrf, "vy") as Bytes32).array
                )
            )
            let luck = Luck.vrf(
                hash: hash,
                value: value,
                response: response,
                signature: ticket.signature
            )
            let expected: FixedBytes<7> = Self.number(vector, "luck")
            #expect(luck == expected.array.reduce(0) { $0 << 8 | UInt64($1) })
            #expect(ticket.winProbability.wins(luck) == vector["win"]?.bool)
        }
    }
}
