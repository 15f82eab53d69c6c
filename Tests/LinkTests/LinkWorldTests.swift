import Bytes
import Crypto
import Datapath
import TestSupport
import Testing

@testable import Link

@Suite struct LinkWorldTests {
    /// No session took a counter twice, and each has one peer.
    private func expectOnce(_ node: LinkNode, seed: UInt64) {
        var seen: Set<[UInt64]> = []
        var owner: [UInt32: UInt32] = [:]
        for entry in node.opened {
            #expect(seen.insert([UInt64(entry.session), entry.counter]).inserted, "seed \(seed)")
            #expect(owner[entry.session, default: entry.keyID] == entry.keyID)
            owner[entry.session] = entry.keyID
        }
    }

    @Test
    func `a bad wire for minutes, with rekeys: nothing twice, and little lost but by the wire`() {
        let (a, b) = (LinkNode(1), LinkNode(2))
        let world = LinkWorld([a, b], "bad wire")
        world.lossPerMille = 100
        world.doublePerMille = 100
        world.jitterNanos = 200_000_000
        world.keepsCapture = true
        var (sent, step) = (0, 0)
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 480, stepMillis: 20) {
            step += 1
            guard step % 2 == 0 else { return }
            for (from, to) in [(a, b), (b, a)] {
                if from.isUp(to, world.now) { sent += 1 }
                world.talk(from, to)
            }
        }
        world.lossPerMille = 0
        world.run(seconds: 1)
        for node in [a, b] { expectOnce(node, seed: world.random.seed) }
        let data = (a.opened + b.opened).filter { !$0.isIdle }.count
        #expect(sent > 23_000)
        #expect(Double(data) > 0.88 * Double(sent), "seed \(world.random.seed)")
        let refused = a.drops.merging(b.drops) { $0 + $1 }
        let known: Set<Drop> = [.linkReplay, .linkUnknown, .linkTimestamp, .linkCrossed, .linkRate]
        #expect(Set(refused.keys).isSubset(of: known), "\(refused) seed \(world.random.seed)")
        // Once more all that was ever sent: now what the wire lost may be taken, where the window
        // still tells. And again: now nothing is, and nobody seems to be elsewhere.
        replay(world, from: nil)
        for node in [a, b] { expectOnce(node, seed: world.random.seed) }
        let opened = [a, b].map(\.opened.count)
        replay(world, from: .six(1, port: 2))
        #expect([a, b].map(\.opened.count) == opened)
        #expect(a.table.endpoint(a.row(b)) == b.address)
        #expect(b.table.endpoint(b.row(a)) == a.address)
    }

    private func replay(_ world: LinkWorld, from source: DatagramAddress?) {
        for flight in world.captured {
            for node in world.nodes where node.address == flight.to {
                node.receive(flight.bytes, from: source ?? flight.from, world.now)
            }
        }
    }

    @Test func `two that begin at the same moment end with one session, whoever was first`() {
        for (seed, skew) in [(1, 0), (2, 1), (3, 5), (4, 15), (5, 25), (6, 45)].map({ ($0.0, $0.1) }
        ) {
            let (a, b) = (LinkNode(1), LinkNode(2))
            let world = LinkWorld([a, b], "crossing", seed: UInt64(seed))
            a.desk.wants(keyID: b.keyID, nowNanos: world.now)
            world.run(seconds: Double(skew) / 1_000, stepMillis: 1)
            b.desk.wants(keyID: a.keyID, nowNanos: world.now)
            world.run(seconds: 1, stepMillis: 1)
            #expect(a.isUp(b, world.now) && b.isUp(a, world.now))
            // Both send on sessions of one handshake.
            expectConverged(a, b, world)
            world.run(seconds: 300, stepMillis: 250) {
                world.talk(a, b)
                world.talk(b, a)
            }
            expectConverged(a, b, world)
            let handshakes = Set(a.opened.map(\.session)).count
            #expect(handshakes <= 4)
        }
    }

    private func expectConverged(_ a: LinkNode, _ b: LinkNode, _ world: LinkWorld) {
        let here = a.table.sendingSession(a.row(b), nowNanos: world.now)
        let there = b.table.sendingSession(b.row(a), nowNanos: world.now)
        guard here != LinkTable.none, there != LinkTable.none else {
            Issue.record("down")
            return
        }
        #expect(a.table.facts[Int(here)].remoteIndex == b.table.index(session: there))
        #expect(b.table.facts[Int(there)].remoteIndex == a.table.index(session: here))
        #expect(a.table.facts[Int(here)].isInitiator != b.table.facts[Int(there)].isInitiator)
    }

    @Test func `a mesh that starts all at once on a bad wire comes up`() {
        let nodes = (1...6).map { LinkNode(UInt32($0), peers: 8) }
        let world = LinkWorld(nodes, "mesh")
        world.lossPerMille = 200
        world.jitterNanos = 50_000_000
        for node in nodes {
            for other in nodes where other !== node {
                node.desk.wants(keyID: other.keyID, nowNanos: world.now)
            }
        }
        world.run(seconds: 40, stepMillis: 20)
        for node in nodes {
            for other in nodes where other !== node {
                #expect(node.isUp(other, world.now), "seed \(world.random.seed)")
            }
        }
    }

    @Test func `a peer whose address changes is followed by the next datagram`() {
        let (a, b) = (LinkNode(1), LinkNode(2))
        let world = LinkWorld([a, b], "roaming")
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 1)
        let moved = DatagramAddress.six(4, port: 4_444)
        world.masks[a.address] = moved
        world.talk(a, b)
        world.run(seconds: 0.1)
        #expect(b.table.endpoint(b.row(a)) == moved)
        world.talk(b, a)
        world.run(seconds: 0.1)
        #expect(a.opened.contains { !$0.isIdle })
        // The register's old word does not move it back, a new one does.
        b.desk.setPeers([a.peer], nowNanos: world.now)
        #expect(b.table.endpoint(b.row(a)) == moved)
        var peer = a.peer
        peer.address = .loopback(port: 9)
        b.desk.setPeers([peer], nowNanos: world.now)
        #expect(b.table.endpoint(b.row(a)) == .loopback(port: 9))
        #expect(b.isUp(a, world.now))
        world.talk(a, b)
        world.run(seconds: 0.1)
        #expect(b.table.endpoint(b.row(a)) == moved)
    }

    @Test func `other versions, sizes, selectors and domains are one clear event and no answer`() {
        let variants: [(inout LinkPrologue) -> Void] = [
            { $0.version += 1 }, { $0.packetBytes += 1 }, { $0.payloadBytes -= 2 },
            { $0.selector ^= 1 }, { $0.domain[31] ^= 1 },
        ]
        for change in variants {
            var prologue = LinkNode.prologue
            change(&prologue)
            let (a, b) = (LinkNode(1, prologue: prologue), LinkNode(2))
            let world = LinkWorld([a, b], "prologue")
            world.keepsCapture = true
            a.desk.wants(keyID: b.keyID, nowNanos: world.now)
            world.run(seconds: 1.5)
            #expect(b.drops[.linkPrologue, default: 0] >= 1)
            #expect(b.events.first == .mismatch(address: a.address, keyID: 1))
            #expect(b.events.count <= 2)
            #expect(world.captured.allSatisfy { $0.from == a.address })
        }
        #expect(LinkNode.prologue.bytes.count == 57)
    }

    @Test func `while the packet key changes both keys are answered, afterwards one`() {
        let (a, b) = (LinkNode(1), LinkNode(2))
        let world = LinkWorld([a, b], "identities")
        let newKey = LinkNode.key(20)
        b.desk.setIdentity(LinkIdentity(newKey), previous: LinkIdentity(b.key))
        // `a` knows the old key only.
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 1)
        #expect(a.isUp(b, world.now) && b.isUp(a, world.now))
        let newPeer = LinkPeer(keyID: 20, packetKey: newKey.publicKey, address: b.address)
        a.desk.setPeers([b.peer, newPeer], nowNanos: world.now)
        a.desk.wants(keyID: 20, nowNanos: world.now)
        world.run(seconds: 1)
        let row = a.table.peer(keyID: 20)
        #expect(a.table.sendingSession(row, nowNanos: world.now) != LinkTable.none)
        // Both of `a`'s sessions open at `b`.
        world.talk(a, b)
        world.run(seconds: 0.1)
        #expect(b.opened.filter { !$0.isIdle }.count == 1)
        // `b` calls by its new key.
        b.desk.wants(keyID: 1, nowNanos: world.now)
        b.desk.setIdentity(LinkIdentity(newKey), previous: nil)
        a.desk.setPeers([b.peer], nowNanos: world.now)
        world.run(seconds: 1)
        let old = LinkNode(3)
        let other = LinkWorld([old, b], "old key")
        old.desk.wants(keyID: b.keyID, nowNanos: other.now)
        other.run(seconds: 1)
        #expect(b.drops[.linkMac, default: 0] >= 1)
        #expect(!old.isUp(b, other.now))
    }

    @Test func `a desk that takes over a table keeps sessions, windows and timestamps`() {
        let (a, b) = (LinkNode(1), LinkNode(2))
        let world = LinkWorld([a, b], "take-over")
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 1)
        let session = b.table.sendingSession(b.row(a), nowNanos: world.now)
        let timestamp = b.table.timestamp(b.row(a))
        let seed = Memory(64)
        seed.region.fill(99)
        b.desk = LinkDesk(
            b.table,
            LinkConfig(prologue: LinkNode.prologue),
            identity: LinkIdentity(b.key),
            seed: seed.region,
            nowNanos: world.now,
            wallNanos: 1_800_000_000_000_000_000
        )
        withExtendedLifetime(seed) {}
        b.desk.setPeers([a.peer], nowNanos: world.now)
        world.run(seconds: 2)
        #expect(b.table.sendingSession(b.row(a), nowNanos: world.now) == session)
        #expect(b.table.timestamp(b.row(a)) == timestamp)
        world.talk(a, b)
        world.talk(b, a)
        world.run(seconds: 0.1)
        #expect(a.opened.contains { !$0.isIdle } && b.opened.contains { !$0.isIdle })
        // A peer with the same id and another key is another peer.
        var other = a.peer
        other.packetKey = LinkNode.key(50).publicKey
        let newSeed = Memory(64)
        b.desk = LinkDesk(
            b.table,
            LinkConfig(prologue: LinkNode.prologue),
            identity: LinkIdentity(b.key),
            seed: newSeed.region,
            nowNanos: world.now,
            wallNanos: 1_800_000_000_000_000_000
        )
        withExtendedLifetime(newSeed) {}
        b.desk.setPeers([other], nowNanos: world.now)
        #expect(!b.isUp(a, world.now))
    }

    @Test func `neighbours come, change and go`() {
        let (a, b) = (LinkNode(1), LinkNode(2))
        let world = LinkWorld([a, b], "neighbours")
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 2)
        b.desk.setPeers([], nowNanos: world.now)
        #expect(b.row(a) == LinkTable.none)
        world.run(seconds: 0.1)
        #expect(b.events.last == .down(keyID: 1))
        world.talk(a, b)
        world.run(seconds: 0.1)
        #expect(b.drops[.linkUnknown] == 1)
        // Our own key, and one that is no point, are no neighbours.
        var bad = a.peer
        bad.packetKey = Bytes32()
        var mine = a.peer
        mine.keyID = 77
        mine.packetKey = b.key.publicKey
        #expect(b.desk.setPeers([bad, mine], nowNanos: world.now) == 0)
        #expect(b.row(a) == LinkTable.none)
        #expect(b.table.peer(keyID: 77) == LinkTable.none)
        // A list that has a neighbour twice has it once.
        #expect(b.desk.setPeers([bad, a.peer], nowNanos: world.now) == 0)
        #expect(b.row(a) != LinkTable.none)
        world.run(seconds: 20) { world.talk(a, b) }
        #expect(b.isUp(a, world.now))
    }
}
