import Bytes
import Chain
import Channels
import Crypto
import Exchange
import Gateway
import Sphinx
import Synchronization
import TestSupport
import Testing
import Tickets

@testable import Node

/// A worker's command ring with both its ends.
private final class Ring: Sendable {
    private let memory = Memory(RecordRing.byteCount(capacity: 1 << 16))
    private let ends: Mutex<(writer: CommandWriter, reader: CommandReader)>

    init() { ends = Mutex((CommandWriter(memory.region), CommandReader(memory.region))) }

    func write(_ write: (inout CommandWriter) -> Bool) -> Bool {
        ends.withLock { write(&$0.writer) }
    }

    /// What was posted since the last time: neighbours, and the tickets for them.
    func take(_ geometry: Geometry) -> [(keyID: UInt32, ticket: Ticket?)] {
        ends.withLock { ends in
            var taken: [(keyID: UInt32, ticket: Ticket?)] = []
            while let command = ends.reader.next() {
                let bytes = command.packet.slice(geometry.ticketOffset, Ticket.byteCount).array
                taken.append((command.keyID, Ticket(bytes)))
                ends.reader.release()
            }
            return taken
        }
    }
}

/// A sender with a channel to the first of two nodes, its postbox, and the worker behind it.
private final class Rig {
    let geometry = Geometry.head
    let key = ChainKey.random()
    let nodes = (0..<2).map { _ in (chain: ChainKey.random(), packet: PacketKey.random()) }
    let parameters = LedgerParameters(chainID: 5, contract: Address(), supply: 1_000)
    let ring = Ring()
    let channel: ChannelRow
    let books: ChannelBooks
    let postbox: Postbox
    private let memory = Memory(ChannelBooks.byteCount(slots: 1))

    init(_ nonces: NonceRule = .rfc6979, checks: Bool = true) {
        books = ChannelBooks(memory.region, slots: 1)
        books.raiseIndexLimit(0, to: 1_000)
        channel = ChannelRow(
            direction: .outgoing,
            peer: nodes[0].chain.address,
            channelID: TicketDomain.channelID(
                source: key.address,
                destination: nodes[0].chain.address
            ),
            domain: TicketDomain.separator(parameters.domain, ticketEpoch: 2),
            channelEpoch: 1,
            ticketEpoch: 2,
            status: .open,
            rule: .commitment,
            balance: 1_000
        )
        var world = World()
        world.channels[0] = channel
        world.nodes = nodes.enumerated().map { place, node in
            NodeRow(
                keyID: UInt32(place + 2),
                packetKey: node.packet.publicKey,
                chainAddress: node.chain.address,
                endpoint: Endpoint(ipv4: 127, 0, 0, 1, port: 1)
            )
        }
        let ring = ring
        postbox = Postbox(
            geometry: geometry,
            identity: ChannelIdentity(key: key, parameters: parameters),
            books: books,
            price: 10,
            winProbability: .always,
            nonces: nonces,
            checksTickets: checks,
            world: world,
            command: { ring.write($1) }
        )
    }

    /// A packet over the first node, or that ends there.
    func packet(relays: Int) throws -> PacketFactory.Made {
        var path = PathNodes()
        for place in 0...relays {
            _ = path.append(
                keyID: UInt32(place + 2),
                publicKey: nodes[place].packet.publicKey
            )
        }
        let request = PacketFactory.Request(pseudonym: nil, forward: path, text: [1])
        return try PacketFactory(geometry: geometry).message(request) { Random.bytes($0) }
    }

    /// A bit of the key in memory flips, or flips back; the address is remembered elsewhere.
    func flipKeyBit() {
        key.withSecretScalar { $0.store($0.byte(7) ^ 4, 7) }
    }

    /// The tickets that were posted.
    func tickets() throws -> [Ticket] {
        try ring.take(geometry).map { keyID, ticket in
            #expect(keyID == 2)
            return try #require(ticket)
        }
    }

    func isGood(_ ticket: Ticket, relays: Int) -> Bool {
        ticket.isSigned(
            by: key.address,
            channelID: channel.channelID,
            domain: relays == 0 ? parameters.domain : channel.domain,
            selector: geometry.ticketSelector
        )
    }

