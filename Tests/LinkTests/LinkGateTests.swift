import Bytes
import CAllocations
import Crypto
import Datapath
import TestSupport
import Testing

@testable import Link

/// Initiations and responses, and what gates and desks say of them.
@Suite struct LinkGateTests {
    private static let now: UInt64 = 5_000_000_000
    private static let elsewhere = DatagramAddress.six(7, port: 77)

    private let a = LinkNode(1)
    private let b = LinkNode(2)
    private let world: LinkWorld

    init() {
        world = LinkWorld([a, b], "gate")
        world.now = LinkGateTests.now
    }

    /// A new initiation of `a` to `b`.
    private func initiation() -> [UInt8] {
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        let start = world.now
        while world.now < start + 40_000_000_000 {
            world.now += 10_000_000
            let sent = a.run(world.now)
            if let first = sent.first { return first.1 }
        }
        Issue.record("no initiation")
        return []
    }

    private func verdict(_ bytes: [UInt8], from source: DatagramAddress? = nil) -> Drop {
        var bytes = bytes
        let from = source ?? a.address
        return bytes.withRegion {
            b.gate.check($0, from: from, nowNanos: world.now).drop
        }
    }

    @Test func `a flipped bit of head or message costs one hash, and padding counts for nothing`() {
        let good = initiation()
        #expect(verdict(good) == .none)
        for byte in 0..<LinkWire.initiationBytes {
            var bad = good
            bad[byte] ^= 1 << (byte % 8)
            let drop = verdict(bad)
            switch byte {
            case 0..<16: #expect(drop == .linkType || drop == .linkUnknown)
            // The second MAC is looked at only under load.
            case 160..<176: #expect(drop == .none)
            default: #expect(drop == .linkMac)
            }
        }
        var padded = good
        for byte in LinkWire.initiationBytes..<good.count { padded[byte] ^= 0xff }
        #expect(verdict(padded) == .none)
        #expect(b.desk.curveOperations == 0)
        #expect(b.receive(padded, from: a.address, world.now) == .none)
    }

    @Test func `a wrong length, type, index or counter is refused before any hash`() {
        let good = initiation()
        for count in [0, 1, 15, 16, 175, 176, 1_231, 1_233, 1_451] {
            #expect(verdict(Array(good[..<count])) == .linkSize)
        }
        #expect(verdict(good + [0]) == .linkSize)
        for type: UInt8 in [0, 5, 16, 255] {
            var bad = good
            bad[0] = type
            #expect(verdict(bad) == .linkType)
        }
        var bad = good
        bad[0] = 2
        #expect(verdict(bad) == .linkUnknown)
    }

    @Test func `a flipped bit behind the gate is refused by the handshake, and nothing changes`() {
        var good = initiation()
        let macKey = Memory(64)
        guard let key = X25519.publicKey(ofPacketKey: b.key.publicKey) else { return }
        var publicKey = key
        publicKey.withRegion { LinkMac.makeKeys(of: $0, into: macKey.region) }
        let slots = b.desk.keeper.freeSlotCount
        for byte in LinkWire.noise..<LinkWire.initiationMac {
            var bad = good
            bad[byte] ^= 1 << (byte % 8)
            // Whoever knows our key can write this MAC.
            bad.withRegion {
                LinkMac.write(
                    $0,
                    at: LinkWire.initiationMac,
                    key: macKey.region.slice(0, 32),
                    cookie: nil
                )
            }
            let drop = bad.withRegion {
                b.desk.take($0, from: a.address, nowNanos: world.now)
            }
            #expect(drop == .linkPrologue, "byte \(byte)")
        }
        #expect(b.desk.keeper.freeSlotCount == slots)
        #expect(b.desk.responses.isEmpty)
        let drop = good.withRegion { b.desk.take($0, from: a.address, nowNanos: world.now) }
        #expect(drop == .none)
        withExtendedLifetime(macKey) {}
    }

    @Test func `an initiation is answered once, and older ones never again`() {
        let first = initiation()
        let second = initiation()
        #expect(b.receive(second, from: a.address, world.now) == .none)
        world.now += LinkLimits.initiationNanos
        #expect(b.receive(second, from: a.address, world.now) == .linkTimestamp)
        #expect(b.receive(first, from: LinkGateTests.elsewhere, world.now) == .linkTimestamp)
        #expect(b.table.endpoint(b.row(a)) == a.address)
        #expect(b.desk.responses.count == 1)
    }

    @Test func `initiations of one peer are answered at a rate`() {
        let first = initiation()
        let second = initiation()
        #expect(b.receive(first, from: a.address, world.now) == .none)
        #expect(b.receive(second, from: a.address, world.now) == .linkRate)
        world.now += LinkLimits.initiationNanos
        #expect(b.receive(second, from: a.address, world.now) == .none)
    }

