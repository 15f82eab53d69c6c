import Bytes
import Crypto
import Exchange
import Sphinx
import Testing
import Tickets

@testable import Engine

/// One test for each check of the packet path: without the check, the packet would be taken.
@Suite struct CheckTests {
    let world = World("checks")
    var relay: TestNode { world.nodes[1] }

    /// The packet is refused with the code, nothing but counters changes, and the same packet
    /// without the fault is taken.
    private func expect(
        _ code: Drop,
        _ recipe: World.Recipe = World.Recipe([1, 2, 3, 4]),
        from: Int = 0,
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) {
        let counted = relay.count(code)
        var packet = world.packet(recipe)
        change(&packet)
        let (verdict, changed) = world.verdict(packet, from: from)
        #expect(verdict == code)
        #expect(!changed, "a refused packet changed more than counters")
        #expect(relay.count(code) == counted + 1)
    }

    private func expectTaken(_ recipe: World.Recipe = World.Recipe([1, 2, 3, 4])) {
        #expect(world.verdict(recipe).code == .none)
    }

    @Test func `packetSize`() {
        expect(.packetSize) { $0.removeLast() }
        expect(.packetSize) { $0.append(0) }
        expect(.packetSize) { $0 = [] }
        expectTaken()
    }

    @Test func `sourceUnknown`() {
        let result = relay.process(world.packet(World.Recipe([1, 2])), from: 999)
        #expect(result.verdicts[0] == .sourceUnknown)
    }

    @Test func `alphaInvalid`() {
        expect(.alphaInvalid) {
            $0.replaceSubrange(0..<32, with: [2] + [UInt8](repeating: 0, count: 31))
        }
    }

    @Test func `alphaNeutral`() {
        expect(.alphaNeutral) {
            $0.replaceSubrange(0..<32, with: [1] + [UInt8](repeating: 0, count: 31))
        }
    }

    @Test func `headerMac`() {
        expect(.headerMac) { $0[100] ^= 1 }
        expect(.headerMac) { $0[280] ^= 1 }
    }

    @Test func `replay`() {
        let packet = world.packet(World.Recipe([1, 2, 3, 4]))
        #expect(world.verdict(packet).code == .none)
        // The index is seen before the tag; a new ticket on the old header meets the tag.
        #expect(world.verdict(packet).code == .indexReplay)
        var again = packet
        var ticket = Ticket()
        var bytes = Array(packet.suffix(132))
        _ = bytes.withRegion { Ticket.parse($0, into: &ticket) }
        ticket.index = 77
        ticket = world.signed(ticket, by: world.nodes[0].chainKey, to: relay)
        again.replaceSubrange((again.count - 132)..., with: ticket.bytes.array)
        let (verdict, changed) = world.verdict(again)
        #expect(verdict == .replay && !changed)
    }

    @Test func `replay of a packet that ends here`() {
        let packet = world.packet(World.Recipe([1]))
        #expect(world.verdict(packet).code == .none)
        let (verdict, changed) = world.verdict(packet)
        #expect(verdict == .replay && !changed)
    }

    @Test func `replay of a hint that is awaited`() {
        let first = world.build(World.Recipe([1, 2]))
        #expect(world.verdict(first.bytes).code == .none)
        let hint = relay.engine.table.hint(relay.engine.oldest).array
        // The hint's owner is unknown to the attacker, but a challenge that fits can be made for
        // any hint: only the table can tell.
        var (own, point, sum) = (Bytes32(), CurvePoint(), CurvePoint())
        var recipe = World.Recipe([1, 2])
        recipe.proofs = { plan in
            for index in 0..<33 { plan.strings[0][20 + index] = hint[index] }
        }
        let probe = world.build(recipe)
        own = relay.ownHalfKey(of: probe.tag)
        var hinted = CurvePoint()
        var bytes = hint
        let parsed = bytes.withRegion { Secp256k1.shared.parse(compressed: $0, into: &hinted) }
        let made = own.withRegion { Secp256k1.shared.multiplyBase($0, into: &point) }
        #expect(parsed && made && Secp256k1.shared.add(point, hinted, into: &sum))
        var ticket = probe.ticket
        ticket.challenge = sum.address
        ticket = world.signed(ticket, by: world.nodes[0].chainKey, to: relay)
        var packet = probe.bytes
        packet.replaceSubrange((packet.count - 132)..., with: ticket.bytes.array)
        let (verdict, changed) = world.verdict(packet)
        #expect(verdict == .replay && !changed)
    }

