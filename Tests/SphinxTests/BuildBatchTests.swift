import Bytes
import Crypto
import Sphinx
import TestSupport
import Testing

/// All that goes into one packet.
private struct Order {
    let nodes: PathNodes
    let seed: Bytes32
    var proofs = [3 of ProofString](repeating: ProofString())
    let senderID: SenderID
    let padding: FixedBytes<222>
    let noAck: Bool
    let reply: Bool
    let payload: [UInt8]

    /// Anything, over one to four of `keys` if no length is given.
    init(_ keys: [PacketKey], length: Int? = nil, _ random: inout SeededGenerator) {
        var path = PathNodes()
        for _ in 0..<(length ?? Int.random(in: 1...4, using: &random)) {
            let key = keys[Int.random(in: keys.indices, using: &random)]
            let id = UInt32.random(in: 0...UInt32.max, using: &random)
            _ = path.append(keyID: id, publicKey: key.publicKey)
        }
        nodes = path
        seed = random.fixed()
        for index in 0..<3 { proofs[index] = random.fixed() }
        senderID = random.fixed()
        padding = random.fixed()
        noAck = Bool.random(using: &random)
        reply = Bool.random(using: &random)
        payload = random.bytes(Geometry.head.payloadBytes)
    }

    /// The same over a path that has no point at that index.
    func spoilt(at index: Int) -> Order { Order(self, spoiltAt: index) }

    private init(_ other: Order, spoiltAt index: Int) {
        var path = PathNodes()
        var noPoint = Bytes32()
        noPoint[0] = 2
        for node in 0..<other.nodes.count {
            let key = node == index ? noPoint : other.nodes.publicKeys[node]
            _ = path.append(keyID: other.nodes.keyIDs[node], publicKey: key)
        }
        nodes = path
        seed = other.seed
        proofs = other.proofs
        senderID = other.senderID
        padding = other.padding
        noAck = other.noAck
        reply = other.reply
        payload = other.payload
    }
}

/// What comes out, secrets included.
private struct Outcome: Equatable {
    var secrets: [Bytes32] = []
    var halfKeys: [Bytes32] = []
    var packet: [UInt8] = []
}

extension SeededGenerator {
    fileprivate mutating func fixed<let n: Int>() -> FixedBytes<n> {
        guard let value = FixedBytes<n>(bytes(n)) else { fatalError("length") }
        return value
    }
}

/// Builds orders alone and together.
private final class Workshop {
    static let keys = (1...6).map { PacketKey.make([UInt8](repeating: $0, count: 32)) }
    let bench = Bench(.head)
    let scratch: BuildScratch
    var slots = [64 of UInt32](repeating: 0)
    private let memory: Memory

    init() {
        var measure = Arena()
        _ = BuildScratch(&measure, lanes: 64)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        scratch = BuildScratch(&arena, lanes: 64)
    }

    func shuffle(_ random: inout SeededGenerator) {
        for (lane, slot) in (0..<UInt32(64)).shuffled(using: &random).enumerated() {
            slots[lane] = slot
        }
    }

    /// One packet by the calls for one.
    func alone(_ order: Order) -> Outcome {
        var outcome = Outcome()
        var (seed, padding) = (order.seed.array, order.padding.array)
        let secrets = seed.withRegion {
            Build.derive(seed: $0, nodes: order.nodes, scratch: bench.build)
        }
        outcome.read(secrets.secrets, secrets.ownHalfKeys, secrets.ackHalfKeys, secrets.count)
        let header = padding.withRegion {
            Build.seal(
                secrets: secrets,
                nodes: order.nodes,
                proofs: order.proofs,
                noAck: order.noAck,
                reply: order.reply,
                senderID: order.senderID,
                padding: $0,
                scratch: bench.build
            )
        }
        outcome.packet = [UInt8](repeating: 0xee, count: bench.geometry.packetBytes)
        outcome.packet.withRegion { packet in
            let payload = packet.slice(Geometry.payloadOffset, bench.geometry.payloadBytes)
            payload.store(bytes: order.payload, 0)
            Build.encrypt(payload: payload, secrets: secrets, scratch: bench.build)
            Build.write(alpha: secrets.alpha, header: header, to: packet)
        }
        return outcome
    }

