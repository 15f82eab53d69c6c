import Bytes
import Exchange
import Sphinx
import TestSupport
import Testing
import Tickets

@testable import Engine

/// Batches of valid and invalid packets, and the same packets one by one.
@Suite struct BatchTests {
    /// A packet with a fault, or without; some depend on packets before them.
    private func make(_ world: World, _ random: inout SeededGenerator, _ pool: inout [[UInt8]])
        -> [UInt8]
    {
        let paths = [[1, 2, 3, 4], [1, 2, 3], [1, 2], [1, 3, 2], [1], [1, 4]]
        var recipe = World.Recipe(paths[Int(random.next() % 6)])
        switch random.next() % 22 {
        case 0, 1: return pool.randomElement(using: &random) ?? world.packet(recipe)
        case 2: recipe.noAck = true
        case 3: recipe.ticket = { $0.amount /= 2 }
        case 4: recipe.ticket = { $0.index = 1 << 32 + 40 }
        case 5: recipe.ticket = { $0.index = 1 << 33 + 41 }
        case 6: recipe.ticket = { $0.index = 3 }
        case 7: recipe.ticket = { $0.channelEpoch = 1 }
        case 8: recipe.signer = world.nodes[2].chainKey
        case 9: recipe.proofs = { $0.strings[0][25] ^= 1 }
        case 10: recipe.keyIDs = [101, 999, 998, 997]
        case 11: recipe.payload = { $0[0] = 1 }
        case 12: recipe.message = [0x55]
        case 13: recipe.ticket = { $0.amount = 40_000 }
        case 14: recipe.reply = true
        default: break
        }
        var packet = world.packet(recipe)
        switch random.next() % 20 {
        case 0: packet[Int(random.next() % 289)] ^= 1
        case 1: packet.removeLast()
        case 2: packet[packet.count - 1] ^= 1
        default: break
        }
        pool.append(packet)
        return packet
    }

    private func twins(_ seed: UInt64, _ onReject: EngineConfig.AckOnReject) -> [World] {
        (0..<2).map { _ in
            let world = World("twin", seed: seed, replayCapacity: 60) {
                $0.unackedCapacity = 40
                $0.ackOnReject = onReject
            }
            world.nodes[1].channel(0) { $0.balance = 100_000 }
            world.nodes[1].channel(5) { $0.balance = 250 }
            world.nodes[1].books.setNextIndex(5, 1 << 16 - 12)
            return world
        }
    }

    @Test(arguments: [EngineConfig.AckOnReject.none, .random])
    func `a batch ends as its packets one by one`(onReject: EngineConfig.AckOnReject) throws {
        var random = SeededGenerator("batch equals single")
        var seen: Set<Drop> = []
        for _ in 0..<6 {
            let worlds = twins(random.seed, onReject)
            var pool: [[UInt8]] = []
            for round in 0..<4 {
                let count = 1 + Int(random.next() % 64)
                let packets = (0..<count).map { _ in
                    (bytes: make(worlds[0], &random, &pool), from: UInt32(100))
                }
                compare(worlds, packets, now: UInt64(1_000 + round), &seen)
            }
        }
        #expect(seen.count > 14, "only \(seen)")
    }