    /// A gateway's thread that sends one message over the first node to the second, and ends.
    func sendMessage() throws -> GatewayCounts {
        let desk = try GatewayDesk()
        let outlet = Outlet()
        outlet.connect(postbox)
        let register =
            [(key.address, PacketKey.random().publicKey)]
            + nodes.map { ($0.chain.address, $0.packet.publicKey) }
        let relay = nodes[0].chain.address
        let exit = nodes[1].chain.address
        desk.update(
            PathFinder(view(register, channels: [(key.address, relay), (exit, relay)]))
        )
        var loop = GatewayLoop(
            desk: desk,
            out: outlet,
            geometry: geometry,
            ourselves: key.address,
            setup: EntrySetup(target: "127.0.0.1:9", exit: exit, hops: 1, limits: Limits()),
            listener: nil,
            limits: Limits()
        )
        var rounds = 0
        loop.run(
            stopped: {
                rounds += 1
                return rounds > 1
            },
            message: [1, 2, 3]
        )
        return desk.counts
    }
}

/// The self-check of tickets that the gateway issues.
@Suite struct PostboxTests {
    @Test(arguments: NonceRule.allCases, [0, 1])
    func `a good ticket passes the self-check`(nonces: NonceRule, relays: Int) throws {
        let rig = Rig(nonces)
        for sent in 1...3 {
            try rig.postbox.post(rig.packet(relays: relays))
            let tickets = try rig.tickets()
            #expect(tickets.count == 1)
            #expect(tickets.allSatisfy { rig.isGood($0, relays: relays) })
            #expect(tickets.first?.amount == (relays == 0 ? 0 : 10))
            #expect(rig.books.nextIndex(0) == (relays == 0 ? 0 : UInt64(sent)))
        }
    }

    @Test(arguments: NonceRule.allCases, [0, 1])
    func `a ticket that a fault has spoilt is not sent`(nonces: NonceRule, relays: Int) throws {
        let rig = Rig(nonces)
        rig.flipKeyBit()
        let spoilt = try rig.packet(relays: relays)
        #expect(throws: Postbox.Fault.selfCheck) { try rig.postbox.post(spoilt) }
        #expect(try rig.tickets().isEmpty)
        rig.flipKeyBit()
        // The same packet again: its ticket has an index of its own.
        try rig.postbox.post(spoilt)
        let tickets = try rig.tickets()
        #expect(tickets.map(\.index) == [relays == 0 ? 0 : 1])
        #expect(tickets.allSatisfy { rig.isGood($0, relays: relays) })
        #expect(rig.books.nextIndex(0) == (relays == 0 ? 0 : 2))
    }

    @Test(arguments: [0, 1]) func `without the self-check it leaves`(relays: Int) throws {
        let rig = Rig(checks: false)
        rig.flipKeyBit()
        try rig.postbox.post(rig.packet(relays: relays))
        let tickets = try rig.tickets()
        #expect(tickets.map { rig.isGood($0, relays: relays) } == [false])
    }

    @Test(arguments: NonceRule.allCases)
    func `nonces are as they were asked for`(nonces: NonceRule) throws {
        let rig = Rig(nonces)
        let packet = try rig.packet(relays: 0)
        for _ in 0..<2 { try rig.postbox.post(packet) }
        let tickets = try rig.tickets()
        #expect(tickets.count == 2)
        #expect(Set(tickets.map(\.signature)).count == (nonces == .hedged ? 2 : 1))
    }

    @Test func `the gateway counts each packet whose ticket is spoilt`() throws {
        let rig = Rig()
        let good = try rig.sendMessage()
        let sent = try rig.tickets().count
        #expect(sent > 0 && good.unposted == 0 && good.drops.isEmpty)
        rig.flipKeyBit()
        let bad = try rig.sendMessage()
        #expect(try rig.tickets().isEmpty)
        #expect(bad.unposted == UInt64(sent))
        #expect(bad.drops == [.ticketSelfCheck: UInt64(sent)])
        #expect(rig.books.nextIndex(0) == UInt64(2 * sent))
        #expect(WorkerSums([]).selfChecksFailed(bad.drops) == UInt64(sent))
    }
}
