import Bytes
import Crypto
import JSON
import TestSupport
import Tickets

extension JSON {
    /// A hex member of exactly `n` bytes.
    func fixed<let n: Int>(_ name: String) -> FixedBytes<n> {
        guard let bytes = FixedBytes<n>(hex(name)) else {
            fatalError("member \(name) does not have \(n) bytes")
        }
        return bytes
    }

    func amount(_ name: String) -> UInt128 {
        guard let text = self[name]?.text, let amount = UInt128(text) else {
            fatalError("member \(name) is no amount")
        }
        return amount
    }

    func number(_ name: String) -> UInt64 {
        guard let number = self[name]?.unsigned else { fatalError("member \(name) is no number") }
        return number
    }

    func member(_ name: String) -> JSON {
        guard let value = self[name] else { fatalError("no member \(name)") }
        return value
    }

    func winProbability(_ name: String) -> WinProbability {
        WinProbability(rawValue: hex(name).reduce(0) { $0 << 8 | UInt64($1) })
    }
}

func chainKey(_ bytes: Bytes32) -> ChainKey {
    var bytes = bytes
    guard let key = bytes.withRegion({ ChainKey(secret: $0) }) else { fatalError("no key") }
    return key
}

func packetKey(_ bytes: Bytes32) -> PacketKey {
    var bytes = bytes
    return bytes.withRegion { PacketKey(seed: $0) }
}

extension SeededGenerator {
    mutating func fixed<let n: Int>() -> FixedBytes<n> {
        var result = FixedBytes<n>()
        for index in 0..<n { result[index] = UInt8(truncatingIfNeeded: next()) }
        return result
    }

    mutating func key() -> ChainKey { chainKey(fixed()) }

    mutating func ticket(to counterparty: Address) -> Ticket {
        Ticket(
            counterparty: counterparty,
            amount: UInt128(next() >> 1),
            index: next() >> 16,
            channelEpoch: UInt32(next() >> 40),
            winProbability: WinProbability(rawValue: next()),
            challenge: fixed()
        )
    }
}

/// What must be there for the test to make sense.
func must<T>(_ value: T?) -> T {
    guard let value else { fatalError("the test's own data is wrong") }
    return value
}

/// Of HOPR's present contract.
let headSelector: UInt32 = 0xeb13_eb11
/// Of the contract before.
let v4Selector: UInt32 = 0x65e3_fa72

/// Memory, columns and lanes for one batch.
final class Bench {
    let memory: Memory
    let lanes: TicketLanes
    let tickets: Column<Ticket>
    let channelIDs: Column<Bytes32>
    let domains: Column<Bytes32>
    let hashes: Column<Bytes32>
    let issuers: Column<Address>
    let own: Column<Bytes32>
    let proofs: Column<FixedBytes<53>>
    let acknowledgements: Column<Acknowledgement>
    let hints: Column<Bytes33>
    let responses: Column<Bytes32>

    init(selector: UInt32 = headSelector) {
        memory = Memory(1 << 18)
        var arena = Arena(memory.region)
        let curve = Secp256k1(in: arena.region(Secp256k1.byteCount))
        var seed = Random.bytes32()
        seed.withRegion { curve.randomise(seed: $0) }
        lanes = TicketLanes(&arena, curve: curve, selector: selector)
        let count = Batch.capacity
        tickets = arena.column(Ticket.self, count)
        channelIDs = arena.column(Bytes32.self, count)
        domains = arena.column(Bytes32.self, count)
        hashes = arena.column(Bytes32.self, count)
        issuers = arena.column(Address.self, count)
        own = arena.column(Bytes32.self, count)
        proofs = arena.column(FixedBytes<53>.self, count)
        acknowledgements = arena.column(Acknowledgement.self, count)
        hints = arena.column(Bytes33.self, count)
        responses = arena.column(Bytes32.self, count)
    }

    func hash(_ lanes: LaneMask) {
        self.lanes.hash(
            tickets,
            channelIDs: channelIDs,
            domains: domains,
            lanes: lanes,
            into: hashes
        )
    }

    func verify(_ lanes: LaneMask) -> LaneMask {
        hash(lanes)
        return self.lanes.recoverVariableTime(
            tickets,
            hashes: hashes,
            issuers: issuers,
            lanes: lanes
        )
    }
}

/// Checks a ticket object of a vector file: parsing, writing, hash, signer, signature.
func checkTicket(
    _ json: JSON,
    domain: Bytes32,
    selector: UInt32,
    issuer key: ChainKey?
) -> [String] {
    var wrong: [String] = []
    let raw: FixedBytes<132> = json.fixed("raw")
    guard let ticket = Ticket(raw.array) else { return ["does not parse"] }
    if ticket.bytes != raw { wrong.append("written differently") }
    if ticket.counterparty != json.fixed("counterparty") { wrong.append("counterparty") }
    if ticket.amount != json.amount("amount") { wrong.append("amount") }
    if ticket.index != json.number("index") { wrong.append("index") }
    if UInt64(ticket.channelEpoch) != json.number("channel_epoch") { wrong.append("epoch") }
    if ticket.winProbability != json.winProbability("win_prob") { wrong.append("probability") }
    if ticket.challenge != json.fixed("challenge") { wrong.append("challenge") }
    if ticket.signature != json.fixed("signature") { wrong.append("signature") }
    let issuer: Address = json.fixed("issuer")
    let channelID = TicketDomain.channelID(source: issuer, destination: ticket.counterparty)
    if channelID != json.fixed("channel_id") { wrong.append("channel id") }
    let hash = ticket.hash(channelID: channelID, domain: domain, selector: selector)
    if hash != json.fixed("ticket_hash") { wrong.append("hash") }
    if !ticket.isSigned(by: issuer, channelID: channelID, domain: domain, selector: selector) {
        wrong.append("signer")
    }
    if let key {
        if key.address != issuer { wrong.append("issuer address") }
        var again = ticket
        again.signature = Bytes64()
        again.sign(key: key, channelID: channelID, domain: domain, selector: selector)
        if again != ticket { wrong.append("signed differently") }
    }
    return wrong
}

/// `count` lanes of a mask.
func randomMask(_ random: inout SeededGenerator, count: Int = 64) -> LaneMask {
    random.next() & LaneMask.first(count)
}
