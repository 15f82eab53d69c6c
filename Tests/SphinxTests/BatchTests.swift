import Bytes
import Crypto
import JSON
import Sphinx
import TestSupport
import Testing

/// Packets for one node, made on the spot: relayed and final ones.
private struct Mill {
    let bench: Bench
    let key = PacketKey.make([UInt8](repeating: 3, count: 32))
    let next = PacketKey.make([UInt8](repeating: 4, count: 32))

    func packet(relayed: Bool, _ random: inout SeededGenerator) -> [UInt8] {
        var path = PathNodes()
        _ = path.append(keyID: 1, publicKey: key.publicKey)
        if relayed { _ = path.append(keyID: 2, publicKey: next.publicKey) }
        var seed = random.bytes(32)
        let secrets = seed.withRegion {
            Build.derive(seed: $0, nodes: path, scratch: bench.build)
        }
        var padding = random.bytes(222)
        let header = padding.withRegion {
            Build.seal(
                secrets: secrets,
                nodes: path,
                proofs: [3 of ProofString](repeating: ProofString()),
                noAck: false,
                reply: false,
                senderID: SenderID(),
                padding: $0,
                scratch: bench.build
            )
        }
        var packet = random.bytes(bench.geometry.packetBytes)
        packet.withRegion { packet in
            let payload = packet.slice(Geometry.payloadOffset, bench.geometry.payloadBytes)
            Build.encrypt(payload: payload, secrets: secrets, scratch: bench.build)
            Build.write(alpha: secrets.alpha, header: header, to: packet)
        }
        return packet
    }

    /// A packet that is whole, or spoilt in one of its parts.
    func any(_ random: inout SeededGenerator) -> [UInt8] {
        var packet = packet(relayed: Bool.random(using: &random), &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: packet[Int.random(in: 0..<32, using: &random)] ^= 4
        case 1: packet[Int.random(in: 32..<273, using: &random)] ^= 1
        case 2: packet[Int.random(in: 273..<289, using: &random)] ^= 128
        case 3: packet.replaceSubrange(0..<32, with: [1] + [UInt8](repeating: 0, count: 31))
        default: break
        }
        return packet
    }
}

/// All that a lane of scratch says to later stages.
private func findings(_ scratch: PeelScratch, _ lane: Int) -> [UInt8] {
    var all = scratch.secret[lane].array + scratch.tag[lane].array
    all += scratch.ownHalfKey[lane].array + scratch.ackHalfKey[lane].array
    all.append(scratch.prefix[lane].rawValue)
    if scratch.prefix[lane].isFinal { return all + scratch.senderID[lane].array }
    return all + scratch.proof[lane].array + [UInt8(truncatingIfNeeded: scratch.nextKeyID[lane])]
}

@Test(arguments: [Geometry.head, .v4, .mix13])
func `a batch is peeled as its packets one by one`(geometry: Geometry) {
    var random = SeededGenerator("batch equals single")
    let bench = Bench(geometry)
    let single = Bench(geometry)
    let mill = Mill(bench: bench)
    for count in [1, 7, 8, 9, 64] {
        let packets = (0..<count).map { _ in mill.any(&random) }
        var slots = (0..<UInt32(Bench.slots)).shuffled(using: &random)
        slots.removeLast(Bench.slots - count)
        var batch = Batch()
        for (lane, packet) in packets.enumerated() {
            bench.put(packet, slot: slots[lane])
            batch.append(slot: slots[lane], byteCount: UInt32(packet.count), source: 0)
        }
        // Some lanes were dropped before; nobody looks at them.
        let out = UInt64.random(in: 0...UInt64.max, using: &random) & batch.live & 0x1111_1111
        batch.drop(mask: out, .peerBudget)
        Peel.peel(
            &batch,
            slab: bench.slab,
            geometry: geometry,
            key: mill.key.peelKey,
            scratch: bench.scratch
        )
        for (lane, packet) in packets.enumerated() {
            let after = bench.packet(slot: slots[lane])
            let verdict = batch.verdict(lane)
            if out.contains(lane) {
                #expect(verdict == .peerBudget && after == packet)
                continue
            }
            let alone = single.peel(packet, key: mill.key)
            #expect(verdict == alone.verdict)
            #expect(after == alone.packet)
            let live = batch.live.contains(lane)
            #expect(live == (verdict == .none))
            if verdict == .none {
                #expect(findings(bench.scratch, lane) == findings(single.scratch, 0))
            } else {
                #expect(after == packet)
            }
        }
    }
}

