import Bytes
import Exchange
import Gateway
import Sphinx
import TestSupport
import Testing

@Test(arguments: [Geometry.head, .v4, .mix13])
func `datagrams of every length come back whole`(geometry: Geometry) {
    var world = World("lengths", geometry: geometry)
    for length in [0, 1, 100, 900, 1_000, 1_040, 2_000, 3_300, 4_095, 4_096] {
        let bytes = world.random.bytes(length)
        world.send(bytes)
        world.run(millis: 600)
        #expect(world.atTarget.last == bytes)
        #expect(world.delivered.last?.bytes == bytes)
    }
    #expect(world.delivered.count == 10)
    #expect(world.exit.counters.garbage == 0 && world.entry.counters.garbage == 0)
}

@Test func `longer datagrams are dropped and counted on both sides`() {
    var world = World("too long")
    world.send([UInt8](repeating: 1, count: 4_097))
    world.run(millis: 200)
    #expect(world.entry.counters.tooLong == 1 && world.atTarget.isEmpty)
    world.answer = { _ in [UInt8](repeating: 1, count: 4_097) }
    world.send([1])
    // There, to the target and back: up to 80 ms each.
    world.run(millis: 300)
    #expect(world.exit.counters.tooLong == 1 && world.delivered.isEmpty)
}

@Test(arguments: UInt64(0)..<8)
func `under loss, copies and reordering nothing false is delivered`(seed: UInt64) {
    var world = World("rough network", seed: seed)
    world.loss = 100
    world.copies = 200
    var sent = Set<[UInt8]>()
    for number in 0..<120 {
        let bytes =
            [UInt8(number)] + world.random.bytes(Int.random(in: 0...4_095, using: &world.random))
        sent.insert(bytes)
        world.send(bytes, from: UInt16(1 + number % 3))
        world.run(millis: 100)
    }
    world.run(millis: 10_000)
    #expect(world.atTarget.allSatisfy { sent.contains($0) })
    #expect(world.delivered.allSatisfy { sent.contains($0.bytes) })
    // A copy is recognised: nothing comes twice.
    #expect(Set(world.atTarget).count == world.atTarget.count)
    #expect(Set(world.delivered.map(\.bytes)).count == world.delivered.count)
    #expect(world.delivered.count > 20)
    #expect(world.exit.sizes.waiting == 0)
}

@Test func `answers reach the client that asked`() {
    var world = World("clients")
    for port in UInt16(1)...20 { world.send([UInt8(port), 9], from: port) }
    world.run(millis: 1_000)
    #expect(world.delivered.count == 20)
    for item in world.delivered {
        #expect(item.client == World.client(UInt16(item.bytes[0])))
    }
    // All of them under one pseudonym, with one stock.
    #expect(world.exit.sizes.sessions == 1 && world.exit.sizes.flows == 20)
}

@Test func `the stock of SURBs follows the rate and never runs dry for long`() {
    var world = World("stock")
    for _ in 0..<400 {
        world.send(world.random.bytes(300))
        world.run(millis: 10)
    }
    world.run(millis: 2_000)
    #expect(world.delivered.count == 400)
    #expect(world.exit.counters.noSURB == 0)
    #expect(world.exit.sizes.surbs <= world.exit.limits.surbsPerSession)
}

@Test func `a target that sends far more than it is asked for gets SURBs as it uses them`() {
    var world = World("one to many")
    world.send([1])
    world.run(millis: 200)
    // The target pushes on its own accord: the exit asks by signal, the entry refills.
    guard let flow = world.flow else {
        Issue.record("no flow")
        return
    }
    for _ in 0..<200 {
        let actions = world.exit.answer(flow, world.random.bytes(900), now: world.now)
        world.perform(actions)
        world.run(millis: 10)
    }
    world.run(millis: 3_000)
    #expect(world.delivered.count == 201)
}

@Test func `an exit that lost all SURBs gets new ones after a silence`() {
    var world = World("silence")
    world.send([1])
    world.run(millis: 500)
    #expect(world.delivered.count == 1)
    // Everything sent now is lost, SURBs and questions alike.
    world.loss = 1_000
    for _ in 0..<12 {
        world.send([2])
        world.run(millis: 50)
    }
    world.run(millis: 500)
    world.loss = 0
    world.send([3])
    world.run(millis: 5_000)
    #expect(world.delivered.last?.bytes == [3])
    world.send([4])
    world.run(millis: 1_000)
    #expect(world.delivered.last?.bytes == [4])
}

