import Bytes
import Crypto
import Exchange
import Sphinx
import TestSupport
import Testing
import Tickets

@testable import Engine

/// An engine whose snapshot names tables: same verdicts, counted hits, and news of keys without
/// one.
@Suite struct KeyTableTests {
    private func caches(_ world: World) -> (signers: TableCache, verifiers: TableCache, Memory) {
        let places = world.nodes.count
        let memory = Memory(
            TableCache.byteCount(.signer, places: places)
                + TableCache.byteCount(.verifier, places: places)
        )
        var arena = Arena(memory.region)
        let hash = KeyedHash(5, 6)
        let signers = TableCache(&arena, .signer, places: places, hash: hash)
        let verifiers = TableCache(&arena, .verifier, places: places, hash: hash)
        for node in world.nodes {
            add(node.chainKey.affine, to: signers)
            add(TableCache.key(node.packetKey.publicKey), to: verifiers)
        }
        return (signers, verifiers, memory)
    }

    private func add(_ key: Bytes64, to cache: TableCache) {
        let place = cache.claim(key)
        cache.finish(place, isBuilt: cache.build(place))
    }

    /// Names every table in the snapshot of node 1; keep what comes back.
    private func install(_ world: World) -> Memory {
        let (signers, verifiers, memory) = caches(world)
        let relay = world.nodes[1]
        relay.builder.signers = signers.tables
        relay.builder.verifiers = verifiers.tables
        for index in relay.builder.nodes.indices {
            let key = TableCache.key(relay.builder.nodes[index].packetKey)
            relay.builder.nodes[index].verifier = verifiers.place(of: key)
        }
        for slot in relay.builder.channels.keys {
            let node = world.nodes[Int(slot) / 2]
            relay.builder.channels[slot]?.signer = signers.place(of: node.chainKey.affine)
        }
        relay.rebuild()
        return memory
    }

    @Test func `verdicts with tables are those without`() {
        let worlds = (0..<2).map { _ in World("table twins", seed: 3) { $0.unackedCapacity = 2_048 }
        }
        let memory = install(worlds[1])
        var random = SeededGenerator("table verdicts")
        for _ in 0..<3 {
            let packets = (0..<64).map { number -> (bytes: [UInt8], from: UInt32) in
                var recipe = World.Recipe([1, 2 + number % 3, 2 + (number + 1) % 3])
                switch random.next() % 6 {
                case 0: recipe.signer = worlds[0].nodes[2].chainKey
                case 1:
                    let place = Int(random.next() % 64)
                    recipe.ticket = {
                        $0.challenge[0] ^= 1; $0.signature[place] ^= 1
                    }
                default: break
                }
                var bytes = worlds[0].packet(recipe)
                if random.next() % 6 == 0 {
                    bytes[bytes.count - 1 - Int(random.next() % 64)] ^= 16
                }
                return (bytes, 100)
            }
            let results = worlds.map { $0.nodes[1].process(packets) }
            #expect(results[0].verdicts == results[1].verdicts)
            let same = results[0].packets == results[1].packets
            #expect(same)
            #expect(results[0].verdicts.contains(.ticketSignature))
            #expect(results[0].outcome.forwarded.nonzeroBitCount > 20)
            let told = worlds.map { $0.nodes[1].drain().map { "\($0)" } }
            let toldTheSame = told[0] == told[1]
            #expect(toldTheSame)
        }
        let counted = worlds.map { world in
            [Counter.ticketsByTable, .ticketsByRecovery].map { world.nodes[1].count($0) }
        }
        #expect(counted[0][0] == 0 && counted[1][1] == 0 && counted[0][1] == counted[1][0])
        #expect(counted[1][0] > 100)
        withExtendedLifetime(memory) {}
    }

