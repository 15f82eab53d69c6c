import Bytes
import Crypto
import Exchange
import Sphinx
import TestSupport
import Testing
import Tickets

@testable import Engine

/// The way back: one test for each check of an acknowledgement, expiry, other workers, keys that
/// change.
@Suite struct AckTests {
    let world = World("acks")
    var relay: TestNode { world.nodes[1] }

    /// Forwards one packet to node 2; the key that acknowledges it.
    private func forward(now: UInt64 = 1_000) -> Bytes32 {
        let relayed = relay.process(world.packet(World.Recipe([1, 2, 3])), from: 100, now: now)
        #expect(relayed.verdicts[0] == .none)
        let next = world.nodes[2].process(relayed.packets[0], from: 101, now: now)
        #expect(next.outcome.acknowledge == 1)
        _ = relay.drain()
        return next.ackKeys[0]
    }

    /// The acknowledgement, made with a node's packet key.
    private func ack(_ key: Bytes32, by node: Int) -> FixedBytes<96> {
        var (key, bytes) = (key, FixedBytes<96>())
        key.withRegion { key in
            bytes.withRegion {
                Acknowledgements.make(
                    halfKey: key,
                    signingKey: world.nodes[node].packetKey.signingKey,
                    into: $0
                )
            }
        }
        return bytes
    }

    private func give(_ bytes: FixedBytes<96>, from node: Int, now: UInt64 = 2_000) {
        let memory = Memory(96)
        var arena = Arena(memory.region)
        let column = arena.column(FixedBytes<96>.self, 1)
        column[0] = bytes
        relay.engine.acknowledge(
            column,
            from: relay.snapshot.node(keyID: UInt32(100 + node)),
            snapshot: relay.snapshot,
            nowNanos: now
        )
    }

    private func expectRefused(_ code: Drop, _ bytes: FixedBytes<96>, from node: Int) {
        let (awaited, counted) = (relay.engine.awaited, relay.count(code))
        give(bytes, from: node)
        #expect(relay.count(code) == counted + 1)
        collect(bytes, from: node)
        takeCollected()
        #expect(relay.count(code) == counted + 2)
        #expect(relay.engine.awaited == awaited && relay.drain().isEmpty)
    }

    private func collect(_ bytes: FixedBytes<96>, from node: Int) {
        relay.engine.collect(
            bytes,
            from: relay.snapshot.node(keyID: UInt32(100 + node)),
            snapshot: relay.snapshot,
            nowNanos: 2_000
        )
    }

    private func takeCollected() {
        relay.engine.takeCollected(snapshot: relay.snapshot, nowNanos: 2_000)
    }

    @Test func `acknowledgements outside packets are taken together, each from its neighbour`() {
        let keys = (0..<40).map { _ in forward() }
        let relayed = relay.process(world.packet(World.Recipe([1, 3])), from: 100)
        let third = world.nodes[3].process(relayed.packets[0], from: 101).ackKeys[0]
        _ = relay.drain()
        for key in keys {
            collect(ack(key, by: 2), from: 2)
            collect(ack(Bytes32(), by: 2), from: 2)
        }
        // The desk was full once; what is left waits.
        #expect(relay.drain().count == 32)
        collect(ack(third, by: 3), from: 3)
        takeCollected()
        #expect(relay.drain().count == 9 && relay.engine.awaited == 0)
        #expect(relay.count(.ticketsUnlocked) == 41 && relay.count(.ackScalar) == 40)
        takeCollected()
        #expect(relay.drain().isEmpty)
    }

    @Test func `an acknowledgement outside packets, from nobody, is unexpected`() {
        _ = forward()
        relay.engine.collect(
            FixedBytes<96>(),
            from: Snapshot.none,
            snapshot: relay.snapshot,
            nowNanos: 2_000
        )
        takeCollected()
        #expect(relay.count(.ackUnexpected) == 1)
    }

    @Test func `ackUnexpected`() {
        expectRefused(.ackUnexpected, ack(Bytes32(), by: 2), from: 2)
    }

    @Test func `ackSignature`() {
        let key = forward()
        expectRefused(.ackSignature, ack(key, by: 3), from: 2)
        var bent = ack(key, by: 2)
        bent[95] ^= 0x80
        expectRefused(.ackSignature, bent, from: 2)
        give(ack(key, by: 2), from: 2)
        #expect(relay.count(.ticketsUnlocked) == 1)
    }

