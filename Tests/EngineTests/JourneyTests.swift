import Bytes
import Exchange
import Sphinx
import Testing
import Tickets

@testable import Engine

@Suite struct JourneyTests {
    @Test(arguments: Geometry.names)
    func `a packet passes three relays, is delivered, and every relay learns its response`(
        profile: String
    ) throws {
        let geometry = try #require(Geometry(named: profile))
        let world = World("journey", geometry: geometry)
        let message: [UInt8] = [0] + Array("over the hills".utf8)
        let built = world.build(World.Recipe([1, 2, 3, 4], message: message))
        let sent = world.nodes[0].engine.registerSent(
            keyID: 101,
            ackChallenge: built.ackChallenge,
            snapshot: world.nodes[0].snapshot,
            nowNanos: 1
        )
        #expect(sent)
        var packet = built.bytes
        for hop in 1...4 {
            let node = world.nodes[hop]
            let result = node.process(packet, from: UInt32(99 + hop))
            #expect(result.verdicts[0] == .none)
            #expect(result.outcome.acknowledge == 1)
            if hop < 4 {
                #expect(result.outcome.forwarded == 1)
                #expect(result.next[0] == UInt32(101 + hop))
            } else {
                #expect(result.outcome.delivered == 1)
            }
            let ack = node.ackPacket(to: UInt32(99 + hop), result.ackKeys)
            let back = world.nodes[hop - 1].process(ack, from: UInt32(100 + hop))
            #expect(back.verdicts[0] == .none)
            #expect(back.outcome.acknowledgements == 1)
            packet = result.packets[0]
        }
        try checkReports(world, built, message)
    }

    private func checkReports(_ world: World, _ built: World.Built, _ message: [UInt8]) throws {
        for hop in 1...3 {
            let reports = world.nodes[hop].drain()
            #expect(reports.count == 2)
            guard case .locked(let channel, let index, _) = reports[0],
                case .unlocked(let same, let bytes, var response, _) = reports[1]
            else {
                Issue.record("node \(hop) reports \(reports)")
                continue
            }
            let ticket = try #require(Ticket(bytes))
            #expect(channel == UInt32(2 * (hop - 1)) && same == channel)
            #expect(ticket.index == index)
            #expect(ticket.amount == World.price * UInt128(4 - hop))
            let opens = response.withRegion {
                ProofOfRelay.opens($0, challenge: ticket.challenge, curve: .shared)
            }
            #expect(opens)
            #expect(world.nodes[hop].engine.awaited == 0)
            #expect(world.nodes[hop].books.reserved(channel) == ticket.amount)
        }
        guard case .delivery(let delivery) = try #require(world.nodes[4].drain().first) else {
            Issue.record("no delivery")
            return
        }
        #expect(Array(delivery.payload.suffix(message.count)) == message)
        #expect(delivery.senderID == built.senderID)
        #expect(delivery.previousKeyID == 103 && !delivery.isReply)
        guard case .acknowledged(let keyID, let hint) = try #require(world.nodes[0].drain().first)
        else {
            Issue.record("own packet is not acknowledged")
            return
        }
        #expect(keyID == 101 && hint == built.ackChallenge)
    }

    @Test func `the last relay writes a zero-hop ticket and the others price what is left`() throws
    {
        let world = World("tickets")
        var packet = world.packet(World.Recipe([1, 2, 3, 4]))
        for hop in 1...3 {
            let result = world.nodes[hop].process(packet, from: UInt32(99 + hop))
            packet = result.packets[0]
            let bytes = Array(packet.suffix(Ticket.byteCount))
            let ticket = try #require(Ticket(bytes))
            #expect(ticket.amount == World.price * UInt128(3 - hop))
            #expect(ticket.counterparty == world.nodes[hop + 1].chainKey.address)
            #expect(ticket.channelEpoch == (hop < 3 ? 7 : 0))
            #expect(ticket.winProbability == (hop < 3 ? .always : .never))
        }
        #expect(world.nodes[1].books.nextIndex(5) == 1)
        #expect(world.nodes[3].books.nextIndex(9) == 0)
    }

    @Test func `our winning probability is the larger of the incoming one and our own`() throws {
        for (own, incoming) in [(0.5, 0.25), (0.25, 0.5)] {
            let world = World("probability")
            let node = world.nodes[1]
            node.builder.policy.winProbability = try #require(WinProbability(own))
            node.rebuild()
            var recipe = World.Recipe([1, 2, 3])
            let probability = try #require(WinProbability(incoming))
            recipe.ticket = { $0.winProbability = probability }
            let result = node.process(world.packet(recipe), from: 100)
            let ticket = try #require(Ticket(Array(result.packets[0].suffix(132))))
            #expect(ticket.winProbability.probability == 0.5)
            #expect(ticket.amount == 2 * World.price)
        }
    }

    @Test func `a reply is delivered as it is and not acknowledged by the engine`() throws {
        let world = World("reply")
        var recipe = World.Recipe([1, 4])
        recipe.reply = true
        let relayed = world.nodes[1].process(world.packet(recipe), from: 100)
        let result = world.nodes[4].process(relayed.packets[0], from: 101)
        #expect(result.outcome.delivered == 1 && result.outcome.acknowledge == 0)
        guard case .delivery(let delivery) = try #require(world.nodes[4].drain().first) else {
            Issue.record("no delivery")
            return
        }
        #expect(delivery.isReply && !delivery.ackKey.isZero)
    }

    @Test(arguments: Geometry.names)
    func `a full acknowledgement packet carries its capacity`(profile: String) throws {
        let geometry = try #require(Geometry(named: profile))
        let world = World("capacity", geometry: geometry) { $0.unackedCapacity = 1024 }
        let capacity = geometry.ackCapacity
        #expect(capacity == (profile == "mix13" ? 33 : 10))
        var keys: [Bytes32] = []
        for _ in 0..<capacity {
            let first = world.nodes[1].process(
                world.packet(World.Recipe([1, 2])),
                from: 100
            )
            #expect(first.verdicts[0] == .none)
            keys.append(world.nodes[2].process(first.packets[0], from: 101).ackKeys[0])
        }
        #expect(world.nodes[1].engine.awaited == capacity)
        let result = world.nodes[1].process(
            world.nodes[2].ackPacket(to: 101, keys),
            from: 102
        )
        #expect(result.verdicts[0] == .none)
        #expect(world.nodes[1].engine.awaited == 0)
        #expect(world.nodes[1].count(.ticketsUnlocked) == UInt64(capacity))
    }
}