    /// Acknowledgement packets of three neighbours for packets that node 1 forwards, some damaged.
    private func acks(_ world: World, _ random: inout SeededGenerator) -> [(
        bytes: [UInt8], from: UInt32
    )] {
        let relay = world.nodes[1]
        var packets: [(bytes: [UInt8], from: UInt32)] = []
        for next in 2...4 {
            for _ in 0..<3 {
                var keys: [Bytes32] = []
                for _ in 0..<9 {
                    let packet = world.packet(World.Recipe([1, next, next == 4 ? 2 : 4]))
                    let relayed = relay.process(packet, from: 100)
                    let came = world.nodes[next].process(relayed.packets[0], from: 101)
                    keys.append(came.ackKeys[0])
                }
                keys[1] = Bytes32()
                keys[2][31] ^= 1
                keys[4] = keys[3]
                let signer = random.next() % 4 == 0 ? world.nodes[3] : world.nodes[next]
                let packet = signer.ackPacket(to: 101, keys)
                packets.append((packet, UInt32(100 + next)))
            }
        }
        return packets
    }

    @Test func `acknowledgements of several neighbours in one batch end as one by one`() {
        var outcomes: [[String]] = []
        for (isBatch, hasTables) in [(false, false), (true, false), (false, true), (true, true)] {
            let world = World("ack batch", seed: 4)
            let memory = hasTables ? install(world) : Memory(1)
            let relay = world.nodes[1]
            var random = SeededGenerator("ack batch", seed: 5)
            let packets = acks(world, &random)
            _ = relay.drain()
            if isBatch {
                _ = relay.process(packets)
            } else {
                for packet in packets { _ = relay.process(packet.bytes, from: packet.from) }
            }
            var outcome = relay.drain().map { "\($0)" }
            for drop in Drop.allCases { outcome.append("\(drop) \(relay.count(drop))") }
            outcome.append("\(relay.engine.awaited) \(relay.count(.ticketsUnlocked))")
            outcomes.append(outcome)
            #expect(relay.count(.ticketsUnlocked) > 20 && relay.count(.ackScalar) > 0)
            #expect(relay.count(.ackSignature) > 0 && relay.count(.ackUnknown) > 0)
            #expect((relay.count(.acksByTable) > 0) == hasTables)
            #expect((relay.count(.acksByKey) > 0) == !hasTables)
            withExtendedLifetime(memory) {}
        }
        for other in outcomes.dropFirst() {
            let isSame = other == outcomes[0]
            #expect(isSame)
        }
    }

    @Test func `a batch may carry more acknowledgements than fit one call`() {
        let world = World("many acks", seed: 6) { $0.unackedCapacity = 1_024 }
        let relay = world.nodes[1]
        var packets: [(bytes: [UInt8], from: UInt32)] = []
        for round in 0..<9 {
            let next = 2 + round % 2
            let keys = (0..<10).map { _ -> Bytes32 in
                let relayed = relay.process(world.packet(World.Recipe([1, next])), from: 100)
                return world.nodes[next].process(relayed.packets[0], from: 101).ackKeys[0]
            }
            packets.append((world.nodes[next].ackPacket(to: 101, keys), UInt32(100 + next)))
        }
        #expect(relay.engine.awaited == 90)
        _ = relay.process(packets)
        #expect(relay.engine.awaited == 0 && relay.count(.ticketsUnlocked) == 90)
        #expect(relay.count(.acksIn) == 90)
    }

    @Test func `an issuer without a table is told once a second, with its public key`() {
        let world = World("signer news") { $0.tellsKeys = true }
        let relay = world.nodes[1]
        func news() -> [Bytes64] {
            relay.drain().compactMap {
                if case .signer(0, let key) = $0 { key } else { nil }
            }
        }
        let issuer = world.nodes[0].chainKey.affine
        var forged = World.Recipe([1, 2])
        forged.signer = world.nodes[3].chainKey
        _ = relay.process(world.packet(forged), from: 100)
        #expect(news().isEmpty)
        _ = relay.process(world.packet(World.Recipe([1, 2])), from: 100)
        #expect(news() == [issuer])
        _ = relay.process(world.packet(World.Recipe([1, 2])), from: 100)
        #expect(news().isEmpty)
        let later: UInt64 = 2_000_000_000
        _ = relay.process(world.packet(World.Recipe([1, 2])), from: 100, now: later)
        #expect(news() == [issuer])
        let memory = install(world)
        _ = relay.process(world.packet(World.Recipe([1, 2])), from: 100, now: 2 * later)
        #expect(news().isEmpty)
        withExtendedLifetime(memory) {}
    }