    /// Puts orders into lanes and their payloads into slots.
    func take(_ orders: [Order]) {
        for (lane, order) in orders.enumerated() {
            scratch.nodes[lane] = order.nodes
            scratch.seed[lane] = order.seed
            scratch.proofs[lane] = order.proofs
            scratch.senderID[lane] = order.senderID
            scratch.padding[lane] = order.padding
            let packet = bench.slab.packet(slots[lane], bench.geometry.packetBytes)
            packet.fill(0xee)
            packet.store(bytes: order.payload, Geometry.payloadOffset)
        }
    }

    /// All steps over `lanes`; returns those that were built.
    func together(_ orders: [Order], lanes: LaneMask) -> LaneMask {
        let built = Build.derive(lanes: lanes, scratch: scratch)
        func mask(_ flag: (Order) -> Bool) -> LaneMask {
            orders.indices.reduce(0) { flag(orders[$1]) ? $0 | 1 << LaneMask($1) : $0 }
        }
        Build.seal(
            lanes: built,
            noAck: mask(\.noAck),
            reply: mask(\.reply),
            scratch: scratch
        )
        let payloads = Payloads(bench.slab, slots: slots, geometry: bench.geometry)
        Build.encrypt(lanes: built, payloads: payloads, scratch: scratch)
        Build.write(lanes: built, slab: bench.slab, slots: slots, scratch: scratch)
        return built
    }

    /// What stands in a lane.
    func outcome(_ lane: Int, _ count: Int) -> Outcome {
        var outcome = Outcome()
        outcome.read(
            scratch.secrets[lane],
            scratch.ownHalfKeys[lane],
            scratch.ackHalfKeys[lane],
            count
        )
        outcome.packet = bench.packet(slot: slots[lane])
        return outcome
    }
}

extension Outcome {
    fileprivate mutating func read(
        _ secrets: [4 of Bytes32],
        _ own: [4 of Bytes32],
        _ ack: [4 of Bytes32],
        _ count: Int
    ) {
        for node in 0..<count {
            self.secrets.append(secrets[node])
            halfKeys += [own[node], ack[node]]
        }
    }
}

@Test func `packets made together are the packets made one by one`() {
    var random = SeededGenerator("build batch equals single")
    let shop = Workshop()
    for count in Array(1...16) + [64] {
        shop.shuffle(&random)
        let orders = (0..<count).map { _ in Order(Workshop.keys, &random) }
        shop.take(orders)
        #expect(shop.together(orders, lanes: .first(count)) == .first(count))
        for (lane, order) in orders.enumerated() {
            #expect(shop.outcome(lane, order.nodes.count) == shop.alone(order), "\(count) \(lane)")
        }
    }
}

@Test(arguments: 1...4)
func `paths of one length are built together as one by one`(length: Int) {
    var random = SeededGenerator("build batch of one length")
    let shop = Workshop()
    let orders = (0..<64).map { _ in Order(Workshop.keys, length: length, &random) }
    shop.shuffle(&random)
    shop.take(orders)
    #expect(shop.together(orders, lanes: .max) == .max)
    for (lane, order) in orders.enumerated() {
        #expect(shop.outcome(lane, length) == shop.alone(order))
    }
}

@Test func `a public key that is no point is reported for its lane alone`() {
    var random = SeededGenerator("no point in a lane")
    let shop = Workshop()
    for count in [1, 3, 8, 17, 64] {
        shop.shuffle(&random)
        var orders = (0..<count).map { _ in Order(Workshop.keys, &random) }
        let bad = Int.random(in: 0..<count, using: &random)
        let node = Int.random(in: 0..<orders[bad].nodes.count, using: &random)
        orders[bad] = orders[bad].spoilt(at: node)
        shop.take(orders)
        let before = shop.bench.packet(slot: shop.slots[bad])
        let built = shop.together(orders, lanes: .first(count))
        #expect(built == LaneMask.first(count) & ~(1 << LaneMask(bad)))
        #expect(shop.bench.packet(slot: shop.slots[bad]) == before)
        for (lane, order) in orders.enumerated() where lane != bad {
            #expect(shop.outcome(lane, order.nodes.count) == shop.alone(order))
        }
    }
}

@Test func `a path without nodes is not built`() {
    let shop = Workshop()
    shop.scratch.nodes[0] = PathNodes()
    #expect(Build.derive(lanes: 1, scratch: shop.scratch) == 0)
}