    @Test func `ackScalar`() throws {
        _ = forward()
        expectRefused(.ackScalar, ack(Bytes32(), by: 2), from: 2)
        let order = try #require(
            Bytes32(hex: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
        )
        expectRefused(.ackScalar, ack(order, by: 2), from: 2)
    }

    @Test func `ackUnknown`() {
        var key = forward()
        key[31] ^= 1
        expectRefused(.ackUnknown, ack(key, by: 2), from: 2)
    }

    @Test func `ackUnknown for one that was taken`() {
        let (first, _) = (forward(), forward())
        give(ack(first, by: 2), from: 2)
        #expect(relay.drain().count == 1)
        expectRefused(.ackUnknown, ack(first, by: 2), from: 2)
    }

    @Test func `ackWrongPeer`() {
        let key = forward()
        // Something must be awaited from node 3 too, or its acknowledgement is not even looked at.
        _ = relay.process(world.packet(World.Recipe([1, 3])), from: 100)
        _ = relay.drain()
        expectRefused(.ackWrongPeer, ack(key, by: 3), from: 3)
        give(ack(key, by: 2), from: 2)
        #expect(relay.drain().count == 1)
    }

    @Test func `ackResponse`() {
        var world = World("recheck") { $0.rechecksResponses = true }
        _ = relay
        let node = world.nodes[1]
        let relayed = node.process(world.packet(World.Recipe([1, 2, 3])), from: 100)
        let next = world.nodes[2].process(relayed.packets[0], from: 101)
        // As a fault in memory would: our own half-key is another one.
        let own = node.engine.table.ownHalfKey(node.engine.oldest)
        own.store(own.byte(31) ^ 1, 31)
        _ = node.drain()
        let packet = world.nodes[2].ackPacket(to: 101, next.ackKeys)
        #expect(node.process(packet, from: 102).verdicts[0] == .none)
        #expect(node.count(.ackResponse) == 1)
        #expect(node.drain().isEmpty && node.engine.awaited == 1)
        world = self.world
    }

    @Test func `ackSize`() {
        _ = forward()
        for count in [2, 255] {
            var recipe = World.Recipe(
                [1],
                message: [0, 0, UInt8(count)] + [UInt8](repeating: 1, count: 100)
            )
            recipe.noAck = true
            let (verdict, changed) = world.verdict(recipe)
            #expect(verdict == .ackSize && !changed)
        }
        var short = World.Recipe([1], message: [0, 0])
        short.noAck = true
        #expect(world.verdict(short).code == .ackSize)
    }

    @Test func `what follows the last acknowledgement is ignored`() {
        let key = forward()
        let text: [UInt8] = [0, 0, 1] + ack(key, by: 2).array + [9, 9, 9]
        var recipe = World.Recipe([1], message: text)
        recipe.noAck = true
        let result = relay.process(world.build(recipe, sender: 2).bytes, from: 102)
        #expect(result.verdicts[0] == .none && result.outcome.acknowledge == 0)
        #expect(relay.engine.awaited == 0)
    }

    @Test func `a batch takes acknowledgements between packets that will be acknowledged`() {
        let first = forward()
        let packets = (0..<2).map { _ in (world.packet(World.Recipe([1, 2, 3])), UInt32(100)) }
        let answer = (world.nodes[2].ackPacket(to: 101, [first]), UInt32(102))
        let result = relay.process([packets[0], answer, packets[1]])
        #expect(result.outcome.forwarded == 0b101 && result.outcome.acknowledgements == 0b010)
        #expect(relay.count(.ticketsUnlocked) == 1 && relay.engine.awaited == 2)
        for lane in [0, 2] {
            let next = world.nodes[2].process(result.packets[lane], from: 101)
            give(ack(next.ackKeys[0], by: 2), from: 2)
        }
        #expect(relay.count(.ticketsUnlocked) == 3 && relay.engine.awaited == 0)
    }

