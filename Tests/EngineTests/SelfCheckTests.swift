import Bytes
import Crypto
import Exchange
import Sphinx
import TestSupport
import Testing
import Tickets

@testable import Engine

/// How tickets are signed, and whether they are verified before they leave.
@Suite struct SelfCheckTests {
    private static func world(_ name: String, _ nonces: NonceRule, checks: Bool) -> World {
        World(name, seed: 5) {
            $0.nonces = nonces
            $0.checksOwnTickets = checks
        }
    }

    /// The tickets in what a node forwarded.
    private func tickets(_ result: TestNode.Result, _ geometry: Geometry) -> [Ticket] {
        (0..<result.packets.count).compactMap { lane in
            guard result.outcome.forwarded.contains(lane) else { return nil }
            let bytes = result.packets[lane][geometry.ticketOffset...].prefix(Ticket.byteCount)
            return Ticket(Array(bytes))
        }
    }

    private func batch(_ world: World) -> [(bytes: [UInt8], from: UInt32)] {
        (0..<20).map { place in
            (world.packet(World.Recipe(place % 3 == 0 ? [1, 2] : [1, 2, 3])), UInt32(100))
        }
    }

    @Test func `with both switches on packets go their whole way, and signatures differ`() throws {
        let worlds = (0..<2).map { Self.world("both \($0)", .hedged, checks: true) }
        for (other, world) in worlds.enumerated() where other == 1 {
            let seed = Memory(bytes: 32, of: 9)
            withExtendedLifetime(seed) { world.nodes[1].engine.mix(seed: seed.region) }
        }
        let packets = batch(worlds[0])
        let results = worlds.map { $0.nodes[1].process(packets) }
        for (world, result) in zip(worlds, results) {
            #expect(result.verdicts.allSatisfy { $0 == .none })
            #expect(result.outcome.forwarded == .first(20))
            #expect(world.nodes[1].count(Counter.forwarded) == 20)
            #expect(world.nodes[1].count(Counter.ticketsIssued) == 13)
            #expect(world.nodes[1].count(Counter.selfChecksFailed) == 0)
            let next = world.nodes[2].process(result.packets.map { ($0, UInt32(101)) })
            #expect(next.verdicts.allSatisfy { $0 == .none })
        }
        let pair = results.map { tickets($0, worlds[0].geometry) }
        for (first, second) in zip(pair[0], pair[1]) {
            var unsigned = (first, second)
            (unsigned.0.signature, unsigned.1.signature) = (Bytes64(), Bytes64())
            #expect(unsigned.0 == unsigned.1)
            #expect(first.signature != second.signature)
        }
        let acks = worlds[0].nodes[1].ackPacket(to: 100, [results[0].ackKeys[0]])
        #expect(acks.count == worlds[0].geometry.packetBytes)
    }

    @Test func `the self-check changes nothing in deterministic tickets`() {
        let worlds = [false, true].map { Self.world("same", .rfc6979, checks: $0) }
        let packets = batch(worlds[0])
        let results = worlds.map { $0.nodes[1].process(packets) }
        #expect(results[0].packets == results[1].packets)
        #expect(results[0].outcome.forwarded == results[1].outcome.forwarded)
    }

    @Test func `a ticket that a fault has spoilt does not leave`() {
        let world = Self.world("fault", .hedged, checks: true)
        let relay = world.nodes[1]
        let good = relay.process(batch(world))
        #expect(good.outcome.forwarded == .first(20))
        // A bit of the key flips in the workers' memory; the table is of the right one.
        relay.builder.chainKey[7] ^= 4
        relay.rebuild()
        let bad = relay.process(batch(world), now: 2_000)
        #expect(bad.outcome.forwarded == 0)
        #expect(bad.verdicts.allSatisfy { $0 == .ticketSelfCheck })
        #expect(relay.count(Drop.ticketSelfCheck) == 20)
        #expect(relay.count(Counter.selfChecksFailed) == 20)
        #expect(relay.count(Counter.forwarded) == 20)
        // What was accepted is acknowledged.
        #expect(bad.outcome.acknowledge == .first(20))
    }

    @Test func `of a batch with one damaged signature only that one is found`() {
        let world = Self.world("one", .rfc6979, checks: true)
        let relay = world.nodes[1]
        var lanes: LaneMask = .first(9)
        for lane in 0..<9 {
            relay.engine.lanes.issued[lane] = Ticket.zeroHop(
                to: world.nodes[2].chainKey.address,
                challenge: Address()
            )
            relay.engine.lanes.channelID[lane] = Bytes32()
            relay.engine.lanes.domain[lane] = Bytes32()
        }
        #expect(relay.engine.signIssued(lanes, relay.snapshot) == lanes)
        relay.engine.lanes.issued[4].signature[40] ^= 1
        lanes &= ~(1 << 4)
        #expect(relay.engine.verifyIssued(.first(9), relay.snapshot) == lanes)
    }

    @Test func `a key that is not the node's signs no acknowledgement packet`() {
        let world = Self.world("acks", .rfc6979, checks: true)
        let relay = world.nodes[1]
        relay.builder.chainKey = world.nodes[2].chainKey.secretScalar.load(0)
        relay.rebuild()
        let packet = Memory(world.geometry.packetBytes)
        let keys = Memory(32)
        keys.region.fill(3)
        let made = relay.engine.makeAckPacket(
            to: relay.snapshot.node(keyID: 100),
            halfKeys: keys.region.column(0, count: 1),
            count: 1,
            packet: packet.region,
            snapshot: relay.snapshot
        )
        #expect(!made)
        #expect(relay.count(Counter.ackPacketsOut) == 0)
        #expect(relay.count(Counter.selfChecksFailed) == 1)
    }
}

extension Memory {
    fileprivate convenience init(bytes: Int, of value: UInt8) {
        self.init(bytes)
        region.fill(value)
    }
}