@Test func `into a dead network only a few refills are sent`() {
    var world = World("dead network")
    world.loss = 1_000
    world.send([1])
    world.run(millis: 60_000)
    let messages = world.entry.counters.messages
    #expect(messages <= 60)
    world.run(millis: 60_000)
    #expect(world.entry.counters.messages == messages)
}

@Test func `a target that never answers costs few refills`() {
    var world = World("one way")
    world.answer = { _ in nil }
    for _ in 0..<1_200 {
        world.send([UInt8](repeating: 1, count: 900))
        world.run(millis: 100)
    }
    world.run(millis: 300)
    #expect(world.atTarget.count == 1_200)
    // Two minutes: refills at the start, and after 1, 2, 4, … 60 seconds.
    #expect(world.entry.counters.messages - 1_200 <= 8 * 9)
}

@Test func `only targets on the list as written are served`() {
    var world = World("list", targets: ["T:1", "t:01", "t:2"])
    world.send([1])
    world.run(millis: 1_500)
    #expect(world.atTarget.isEmpty && world.exit.sizes.flows == 0)
    #expect(world.refusals == [.target])
    // One answer a second, however often it is tried.
    for _ in 0..<50 { world.send([1]) }
    world.run(millis: 500)
    #expect(world.refusals.count == 2)
    #expect(world.exit.counters.refused == 51)
}

@Test func `a reload closes flows whose target left the list`() {
    var world = World("reload")
    world.send([1])
    world.run(millis: 500)
    #expect(world.exit.sizes.flows == 1)
    let closed = world.exit.reload(targets: ["other:1"])
    #expect(closed.count == 1 && world.exit.sizes.flows == 0)
}

@Test func `idle flows and pseudonyms expire on both sides`() {
    var world = World("idle")
    world.send([1])
    world.run(millis: 500)
    #expect(world.exit.sizes.flows == 1 && world.entry.sizes.flows == 1)
    world.run(millis: 61_000)
    #expect(world.exit.sizes.flows == 0 && world.entry.sizes.flows == 0)
    world.now += 600_000_000_000
    world.run(millis: 1_000)
    #expect(world.exit.sizes == (0, 0, 0, 0))
    #expect(world.entry.sizes == (0, 0, 0))
}

@Test func `new flows take a new pseudonym after a while, old ones after an hour`() {
    var world = World("rotation")
    world.send([1], from: 1)
    world.run(millis: 100)
    #expect(world.entry.counters.pseudonyms == 1)
    world.now += Entry.rotateNanos
    world.send([1], from: 2)
    #expect(world.entry.counters.pseudonyms == 2)
    // Keeps the first flow's old name alive without a rest.
    world.run(millis: 100)
    world.send([1], from: 1)
    world.send([1], from: 2)
    #expect(world.entry.counters.pseudonyms <= 3)
    world.now += Entry.lifeNanos
    world.send([1], from: 2)
    let before = world.delivered.count
    world.run(millis: 1_000)
    #expect(world.delivered.count > before)
    #expect(world.entry.counters.pseudonyms >= 3)
}