    @Test func `noAck gives the reservation back after the time to live, not before`() {
        _ = forward(now: 1_000)
        _ = forward(now: 625_001_000)
        #expect(relay.books.reserved(0) == 400)
        relay.engine.expire(nowNanos: 10_000_000_999)
        #expect(relay.engine.awaited == 2)
        relay.engine.expire(nowNanos: 10_000_001_000)
        #expect(relay.engine.awaited == 1 && relay.books.reserved(0) == 200)
        guard case .released(let channel, let index, let amount, let reason)? = relay.drain().first
        else {
            Issue.record("nothing released")
            return
        }
        #expect(channel == 0 && index == 0 && amount == 200 && reason == .noAck)
        relay.engine.expire(nowNanos: 20_000_000_000)
        #expect(relay.engine.awaited == 0 && relay.books.reserved(0) == 0)
        #expect(relay.count(.noAck) == 2)
    }

    @Test func `the tickets of a time slice are given back when the last of it is over`() {
        for now: UInt64 in [1_000, 2_000, 625_000_999] { _ = forward(now: now) }
        relay.engine.expire(nowNanos: 10_625_000_998)
        #expect(relay.engine.awaited == 3 && relay.drain().isEmpty)
        relay.engine.expire(nowNanos: 10_625_000_999, budget: 2)
        #expect(relay.engine.awaited == 1 && relay.drain().count == 2)
        relay.engine.expire(nowNanos: 10_625_000_999, budget: 2)
        #expect(relay.engine.awaited == 0 && relay.drain().count == 1)
    }

    @Test func `an acknowledgement that comes late is unknown before its time slice is over`() {
        let (early, _) = (forward(now: 1_000), forward(now: 600_000_000))
        relay.engine.expire(nowNanos: 10_200_000_000)
        #expect(relay.engine.awaited == 2)
        give(ack(early, by: 2), from: 2, now: 10_200_000_000)
        #expect(relay.count(.ackUnknown) == 1 && relay.drain().isEmpty)
        relay.engine.expire(nowNanos: 10_600_000_000)
        #expect(relay.engine.awaited == 0 && relay.count(.noAck) == 2)
    }

    @Test func `what cannot be reported stays, and is given back later`() {
        let world = World("no room")
        let node = TestNode(
            Identity(1),
            config: world.nodes[1].engine.config,
            builder: world.nodes[1].builder,
            slots: 10,
            replayCapacity: 64,
            reportBytes: 1 << 8
        )
        node.books.raiseIndexLimit(5, to: 1 << 16)
        for _ in 0..<8 {
            let packet = world.packet(World.Recipe([1, 2, 3]))
            #expect(node.process(packet, from: 100).verdicts[0] == .none)
            _ = node.drain()
        }
        node.engine.expire(nowNanos: 11_000_000_000)
        // A ring that small takes a few at a time.
        #expect(node.engine.awaited > 0)
        var told = 0
        while node.engine.awaited > 0 {
            told += node.drain().count
            #expect(node.books.reserved(0) == 200 * UInt128(node.engine.awaited))
            node.engine.expire(nowNanos: 11_000_000_000)
        }
        #expect(told + node.drain().count == 8 && node.books.reserved(0) == 0)
    }

    @Test func `an acknowledgement after the time to live is unknown`() {
        let key = forward()
        _ = forward(now: 11_000_000_000)
        relay.engine.expire(nowNanos: 11_000_000_000)
        _ = relay.drain()
        expectRefused(.ackUnknown, ack(key, by: 2), from: 2)
    }

    @Test func `what one worker forwarded another's socket may acknowledge`() {
        let world = World("workers") { $0.workers = 3 }
        let rings = (0..<3).map { _ in Memory(RecordRing.byteCount(capacity: 1 << 12)) }
        // Three nodes stand for three workers of one: same snapshot, same books.
        let workers = (0..<3).map { _ in World("worker", seed: 9) { $0.workers = 3 }.nodes[1] }
        for (number, worker) in workers.enumerated() {
            worker.engine.others = RingWriter(rings[number].region)
        }
        let relayed = workers[2].process(world.packet(World.Recipe([1, 2, 3])), from: 100)
        let key = world.nodes[2].process(relayed.packets[0], from: 101).ackKeys[0]
        var bent = key
        bent[0] ^= 1
        let packet = world.nodes[2].ackPacket(to: 101, [key, bent])
        #expect(workers[0].process(packet, from: 102).verdicts[0] == .none)
        var readers = rings.map { RingReader($0.region) }
        for from in [0, 1] {
            let to = workers[from + 1]
            to.engine.acknowledgeForeign(
                &readers[from],
                snapshot: to.snapshot,
                nowNanos: 1
            )
        }
        #expect(workers[2].count(.ticketsUnlocked) == 1)
        #expect(workers[2].count(.ackUnknown) == 1)
        #expect(workers[0].count(.ackUnknown) + workers[1].count(.ackUnknown) == 0)
    }