    @Test func `a neighbour without a table is told when it acknowledges`() {
        let world = World("verifier news") { $0.tellsKeys = true }
        let relay = world.nodes[1]
        func acknowledge() -> [UInt32] {
            let relayed = relay.process(world.packet(World.Recipe([1, 2])), from: 100)
            let keys = world.nodes[2].process(relayed.packets[0], from: 101).ackKeys
            _ = relay.process(world.nodes[2].ackPacket(to: 101, keys), from: 102)
            return relay.drain().compactMap { if case .verifier(let id) = $0 { id } else { nil } }
        }
        #expect(acknowledge() == [102])
        #expect(acknowledge().isEmpty)
    }

    @Test func `answers signed together are those that single ones would be`() {
        let world = World("signed answers", seed: 8)
        let relay = world.nodes[1]
        let packets = (0..<20).map { number in
            (
                bytes: world.packet(World.Recipe(number % 4 == 0 ? [1] : [1, 2, 3])),
                from: UInt32(100)
            )
        }
        let result = relay.process(packets)
        relay.engine.signAnswers(snapshot: relay.snapshot)
        for lane in 0..<20 {
            let single = Acknowledgements.make(halfKey: result.ackKeys[lane], key: relay.packetKey)
            #expect(relay.engine.acknowledgement(lane) == single)
            let alone = relay.engine.sign(ackKey: result.ackKeys[lane], snapshot: relay.snapshot)
            #expect(alone == single)
        }
    }

    @Test func `acknowledgement packets made together are those made alone`() {
        var random = SeededGenerator("ack packets")
        let worlds = (0..<2).map { _ in World("ack packets", seed: 11) }
        var noPoint = Bytes32()
        noPoint[0] = 2
        for world in worlds {
            world.nodes[1].builder.nodes[3].packetKey = noPoint
            world.nodes[1].rebuild()
        }
        let (alone, together) = (worlds[0].nodes[1], worlds[1].nodes[1])
        let size = alone.engine.config.geometry.packetBytes
        for round in 0..<3 {
            var single: [[UInt8]?] = []
            for slot in 0..<Engine.ackPacketsMax {
                let node = UInt32(random.next() % 4)
                let count = 1 + Int(random.next() % 10)
                let memory = Memory(count * (32 + 96))
                let keys: Column<Bytes32> = memory.region.column(0, count: count)
                let acks: Column<Acknowledgement> = memory.region.column(32 * count, count: count)
                for lane in 0..<count {
                    keys[lane] = Bytes32(random.bytes(32)) ?? Bytes32()
                    acks[lane] = Acknowledgements.make(halfKey: keys[lane], key: alone.packetKey)
                }
                let packet = Memory(size)
                let isMade = alone.engine.makeAckPacket(
                    to: node,
                    halfKeys: keys,
                    count: count,
                    packet: packet.region,
                    snapshot: alone.snapshot
                )
                #expect(isMade == (node != 3))
                single.append(isMade ? packet.region.array : nil)
                let isBegun = together.engine.beginAckPacket(
                    to: node,
                    acks: acks,
                    count: count,
                    slot: UInt32(slot),
                    slab: together.slab,
                    snapshot: together.snapshot
                )
                #expect(isBegun)
            }
            let made = together.engine.makeAckPackets(
                slab: together.slab,
                snapshot: together.snapshot
            )
            for (slot, packet) in single.enumerated() {
                #expect(made.contains(slot) == (packet != nil))
                guard let packet else { continue }
                let isSame = together.slab.packet(UInt32(slot), size).array == packet
                #expect(isSame, "round \(round) slot \(slot)")
            }
            #expect(together.count(.acksOut) == alone.count(.acksOut))
            #expect(together.count(.ackPacketsOut) == alone.count(.ackPacketsOut))
        }
    }
}