    @Test func `a response is bound to its initiation, and a false one spoils nothing`() {
        let first = initiation()
        #expect(b.receive(first, from: a.address, world.now) == .none)
        let response = b.run(world.now).first?.1 ?? []
        let macKey = Memory(64)
        var publicKey = X25519.publicKey(ofPacketKey: a.key.publicKey) ?? Bytes32()
        publicKey.withRegion { LinkMac.makeKeys(of: $0, into: macKey.region) }
        for byte in LinkWire.noise..<LinkWire.responseMac {
            var bad = response
            bad[byte] ^= 1 << (byte % 8)
            #expect(a.receive(bad, from: b.address, world.now) == .linkMac)
            bad.withRegion {
                LinkMac.write(
                    $0,
                    at: LinkWire.responseMac,
                    key: macKey.region.slice(0, 32),
                    cookie: nil
                )
            }
            let drop = bad.withRegion { a.desk.take($0, from: b.address, nowNanos: world.now) }
            #expect(drop == .linkTag, "byte \(byte)")
        }
        var other = response
        other[5] ^= 1
        #expect(a.receive(other, from: b.address, world.now) == .linkUnknown)
        #expect(a.receive(response, from: b.address, world.now) == .none)
        #expect(a.isUp(b, world.now))
        #expect(a.receive(response, from: b.address, world.now) == .linkUnknown)
        withExtendedLifetime(macKey) {}
    }

    @Test func `an initiation whose size was changed on the way is refused`() {
        let big = LinkNode(3, datagramBytes: 8_952)
        let world = LinkWorld([a, b, big], "cut")
        a.desk.wants(keyID: 3, nowNanos: world.now)
        world.now += 2_000_000_000
        let sent = a.run(world.now).first { $0.0 == big.address }?.1 ?? []
        #expect(sent.count == 1_452)
        #expect(big.receive(Array(sent[..<1_232]), from: a.address, world.now) == .linkSize)
        #expect(big.desk.curveOperations == 2)
        #expect(big.receive(sent, from: a.address, world.now) == .none)
    }

    // MARK: Floods

    @Test func `a flood of strangers' handshakes costs no curve arithmetic`() {
        var random = SeededGenerator("strangers' flood")
        var bytes = random.bytes(1_452)
        bytes.replaceSubrange(0..<16, with: [1] + [UInt8](repeating: 0, count: 15))
        for _ in 0..<2_000 {
            bytes[20] &+= 1
            #expect(b.receive(bytes, from: a.address, world.now) == .linkMac)
        }
        #expect(b.desk.curveOperations == 0)
        // Nor did they use up anybody's rate.
        #expect(b.receive(initiation(), from: a.address, world.now) == .none)
    }

    @Test func `a flood of those who know our key is dropped by rate before any arithmetic`() {
        let good = initiation()
        var drops: [Drop: Int] = [:]
        var seed = 0
        // From everywhere: no bucket of an address is full, the desk's is.
        for number in 0..<3_000 {
            seed += 1
            let source = DatagramAddress.six(UInt8(truncatingIfNeeded: number), port: 5)
            drops[verdict(good, from: source), default: 0] += 1
        }
        #expect(drops[.linkCookie, default: 0] >= 2_700)
        #expect(drops[.none, default: 0] <= Int(LinkLimits.loadBurst) + 2)
        #expect(b.desk.curveOperations == 0)
    }

    @Test func `a neighbour that calls again and again takes no slots from the others`() {
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        b.worker.enter()
        let row = Int(a.row(b))
        for round in 0..<300 {
            world.now += 60_000_000
            a.desk.peers[row]?.nextTryNanos = world.now
            a.desk.tick(nowNanos: world.now)
            guard let initiation = a.run(world.now).first?.1, initiation[0] == 1 else {
                Issue.record("no initiation")
                return
            }
            #expect(b.receive(initiation, from: a.address, world.now) == .none)
            if round % 4 == 0 { b.worker.quiesce() }
            _ = b.run(world.now)
            #expect(b.desk.keeper.freeSlotCount > b.table.size.sessions - 20)
        }
    }

    @Test func `one address gets its rate and no more`() {
        let good = initiation()
        let passed = (0..<150).filter { _ in verdict(good) == .none }.count
        #expect(passed == Int(LinkLimits.sourceBurst))
        #expect(verdict(good) == .linkRate)
        #expect(verdict(good, from: LinkGateTests.elsewhere) == .none)
        world.now += 1_000_000_000
        let later = (0..<40).filter { _ in verdict(good) == .none }.count
        #expect(later == Int(LinkLimits.sourcePerSecond))
    }

