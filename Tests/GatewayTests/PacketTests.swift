import Bytes
import Crypto
import Exchange
import Gateway
import Sphinx
import TestSupport
import Testing

/// A few nodes that only peel.
private struct Network {
    let geometry: Geometry
    let keys: [PacketKey]
    private let memory: Memory
    private let slab: Slab
    private let scratch: PeelScratch

    init(_ geometry: Geometry, nodes: Int, _ random: inout SeededGenerator) {
        self.geometry = geometry
        keys = (0..<nodes).map { _ in
            SecretBytes(random.bytes(32)).withRegion { PacketKey(seed: $0) }
        }
        var measure = Arena()
        _ = measure.region(4096)
        _ = PeelScratch(&measure)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        slab = Slab(region: arena.region(4096), stride: 4096)
        scratch = PeelScratch(&arena)
    }

    func path(_ nodes: [Int]) -> PathNodes {
        var path = PathNodes()
        for node in nodes {
            _ = path.append(keyID: UInt32(node), publicKey: keys[node].publicKey)
        }
        return path
    }

    /// Carries a packet to where it ends.
    func carry(_ packet: [UInt8], from first: UInt32) -> (node: Int, delivery: Delivery)? {
        var node = Int(first)
        slab.packet(0, geometry.packetBytes).store(bytes: packet, 0)
        for _ in 0..<5 {
            var batch = Batch()
            batch.append(slot: 0, byteCount: UInt32(packet.count), source: 0)
            let key = keys[node]
            withExtendedLifetime(key) {
                Peel.peel(
                    &batch,
                    slab: slab,
                    geometry: geometry,
                    key: PeelKey(scalar: key.scalar, publicKey: key.signingKey.slice(32, 32)),
                    scratch: scratch
                )
            }
            guard batch.live == 1 else { return nil }
            guard scratch.prefix[0].isFinal else {
                node = Int(scratch.nextKeyID[0])
                continue
            }
            let bytes = slab.packet(0, geometry.packetBytes).array
            return (
                node,
                Delivery(
                    previousKeyID: 0,
                    senderID: scratch.senderID[0],
                    isReply: scratch.prefix[0].reply,
                    ackKey: scratch.ackHalfKey[0],
                    payload: Array(bytes[Geometry.payloadOffset..<geometry.ticketOffset]),
                    atNanos: 0
                )
            )
        }
        return nil
    }
}

@Test(arguments: [Geometry.head, .v4, .mix13, .head.with(surbBytes: 401), .v4.with(surbBytes: 402)])
func `a message goes out over every number of relays and each of its SURBs brings a reply back`(
    geometry: Geometry
) throws {
    var random = SeededGenerator("there and back")
    let network = Network(geometry, nodes: 6, &random)
    let factory = PacketFactory(geometry: geometry)
    for relays in 0...3 {
        let out = Array([1, 2, 3].prefix(relays)) + [4]
        let back = Array([3, 5, 1].prefix(relays)) + [0]
        let surbCount = geometry.surbCapacity(textBytes: 40)
        let text = random.bytes(40)
        let pseudonym = try #require(Pseudonym(random.bytes(10)))
        let made = try factory.message(
            PacketFactory.Request(
                pseudonym: pseudonym,
                forward: network.path(out),
                returns: [PathNodes](repeating: network.path(back), count: surbCount),
                text: text
            )
        ) { random.bytes($0) }
        #expect(made.openers.count == surbCount && made.nodeCount == relays + 1)
        let arrived = try #require(network.carry(made.packet, from: made.nextKeyID))
        #expect(arrived.node == 4)
        let read = factory.read(arrived.delivery) { _ in nil }
        guard case .message(let name, let surbs, let got) = read.content else {
            Issue.record("no message")
            return
        }
        #expect(name == pseudonym && got == text && surbs.count == surbCount)
        #expect(!read.isToBeAcknowledged)
        for (index, surb) in surbs.enumerated() {
            let answer = random.bytes(geometry.messageBytesMax - index)
            let reply = try factory.reply(
                surb: surb.bytes,
                senderID: surb.senderID,
                signal: .low,
                text: answer
            )
            let returned = try #require(network.carry(reply.packet, from: reply.nextKeyID))
            #expect(returned.node == 0 && returned.delivery.isReply)
            let opened = factory.read(returned.delivery) { id in
                made.openers.first { $0.senderID == id }
            }
            guard case .reply(let owner, let signal, let text) = opened.content else {
                Issue.record("no reply")
                return
            }
            #expect(owner == pseudonym && signal == 1 && text == answer)
            #expect(opened.isToBeAcknowledged)
            let unknown = factory.read(returned.delivery) { _ in nil }
            #expect(!unknown.isToBeAcknowledged)
        }
    }
}

@Test func `a reply is acknowledged when its padding has a marker, and only then`() throws {
    var random = SeededGenerator("acknowledged replies")
    let network = Network(.head, nodes: 2, &random)
    let factory = PacketFactory(geometry: .head)
    let made = try factory.message(
        PacketFactory.Request(
            pseudonym: nil,
            forward: network.path([1]),
            returns: [network.path([0])],
            text: []
        )
    ) { random.bytes($0) }
    let opener = try #require(made.openers.first)
    var counts = (acknowledged: 0, silent: 0)
    // A wrapped block of noise opens to noise, with a marker somewhere in 98 of 100.
    for _ in 0..<400 {
        let delivery = Delivery(
            previousKeyID: 0,
            senderID: opener.senderID,
            isReply: true,
            ackKey: Bytes32(),
            payload: random.bytes(1040),
            atNanos: 0
        )
        let read = factory.read(delivery) { _ in opener }
        guard case .refused(let drop) = read.content else { continue }
        #expect(read.isToBeAcknowledged == (drop != .paddingInvalid))
        if read.isToBeAcknowledged { counts.acknowledged += 1 } else { counts.silent += 1 }
    }
    #expect(counts.acknowledged > 300 && counts.silent < 50)
}

@Test func `what does not fit a packet is not built`() throws {
    var random = SeededGenerator("too much")
    let network = Network(.head, nodes: 2, &random)
    let factory = PacketFactory(geometry: .head)
    func build(_ request: PacketFactory.Request) throws {
        _ = try factory.message(request) { [UInt8](repeating: 1, count: $0) }
    }
    let path = network.path([1])
    #expect(throws: PacketFactory.Fault.size) {
        try build(.init(pseudonym: nil, forward: path, text: [UInt8](repeating: 0, count: 1039)))
    }
    #expect(throws: PacketFactory.Fault.size) {
        try build(
            .init(pseudonym: nil, forward: path, returns: [path, path, path], text: [])
        )
    }
    #expect(throws: PacketFactory.Fault.path) {
        try build(.init(pseudonym: nil, forward: PathNodes(), text: []))
    }
    #expect(throws: PacketFactory.Fault.size) {
        try factory.reply(surb: [1, 2], senderID: SenderID(), signal: .none, text: [])
    }
    for length in [0, 5, 255] {
        var surb = [UInt8](repeating: 0, count: 395)
        surb[309] = UInt8(length)
        #expect(throws: PacketFactory.Fault.path) {
            try factory.reply(surb: surb, senderID: SenderID(), signal: .none, text: [])
        }
    }
}