    private func compare(
        _ worlds: [World],
        _ packets: [(bytes: [UInt8], from: UInt32)],
        now: UInt64,
        _ seen: inout Set<Drop>
    ) {
        let (one, many) = (worlds[0].nodes[1], worlds[1].nodes[1])
        let batch = many.process(packets, now: now)
        for (lane, packet) in packets.enumerated() {
            let single = one.process(packet.bytes, from: packet.from, now: now)
            #expect(single.verdicts[0] == batch.verdicts[lane], "lane \(lane)")
            seen.insert(single.verdicts[0])
            let outcome = batch.outcome
            #expect((single.outcome.forwarded == 1) == outcome.forwarded.contains(lane))
            #expect((single.outcome.delivered == 1) == outcome.delivered.contains(lane))
            #expect((single.outcome.acknowledge == 1) == outcome.acknowledge.contains(lane))
            #expect(single.next[0] == batch.next[lane])
            if outcome.forwarded.contains(lane) {
                #expect(single.packets[0] == batch.packets[lane])
                #expect(single.ackKeys[0] == batch.ackKeys[lane])
            }
        }
        let same = zip(one.state, many.state).map { $0 == $1 }
        #expect(same == [true, true, true])
        let told = (one.drain().map { "\($0)" }, many.drain().map { "\($0)" })
        let toldTheSame = told.0 == told.1
        #expect(toldTheSame)
        for drop in Drop.allCases { #expect(one.count(drop) == many.count(drop)) }
    }

    @Test func `of two copies in one batch one passes`() {
        let world = World("copies")
        let packet = world.packet(World.Recipe([1, 2, 3]))
        let result = world.nodes[1].process([(packet, 100), (packet, 100)])
        #expect(result.verdicts == [.none, .indexReplay])
        let final = world.packet(World.Recipe([1]))
        let ends = world.nodes[1].process([(final, 100), (final, 102)])
        #expect(ends.verdicts == [.none, .replay])
        #expect(world.nodes[1].engine.replay.count == 2)
    }

    @Test func `the curve arithmetic runs by eight lanes, for packets that come so far`() {
        let world = World("lanes")
        let relay = world.nodes[1]
        let packets = (0..<9).map { _ in world.packet(World.Recipe([1, 2])) }
        // The last one is refused for what its ticket says.
        var recipe = World.Recipe([1, 2])
        recipe.ticket = { $0.channelEpoch = 1 }
        let late = world.packet(recipe)
        _ = relay.process((packets + [late]).map { ($0, UInt32(100)) })
        #expect(relay.count(Counter.lanesUsed) == 9)
        #expect(relay.count(Counter.lanesRun) == 16)
        _ = relay.process(late, from: 100)
        #expect(relay.count(Counter.lanesRun) == 16)
    }

    @Test func `every packet of a batch sent again is refused`() {
        let world = World("again")
        let packets = (0..<64).map { number in
            (world.packet(World.Recipe(number % 3 == 0 ? [1] : [1, 2, 3])), UInt32(100))
        }
        let first = world.nodes[1].process(packets)
        #expect(first.verdicts.allSatisfy { $0 == .none })
        let before = world.nodes[1].state
        let second = world.nodes[1].process(packets)
        #expect(second.verdicts.allSatisfy { $0 == .replay || $0 == .indexReplay })
        let unchanged = world.nodes[1].state == before
        #expect(unchanged)
    }

    @Test func `an acknowledgement in a batch makes room for the packets behind it`() {
        let worlds = (0..<2).map { _ in World("room", seed: 5) { $0.unackedCapacity = 2 } }
        var results: [[Drop]] = []
        for (number, world) in worlds.enumerated() {
            let relay = world.nodes[1]
            var acks: [Bytes32] = []
            for next in [2, 3] {
                let taken = relay.process(world.packet(World.Recipe([1, next])), from: 100)
                let node = world.nodes[next]
                acks.append(node.process(taken.packets[0], from: 101).ackKeys[0])
            }
            // Capacity two among three others: no neighbour's share is above zero but one entry
            // each.
            let packets = [
                (world.packet(World.Recipe([1, 4])), UInt32(100)),
                (world.nodes[2].ackPacket(to: 101, [acks[0]]), UInt32(102)),
                (world.packet(World.Recipe([1, 4])), UInt32(100)),
            ]
            if number == 0 {
                results.append(packets.map { relay.process($0.0, from: $0.1).verdicts[0] })
            } else {
                results.append(relay.process(packets).verdicts)
            }
        }
        #expect(results[0] == results[1])
    }
}