    @Test func `under load a cookie proves the address, and only that one`() {
        b.gate.setBusy(untilNanos: .max)
        let first = initiation()
        #expect(b.receive(first, from: a.address, world.now) == .linkCookie)
        let reply = b.run(world.now).first
        #expect(reply?.0 == a.address && reply?.1.count == first.count && reply?.1[0] == 3)
        // Somebody else's reply, or a changed one, is no cookie.
        var bad = reply?.1 ?? []
        bad[50] ^= 1
        #expect(a.receive(bad, from: b.address, world.now) == .linkTag)
        bad[4] ^= 1
        #expect(a.receive(bad, from: b.address, world.now) == .linkUnknown)
        #expect(a.receive(reply?.1 ?? [], from: b.address, world.now) == .none)
        #expect(a.receive(reply?.1 ?? [], from: b.address, world.now) == .linkUnknown)
        let second = initiation()
        var (host, port) = (a.address, a.address)
        host.address[2] ^= 1
        port.port ^= 1
        for other in [LinkGateTests.elsewhere, host, port] {
            #expect(verdict(second, from: other) == .linkCookie)
        }
        #expect(b.desk.curveOperations == 0)
        #expect(b.receive(second, from: a.address, world.now) == .none)
        // A cookie ends.
        world.now += 2 * LinkLimits.cookieNanos
        #expect(verdict(second) == .linkCookie)
    }

    @Test func `links come up while the gate asks everybody for cookies`() {
        for node in [a, b] { node.gate.setBusy(untilNanos: .max) }
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 4)
        #expect(a.isUp(b, world.now) && b.isUp(a, world.now))
        #expect(a.drops[.linkCookie] == 1 && b.drops[.linkCookie] == 1)
    }

    @Test func `cookie replies and their takers have a rate`() {
        b.gate.setBusy(untilNanos: .max)
        let good = initiation()
        var wanted = 0
        for _ in 0..<1_000 {
            var bytes = good
            let verdict = bytes.withRegion {
                b.gate.check($0, from: a.address, nowNanos: world.now)
            }
            wanted += verdict.wantsCookie ? 1 : 0
        }
        #expect(wanted == Int(LinkLimits.cookieBurst))
        var reply = [UInt8](repeating: 0, count: 1_452)
        reply[0] = 3
        let taken = (0..<1_000).filter { number in
            verdict(reply, from: .six(UInt8(truncatingIfNeeded: number), port: 1)) == .none
        }.count
        #expect(taken == Int(LinkLimits.cookieBurst))
    }

    @Test func `the gate and its replies allocate nothing`() {
        guard allocations_counted() == 1 else { return }
        b.gate.setBusy(untilNanos: .max)
        var bytes = initiation()
        let (reply, memory, seed) = (Memory(1_452), Memory(RandomStream.byteCount), Memory(32))
        var random = RandomStream(in: memory.region, seed: seed.region)
        let (gate, source, now) = (b.gate, a.address, world.now)
        let allocated = bytes.withRegion { datagram in
            let before = allocations_of_thread()
            for _ in 0..<200 {
                let verdict = gate.check(datagram, from: source, nowNanos: now)
                guard verdict.wantsCookie else { continue }
                gate.writeCookieReply(
                    to: datagram,
                    verdict,
                    from: source,
                    nowNanos: now,
                    random: &random,
                    into: reply.region
                )
            }
            return allocations_of_thread() - before
        }
        #expect(allocated == 0)
        #expect(reply.region.byte(0) == 3)
        withExtendedLifetime((reply, memory, seed)) {}
    }

    // MARK: Bounds

    @Test func `handshakes, answers and events that wait are bounded`() {
        let hub = LinkNode(5, peers: 400)
        let peers = (0..<400).map { number in
            LinkPeer(
                keyID: 1_000 + number,
                packetKey: LinkNode.key(1_000 + number).publicKey,
                address: .loopback(port: UInt16(2_000 + number))
            )
        }
        let (now, list) = (LinkGateTests.now, peers)
        #expect(hub.desk.setPeers(list, nowNanos: now) == 0)
        for peer in peers { hub.desk.wants(keyID: peer.keyID, nowNanos: now) }
        let sent = hub.run(now)
        #expect(sent.count == LinkLimits.pendingMax)
        #expect(hub.desk.freePlaces.isEmpty)
        // Peers that do not answer keep the others waiting for a while only.
        var called = Set(sent.map(\.0))
        for second in 1...14 {
            called.formUnion(hub.run(now + UInt64(second) * 1_000_000_000).map(\.0))
        }
        #expect(called.count == 400)
        for _ in 0..<1_000 { hub.desk.report(.down(keyID: 1)) }
        #expect(hub.desk.events.count == LinkLimits.eventsMax)
        // More peers than rows find none.
        let more = peers + [LinkPeer(keyID: 9, packetKey: b.key.publicKey, address: nil)]
        #expect(hub.desk.setPeers(more, nowNanos: now) == 1)
        #expect(hub.table.peer(keyID: 9) == LinkTable.none)
        #expect(hub.desk.setPeers(Array(more.dropFirst(2)), nowNanos: now) == 1)
        hub.desk.tick(nowNanos: now)
        hub.desk.tick(nowNanos: now)
        #expect(hub.table.peer(keyID: 9) != LinkTable.none)
    }
}