@Test func `lanes that are not meant keep what they had`() {
    var random = SeededGenerator("build lanes untouched")
    let shop = Workshop()
    shop.shuffle(&random)
    let orders = (0..<64).map { _ in Order(Workshop.keys, &random) }
    shop.take(orders)
    let live = UInt64.random(in: 1...UInt64.max, using: &random)
    let columns = [
        shop.scratch.alpha.region, shop.scratch.secrets.region,
        shop.scratch.ownHalfKeys.region, shop.scratch.ackHalfKeys.region,
        shop.scratch.seed.region, shop.scratch.proofs.region, shop.scratch.senderID.region,
        shop.scratch.padding.region, shop.scratch.nodes.region,
    ]
    for output in columns[..<4] { output.store(bytes: random.bytes(output.byteCount), 0) }
    let before = columns.map(\.array)
    let packets = (0..<64).map { shop.bench.packet(slot: shop.slots[$0]) }
    #expect(shop.together(orders, lanes: live) == live)
    for lane in 0..<64 where !live.contains(lane) {
        for (column, old) in zip(columns, before) {
            let bytes = column.byteCount / 64
            #expect(
                column.slice(lane * bytes, bytes).array
                    == Array(old[lane * bytes..<(lane + 1) * bytes])
            )
        }
        #expect(shop.bench.packet(slot: shop.slots[lane]) == packets[lane])
    }
    for (lane, order) in orders.enumerated() where live.contains(lane) {
        #expect(shop.outcome(lane, order.nodes.count) == shop.alone(order))
    }
}

@Test func `a wiped scratch has no secret left`() {
    var random = SeededGenerator("wiped scratch")
    let shop = Workshop()
    let orders = (0..<64).map { _ in Order(Workshop.keys, &random) }
    shop.shuffle(&random)
    shop.take(orders)
    #expect(shop.together(orders, lanes: .max) == .max)
    let header = shop.scratch.sealed(lane: 63)
    shop.scratch.wipe()
    let secret = [
        shop.scratch.seed.region, shop.scratch.senderKey.region, shop.scratch.secrets.region,
        shop.scratch.ownHalfKeys.region, shop.scratch.ackHalfKeys.region,
    ]
    for region in secret { #expect(region.array.allSatisfy { $0 == 0 }) }
    #expect(shop.scratch.sealed(lane: 63).bytes == header.bytes)
}

@Test func `replies are encrypted and opened together as one by one`() {
    var random = SeededGenerator("reply batch equals single")
    let shop = Workshop()
    let bytes = shop.bench.geometry.payloadBytes
    for count in Array(1...16) + [64] {
        let memory = Memory(64 * bytes)
        let blocks = Payloads(memory.region, stride: bytes, byteCount: bytes)
        memory.region.fill(0xee)
        let openers = (0..<count).map { _ in ReplyOpener.random(&random) }
        let texts = openers.map { _ in random.bytes(bytes) }
        // Lane 1, if there is one, is not meant.
        let lanes = LaneMask.first(count) & ~2
        func check(_ single: (Int, Region) -> Void) {
            for (lane, text) in texts.enumerated() {
                var expected = text
                if lanes.contains(lane) { expected.withRegion { single(lane, $0) } }
                #expect(memory.region.slice(lane * bytes, bytes).array == expected)
                memory.region.store(bytes: text, lane * bytes)
            }
        }
        for (lane, text) in texts.enumerated() {
            memory.region.store(bytes: text, lane * bytes)
            shop.scratch.senderID[lane] = openers[lane].senderID
            shop.scratch.senderKey[lane] = openers[lane].senderKey
        }
        Reply.encrypt(lanes: lanes, payloads: blocks, scratch: shop.scratch)
        check { lane, block in
            Reply.encrypt(
                payload: block,
                surbSenderID: openers[lane].senderID,
                senderKey: openers[lane].senderKey,
                scratch: shop.bench.build
            )
        }
        for (lane, opener) in openers.enumerated() { shop.scratch.put(opener, lane: lane) }
        Reply.open(lanes: lanes, payloads: blocks, scratch: shop.scratch)
        check { lane, block in
            Reply.open(payload: block, opener: openers[lane], scratch: shop.bench.build)
        }
        let rest = memory.region.slice(count * bytes, (64 - count) * bytes).array
        #expect(rest.allSatisfy { $0 == 0xee })
    }
}

extension ReplyOpener {
    fileprivate static func random(_ random: inout SeededGenerator) -> ReplyOpener {
        var opener = ReplyOpener()
        opener.senderID = random.fixed()
        opener.senderKey = random.fixed()
        opener.count = Int.random(in: 1...4, using: &random)
        for node in 0..<opener.count { opener.secrets[node] = random.fixed() }
        return opener
    }
}