@Test func `all tables keep their bounds`() {
    var limits = Limits()
    limits.sessions = 4
    limits.flows = 10
    limits.flowsPerSession = 5
    limits.surbs = 40
    limits.surbsPerSession = 20
    limits.waiting = 12
    limits.waitingPerSession = 6
    limits.partials = 6
    limits.partialsPerSession = 3
    limits.packetsPerSecond = 100_000
    var exit = Exit(geometry: .head, targets: ["t:1"], limits: limits)
    var random = SeededGenerator("bounds")
    var now: UInt64 = 0
    var flows: [Exit.FlowID] = []
    for _ in 0..<4_000 {
        now += UInt64.random(in: 0..<2_000_000, using: &random)
        var pseudonym = Pseudonym()
        pseudonym[0] = UInt8.random(in: 0..<8, using: &random)
        let surbs = (0..<Int.random(in: 0..<3, using: &random)).map { _ in
            Exit.SURBEntry(senderID: SenderID(), bytes: [])
        }
        let total = Bool.random(using: &random) ? 2 : 5
        let piece = Frame.Piece(
            flow: UInt32.random(in: 0..<12, using: &random),
            datagram: UInt32.random(in: 0..<1_000, using: &random),
            total: total,
            offset: 0,
            bytes: [1, 2]
        )
        let actions = exit.message(
            from: pseudonym,
            surbs: surbs,
            text: Frame.forward(piece, target: "t:1").encoded,
            now: now
        )
        for case .datagram(let flow, _, _) in actions { flows.append(flow) }
        if let flow = flows.randomElement(using: &random) {
            _ = exit.answer(flow, random.bytes(3_000), now: now)
        }
        let sizes = exit.sizes
        #expect(sizes.sessions <= 4 && sizes.flows <= 10)
        #expect(sizes.surbs <= 40 && sizes.waiting <= 12)
    }
    #expect(exit.counters.refused > 0 && exit.counters.incomplete > 0)
    #expect(exit.counters.noSURB > 0)
    now += 10_000_000_000
    _ = exit.tick(now: now)
    #expect(exit.sizes.waiting == 0)
}

@Test func `a resting pseudonym makes room for a new one, a busy one does not`() {
    var limits = Limits()
    limits.sessions = 2
    var exit = Exit(geometry: .head, targets: ["t:1"], limits: limits)
    let surb = Exit.SURBEntry(senderID: SenderID(), bytes: [])
    func visit(_ name: UInt8, _ frame: Frame, _ now: UInt64) -> UInt64 {
        var pseudonym = Pseudonym()
        pseudonym[0] = name
        _ = exit.message(from: pseudonym, surbs: [surb], text: frame.encoded, now: now)
        return exit.counters.refused
    }
    let piece = Frame.Piece(flow: 1, datagram: 1, total: 1, offset: 0, bytes: [1])
    #expect(visit(1, .forward(piece, target: "t:1"), 1) == 0)
    #expect(visit(2, .refill, 2) == 0)
    // The second one has just been here.
    #expect(visit(3, .refill, 3) == 1)
    #expect(visit(3, .refill, 20_000_000_000) == 1)
    #expect(visit(1, .refill, 20_000_000_001) == 1)
    let sizes = exit.sizes
    #expect(sizes.sessions == 2 && sizes.surbs == 3)
}

@Test func `SURBs that their maker can no longer open are not used`() {
    var exit = Exit(geometry: .head, targets: ["t:1"])
    let surb = Exit.SURBEntry(senderID: SenderID(), bytes: [])
    let piece = Frame.Piece(flow: 1, datagram: 1, total: 1, offset: 0, bytes: [1])
    let text = Frame.forward(piece, target: "t:1").encoded
    _ = exit.message(from: Pseudonym(), surbs: [surb, surb], text: text, now: 0)
    _ = exit.message(
        from: Pseudonym(),
        surbs: [surb],
        text: Frame.refill.encoded,
        now: 400_000_000_000
    )
    _ = exit.tick(now: 560_000_000_000)
    #expect(exit.sizes.surbs == 1)
}

@Test func `a pseudonym over its rate is not served`() {
    var limits = Limits()
    limits.packetsPerSecond = 10
    var exit = Exit(geometry: .head, targets: ["t:1"], limits: limits)
    func push(_ now: UInt64) -> Int {
        let piece = Frame.Piece(
            flow: 1,
            datagram: UInt32(now & 0xffff),
            total: 1,
            offset: 0,
            bytes: [1]
        )
        return exit.message(
            from: Pseudonym(),
            surbs: [],
            text: Frame.forward(piece, target: "t:1").encoded,
            now: now
        ).count
    }
    let burst = (0..<50).reduce(0) { $0 + push(1_000_000_000 + UInt64($1)) }
    #expect(burst == 10 && exit.counters.rate == 40)
    let later = push(2_100_000_000)
    #expect(later == 1)
}

extension World {
    /// The one flow at the exit.
    var flow: Exit.FlowID? { exit.flowIDs.first }
}