    @Test func `the packet key before the current one is served while it is listed`() throws {
        let packets = (0..<3).map { _ in world.packet(World.Recipe([1, 2])) }
        #expect(relay.process(packets[0], from: 100).verdicts[0] == .none)
        let old = relay.builder.current
        relay.builder.current = Identity(40).packetIdentity
        relay.builder.previous = old
        relay.rebuild()
        let memory = Memory(ReplaySet.byteCount(capacity: 16))
        let set = try #require(ReplaySet(memory.region, capacity: 16, hash: KeyedHash(8, 9)))
        relay.engine.rotate(to: set)
        #expect(relay.process(packets[1], from: 100).verdicts[0] == .none)
        #expect(set.count == 0)
        // What was seen under the old key is still seen.
        var again = packets[0]
        var ticket = try #require(Ticket(Array(again.suffix(132))))
        ticket.index = 50
        ticket = world.signed(ticket, by: world.nodes[0].chainKey, to: relay)
        again.replaceSubrange((again.count - 132)..., with: ticket.bytes.array)
        #expect(relay.process(again, from: 100).verdicts[0] == .replay)
        relay.builder.previous = nil
        relay.rebuild()
        #expect(relay.process(packets[2], from: 100).verdicts[0] == .headerMac)
    }

    @Test func `a neighbour that changes its key may sign with either`() {
        let keys = [forward(), forward()]
        // Node 2 announces a second key: same chain address, another id.
        let identity = Identity(40)
        var second = identity.row
        second.chainAddress = world.nodes[2].chainKey.address
        second.keyID = 777
        relay.builder.nodes.append(second)
        relay.rebuild()
        give(ack(keys[0], by: 2), from: 2)
        var bytes = FixedBytes<96>()
        var key = keys[1]
        key.withRegion { key in
            bytes.withRegion {
                Acknowledgements.make(
                    halfKey: key,
                    signingKey: identity.packetKey.signingKey,
                    into: $0
                )
            }
        }
        give(bytes, from: 2)
        #expect(relay.engine.awaited == 0 && relay.drain().count == 2)
        withExtendedLifetime(identity) {}
    }

    @Test func `answers to refused packets are random, for decodable ones only, and limited`() {
        let world = World("answers") {
            $0.ackOnReject = .random
            $0.rejectAnswersPerSecond = 3
        }
        let relay = world.nodes[1]
        var wrong = World.Recipe([1, 2, 3])
        wrong.ticket = { $0.channelEpoch = 1 }
        let before = relay.state[1...]
        let first = relay.process(world.packet(wrong), from: 100)
        #expect(first.verdicts[0] == .channelEpoch && first.outcome.acknowledge == 1)
        #expect(first.outcome.forwarded == 0)
        let second = relay.process(world.packet(wrong), from: 100)
        #expect(second.ackKeys[0] != first.ackKeys[0] && !second.ackKeys[0].isZero)
        var bent = world.packet(wrong)
        bent[50] ^= 1
        let undecodable = relay.process(bent, from: 100)
        #expect(undecodable.verdicts[0] == .channelEpoch && undecodable.outcome.acknowledge == 0)
        var mismatch = wrong
        mismatch.proofs = { $0.strings[0][1 + 20] ^= 1 }
        #expect(relay.process(world.packet(mismatch), from: 100).outcome.acknowledge == 0)
        #expect(relay.process(world.packet(wrong), from: 100).outcome.acknowledge == 1)
        #expect(relay.process(world.packet(wrong), from: 100).outcome.acknowledge == 0)
        #expect(
            relay.process(world.packet(wrong), from: 100, now: 2_000_000_000).outcome.acknowledge
                == 1
        )
        let unchanged = relay.state[1...] == before
        #expect(unchanged)
    }

    @Test func `no secret stays in scratch memory after a batch`() {
        let built = world.build(World.Recipe([1, 2, 3]))
        _ = relay.process(built.bytes, from: 100)
        #expect(relay.engine.wiped.array.allSatisfy { $0 == 0 })
        #expect(!contains(relay.engine.wiped.array, built.tag.array))
    }

    private func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: needle) }
    }
}