    @Test func `replayFull`() {
        let world = World("full", replayCapacity: 4)
        for _ in 0..<4 { #expect(world.verdict(World.Recipe([1, 2])).code == .none) }
        #expect(world.nodes[1].engine.replay.nearlyFull)
        let (relayed, changed) = world.verdict(World.Recipe([1, 2]))
        #expect(relayed == .replayFull && !changed)
        #expect(world.verdict(World.Recipe([1])).code == .replayFull)
    }

    @Test func `nextHopInvalid`() {
        var unknown = World.Recipe([1, 2, 3])
        unknown.keyIDs = [101, 999, 103]
        expect(.nextHopInvalid, unknown)
        var own = World.Recipe([1, 2, 3])
        own.keyIDs = [101, 101, 103]
        expect(.nextHopInvalid, own)
        // A register that lists ourselves changes nothing.
        relay.builder.nodes.append(Identity(1).row)
        relay.rebuild()
        expect(.nextHopInvalid, own)
    }

    @Test func `noAckRefused`() {
        var last = World.Recipe([1, 2])
        last.noAck = true
        expect(.noAckRefused, last)
        var longer = World.Recipe([1, 2, 3])
        longer.noAck = true
        expectTaken(longer)
    }

    @Test func `ticketRecipient`() {
        var recipe = World.Recipe([1, 2, 3])
        let other = world.nodes[2].chainKey.address
        recipe.ticket = { $0.counterparty = other }
        expect(.ticketRecipient, recipe)
    }

    @Test func `channelUnknown`() {
        relay.builder.channels[0] = nil
        relay.rebuild()
        expect(.channelUnknown)
    }

    @Test func `channelClosed`() {
        relay.channel(0) { $0.statusValue = ChannelStatus.closed.rawValue }
        expect(.channelClosed)
        relay.channel(0) { $0.statusValue = ChannelStatus.waitingForCommitment.rawValue }
        expect(.channelClosed)
        relay.channel(0) { $0.statusValue = ChannelStatus.pendingToClose.rawValue }
        expectTaken()
    }

    @Test func `commitmentUnknown`() {
        relay.books.setStopped(0, true)
        expect(.commitmentUnknown)
        relay.books.setStopped(0, false)
        expectTaken()
    }

    @Test func `channelEpoch`() {
        var recipe = World.Recipe([1, 2, 3])
        recipe.ticket = { $0.channelEpoch = 6 }
        expect(.channelEpoch, recipe)
    }

    @Test func `amountRange`() {
        // The codec cannot write such a ticket: its bytes are changed, which the check comes
        // before.
        expect(.amountRange) {
            $0.replaceSubrange(
                ($0.count - 112)..<($0.count - 100),
                with: [UInt8](repeating: 255, count: 12)
            )
        }
    }

    @Test func `amountLow below the smallest price`() {
        var recipe = World.Recipe([1, 2])
        recipe.ticket = { $0.amount = World.price - 1 }
        expect(.amountLow, recipe)
    }

    @Test func `amountLow below the price of the path`() {
        var recipe = World.Recipe([1, 2, 3, 4])
        recipe.ticket = { $0.amount = 3 * World.price - 1 }
        expect(.amountLow, recipe)
        recipe.ticket = { $0.amount = 3 * World.price }
        expectTaken(recipe)
    }

    @Test func `amountLow below the configured minimum`() {
        relay.builder.policy.minimumAmount = 1_000
        relay.rebuild()
        expect(.amountLow)
    }

    @Test func `amountLow for a ticket of zeros on a packet to relay`() {
        relay.builder.policy.price = 0
        relay.rebuild()
        var recipe = World.Recipe([1, 2, 3])
        recipe.ticket = {
            $0.amount = 0
            $0.index = 0
            $0.channelEpoch = 0
            $0.winProbability = .never
        }
        expect(.amountLow, recipe)
    }

    @Test func `winProbLow`() throws {
        relay.builder.policy.winProbabilityLeast = try #require(WinProbability(0.5))
        relay.rebuild()
        var recipe = World.Recipe([1, 2, 3])
        let low = try #require(WinProbability(0.4999))
        recipe.ticket = { $0.winProbability = low }
        expect(.winProbLow, recipe)
        let near = try #require(WinProbability(0.499999999))
        recipe.ticket = { $0.winProbability = near }
        expectTaken(recipe)
    }

    @Test func `indexReplay`() {
        var recipe = World.Recipe([1, 2, 3])
        recipe.ticket = { $0.index = 5 }
        expectTaken(recipe)
        expect(.indexReplay, recipe)
    }

    @Test func `indexJump`() {
        var recipe = World.Recipe([1, 2, 3])
        recipe.ticket = { $0.index = 1 << 32 + 1 }
        expect(.indexJump, recipe)
        recipe.ticket = { $0.index = 1 << 32 }
        expectTaken(recipe)
    }

    @Test func `lateIndex below the floor and behind the window`() {
        relay.books.raiseFloor(0, to: 100)
        var recipe = World.Recipe([1, 2, 3])
        recipe.ticket = { $0.index = 99 }
        expect(.lateIndex, recipe)
        recipe.ticket = { $0.index = 100_000 }
        expectTaken(recipe)
        recipe.ticket = { $0.index = 100_000 - 65_536 }
        expect(.lateIndex, recipe)
        recipe.ticket = { $0.index = 100_000 - 65_535 }
        expectTaken(recipe)
    }

    @Test func `channelFunds`() {
        relay.channel(0) { $0.balance = 599 }
        expectTaken()
        expect(.channelFunds)
        relay.books.release(0, 300)
        expectTaken()
    }

    @Test func `challengeMismatch`() {
        var recipe = World.Recipe([1, 2, 3])
        recipe.ticket = { $0.challenge[0] ^= 1 }
        expect(.challengeMismatch, recipe)
        recipe.ticket = { _ in }
        recipe.proofs = { plan in plan.strings[0][20] ^= 1 }
        expect(.challengeMismatch, recipe)
    }

    @Test func `hintInvalid`() {
        var recipe = World.Recipe([1, 2, 3])
        recipe.proofs = { plan in plan.strings[0][20] = 7 }
        expect(.hintInvalid, recipe)
    }

    @Test func `ticketSignature`() {
        var recipe = World.Recipe([1, 2, 3])
        recipe.signer = world.nodes[2].chainKey
        expect(.ticketSignature, recipe)
        expect(.ticketSignature) { $0[$0.count - 1] ^= 1 }
        expect(.ticketSignature) { $0[$0.count - 32] ^= 0x80 }
    }

    @Test func `ticketSignature under another ticket epoch`() {
        relay.channel(0) {
            $0.domain = TicketDomain.separator(world.domain, rule: .commitment, ticketEpoch: 2)
        }
        expect(.ticketSignature)
    }

    @Test func `nextChannel`() {
        relay.builder.channels[5] = nil
        relay.rebuild()
        expect(.nextChannel)
        // Nothing is paid for the last hop.
        expectTaken(World.Recipe([1, 2]))
    }

    @Test func `nextChannel that is about to close`() {
        relay.channel(5) { $0.statusValue = ChannelStatus.pendingToClose.rawValue }
        expect(.nextChannel)
    }

    @Test func `nextFunds`() {
        relay.channel(5) { $0.balance = 199 }
        expect(.nextFunds)
        relay.channel(5) { $0.balance = 200 }
        expectTaken()
    }

    @Test func `nextFunds without a reserved index`() {
        relay.books.setNextIndex(5, 1 << 16)
        expect(.nextFunds)
        relay.books.raiseIndexLimit(5, to: 1 << 17)
        expectTaken()
        #expect(relay.books.nextIndex(5) == 1 << 16 + 1)
    }

    @Test func `storeFull`() {
        let world = World("room") { $0.unackedCapacity = 3 }
        for next in [2, 3, 4] { #expect(world.verdict(World.Recipe([1, next])).code != .replay) }
        let (verdict, changed) = world.verdict(World.Recipe([1, 2]))
        #expect(verdict == .storeFull && !changed)
    }

    @Test func `storeFull for a next hop over its share`() {
        // Three other neighbours: a third of twelve entries each, for next hops and for previous
        // ones.
        let world = World("share") { $0.unackedCapacity = 12 }
        for from in 0..<4 where from != 1 {
            for _ in 0..<2 {
                var recipe = World.Recipe([1, 4])
                recipe.signer = world.nodes[from].chainKey
                let taken = world.nodes[1].engine.peers.awaited(104) < 4
                let (verdict, changed) = world.verdict(recipe, from: from)
                #expect(verdict == (taken ? .none : .storeFull) && changed == taken)
            }
        }
        #expect(world.nodes[1].engine.peers.awaited(104) == 4)
        #expect(world.verdict(World.Recipe([1, 2])).code == .none)
    }

    @Test func `storeFull for a previous hop over its share`() {
        let world = World("share") { $0.unackedCapacity = 12 }
        for next in [2, 2, 3, 3] { #expect(world.verdict(World.Recipe([1, next])).code == .none) }
        #expect(world.verdict(World.Recipe([1, 4])).code == .storeFull)
    }

    @Test func `mixerFull`() {
        let result = relay.process(
            [
                (world.packet(World.Recipe([1, 2])), 100),
                (world.packet(World.Recipe([1, 3])), 100),
            ],
            mixerRoom: 1
        )
        #expect(result.verdicts == [.none, .mixerFull])
        #expect(relay.engine.replay.count == 1)
    }

    @Test func `paddingInvalid`() {
        var recipe = World.Recipe([1])
        recipe.payload = { payload in
            for index in payload.indices { payload[index] = 0 }
        }
        expect(.paddingInvalid, recipe)
    }

    @Test func `messageInvalid`() {
        expect(.messageInvalid, World.Recipe([1], message: []))
        expect(.messageInvalid, World.Recipe([1], message: [0x40]))
        expect(.messageInvalid, World.Recipe([1], message: [0x01]))
        expectTaken(World.Recipe([1], message: [0x30]))
    }

    @Test func `messageInvalid for a reply without acknowledgement`() {
        var recipe = World.Recipe([1])
        recipe.reply = true
        recipe.noAck = true
        expect(.messageInvalid, recipe)
    }

    @Test func `payloadTagged is acknowledged but not delivered`() {
        var recipe = World.Recipe([1])
        recipe.payload = { $0[3] = 1 }
        let result = relay.process(world.packet(recipe), from: 100)
        #expect(result.verdicts[0] == .payloadTagged)
        #expect(result.outcome.acknowledge == 1 && result.outcome.delivered == 0)
        #expect(relay.drain().isEmpty)
    }

    @Test func `deliveryFull`() {
        for _ in 0..<1_000 where relay.count(.deliveryFull) == 0 {
            _ = relay.process(world.packet(World.Recipe([1])), from: 100)
        }
        let tags = relay.engine.replay.count
        let packet = world.packet(World.Recipe([1]))
        #expect(relay.process(packet, from: 100).verdicts[0] == .deliveryFull)
        #expect(relay.engine.replay.count == tags)
        #expect(!relay.drain().isEmpty)
        #expect(relay.process(packet, from: 100).verdicts[0] == .none)
    }
}

extension TestNode {
    /// The half-key that this node derives from a packet's secret.
    func ownHalfKey(of secret: Bytes32) -> Bytes32 {
        let memory = Memory(256)
        memory.region.store(secret, 0)
        Kernels.halfKeys(
            secret: Lanes(memory.region.slice(0, 32)),
            own: Lanes(memory.region.slice(64, 32)),
            ack: Lanes(memory.region.slice(128, 32)),
            live: 1
        )
        return memory.region.load(64)
    }
}