@Test func `a flipped bit of alpha, header or MAC is refused and nothing is written`() {
    var random = SeededGenerator("flipped bits")
    let bench = Bench(.head)
    let mill = Mill(bench: bench)
    let packet = mill.packet(relayed: true, &random)
    let bits = Geometry.payloadOffset * 8
    var chosen = Set([0, 254, 255, 256, bits - 1, Geometry.macOffset * 8 - 1])
    while chosen.count < 128 { chosen.insert(Int.random(in: 0..<bits, using: &random)) }
    let order = chosen.sorted()
    for start in stride(from: 0, to: order.count, by: 64) {
        var batch = Batch()
        var spoilt: [[UInt8]] = []
        for (lane, bit) in order[start..<min(start + 64, order.count)].enumerated() {
            var copy = packet
            copy[bit / 8] ^= 1 << UInt8(bit % 8)
            bench.put(copy, slot: UInt32(lane))
            batch.append(slot: UInt32(lane), byteCount: UInt32(copy.count), source: 0)
            spoilt.append(copy)
        }
        Peel.peel(
            &batch,
            slab: bench.slab,
            geometry: .head,
            key: mill.key.peelKey,
            scratch: bench.scratch
        )
        let live = batch.live
        #expect(live == 0)
        for (lane, copy) in spoilt.enumerated() {
            let verdict = batch.verdict(lane)
            #expect(verdict == .headerMac || verdict == .alphaInvalid)
            #expect(bench.packet(slot: UInt32(lane)) == copy)
        }
    }
}

@Test func `a flipped bit of the payload is not delivered`() {
    // A block of noise passes for a message once in some thousand times, so the seed is fixed.
    var random = SeededGenerator("payload bits", seed: 1)
    let bench = Bench(.head)
    let mill = Mill(bench: bench)
    // A real message, so that only the flip can spoil it.
    var path = PathNodes()
    _ = path.append(keyID: 1, publicKey: mill.key.publicKey)
    _ = path.append(keyID: 2, publicKey: mill.next.publicKey)
    var seed = random.bytes(32)
    let secrets = seed.withRegion { Build.derive(seed: $0, nodes: path, scratch: bench.build) }
    var padding = random.bytes(222)
    let header = padding.withRegion {
        Build.seal(
            secrets: secrets,
            nodes: path,
            proofs: [3 of ProofString](repeating: ProofString()),
            noAck: false,
            reply: false,
            senderID: SenderID(),
            padding: $0,
            scratch: bench.build
        )
    }
    var packet = random.bytes(1461)
    packet.withRegion { packet in
        let payload = packet.slice(Geometry.payloadOffset, 1040)
        var text = Message.encode(signal: .none, surbs: [], text: Array("hello".utf8))
        text.withRegion { Padding.pad($0, into: payload) }
        Build.encrypt(payload: payload, secrets: secrets, scratch: bench.build)
        Build.write(alpha: secrets.alpha, header: header, to: packet)
    }
    for hop in 0..<2 {
        for _ in 0..<24 {
            var first = packet
            let bit = Int.random(in: Geometry.payloadOffset * 8..<1329 * 8, using: &random)
            if hop == 0 { first[bit / 8] ^= 1 << UInt8(bit % 8) }
            var second = bench.peel(first, key: mill.key).packet
            if hop == 1 { second[bit / 8] ^= 1 << UInt8(bit % 8) }
            let (verdict, last) = bench.peel(second, key: mill.next)
            #expect(verdict == .none)
            let block = Array(last[Geometry.payloadOffset..<1329])
            guard case .failure(let refusal) = Message.unpack(block, geometry: .head) else {
                Issue.record("delivered with bit \(bit) flipped at hop \(hop)")
                continue
            }
            #expect(refusal.drop == .payloadTagged || refusal.drop == .paddingInvalid)
        }
    }
    let whole = bench.peel(bench.peel(packet, key: mill.key).packet, key: mill.next).packet
    let message = try? Message.unpack(
        Array(whole[Geometry.payloadOffset..<1329]),
        geometry: .head
    ).get()
    #expect(message?.text == Array("hello".utf8))
}

@Test func `another of our keys can still open what the first could not`() {
    var random = SeededGenerator("previous key")
    let bench = Bench(.head)
    let mill = Mill(bench: bench)
    let packet = mill.packet(relayed: true, &random)
    bench.put(packet, slot: 0)
    var batch = Batch()
    batch.append(slot: 0, byteCount: 1461, source: 0)
    let first = Peel.open(
        batch,
        lanes: 1,
        slab: bench.slab,
        geometry: .head,
        key: mill.next.peelKey,
        scratch: bench.scratch
    )
    #expect(first.headerMac == 1 && first.opened == 0)
    let second = Peel.open(
        batch,
        lanes: first.headerMac,
        slab: bench.slab,
        geometry: .head,
        key: mill.key.peelKey,
        scratch: bench.scratch
    )
    #expect(second.opened == 1 && second.final == 0)
    #expect(bench.packet(slot: 0) == packet)
}
