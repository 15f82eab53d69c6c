import Bytes
import Crypto
import Datapath
import TestSupport
import Testing

@testable import Link

@Suite struct LinkDeskTests {
    private func pair(_ name: String) -> (LinkNode, LinkNode, LinkWorld) {
        let (a, b) = (LinkNode(1), LinkNode(2))
        return (a, b, LinkWorld([a, b], name))
    }

    @Test func `a wish becomes a session on both sides within a round trip and a half`() {
        let (a, b, world) = pair("wish")
        world.run(seconds: 1)
        #expect(!a.isUp(b, world.now) && !b.isUp(a, world.now))
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 0.1)
        #expect(a.isUp(b, world.now) && b.isUp(a, world.now))
        #expect(a.events == [.up(keyID: 2, address: b.address, datagramBytes: 1_452)])
        world.run(seconds: 1)
        #expect(b.events == [.up(keyID: 1, address: a.address, datagramBytes: 1_452)])
        // The initiator's padding is all that was said.
        #expect(b.opened.count == 1 && b.opened[0].isIdle && b.opened[0].keyID == a.keyID)
        #expect(a.drops.isEmpty && b.drops.isEmpty)
    }

    @Test func `a worker's wish is one`() {
        let (a, b, world) = pair("worker's wish")
        let before = a.table.wants()
        world.talk(a, b)
        world.talk(a, b)
        #expect(a.table.wants() == before + 1)
        world.run(seconds: 1.2)
        #expect(a.isUp(b, world.now))
    }

    @Test func `every datagram has one length and only three fields in clear`() {
        let (a, b, world) = pair("captured")
        world.keepsCapture = true
        world.run(seconds: 300, stepMillis: 50) {
            world.talk(a, b)
            world.talk(b, a)
        }
        #expect(world.captured.count > 1_000)
        var statics = [a, b].map { X25519.publicKey(ofPacketKey: $0.key.publicKey)?.array ?? [] }
        statics += [a, b].map { $0.key.publicKey.array }
        var types: Set<UInt8> = []
        for flight in world.captured {
            #expect(flight.bytes.count == 1_452)
            types.insert(flight.bytes[0])
            #expect(flight.bytes[1..<4] == [0, 0, 0])
            if flight.bytes[0] == 4 { continue }
            // A handshake holds no key that anybody could be known by.
            #expect(flight.bytes[8..<16].allSatisfy { $0 == 0 })
            for key in statics {
                let found = (0..<200).contains { Array(flight.bytes[$0..<$0 + 32]) == key }
                #expect(!found)
            }
        }
        #expect(types == [1, 2, 4])
    }

    @Test func `strangers get no answer`() {
        let (a, b, world) = pair("stranger")
        b.desk.setPeers([], nowNanos: world.now)
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.keepsCapture = true
        world.run(seconds: 10)
        #expect(b.drops[.linkStranger, default: 0] >= 3)
        #expect(world.captured.allSatisfy { $0.from == a.address })
        #expect(!a.isUp(b, world.now))
    }

    @Test func `a peer that does not answer is tried again, later and later, and then given up`() {
        let (a, b, world) = pair("silent")
        world.lossPerMille = 1_000
        world.keepsCapture = true
        let start = world.now
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 400, stepMillis: 50)
        let times = world.captured.map { Double($0.due - start) / 1e9 }
        #expect(times.count >= 9 && times.count <= 14)
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 >= 0.9 && $0 < 45 })
        #expect(gaps[0] < 1.5 && gaps[5] > 3.5)
        #expect(times[times.count - 1] < 140)
        #expect(a.events.contains(.unreachable(keyID: 2, address: b.address)))
        // Nobody wants it any more, until somebody does.
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.lossPerMille = 0
        world.run(seconds: 1)
        #expect(a.isUp(b, world.now))
    }

    @Test func `smaller datagrams are tried where the larger ones vanish`() {
        let (a, b) = (LinkNode(1, datagramBytes: 8_952), LinkNode(2, datagramBytes: 8_952))
        for (mtu, want) in [(8_952, 8_952), (1_500, 1_452), (1_300, 1_232)] {
            let (a, b) = mtu == 8_952 ? (a, b) : (LinkNode(1, datagramBytes: 8_952), LinkNode(2))
            let world = LinkWorld([a, b], "mtu \(mtu)")
            world.mtu = mtu
            a.desk.wants(keyID: b.keyID, nowNanos: world.now)
            world.run(seconds: 14)
            #expect(a.isUp(b, world.now) && b.isUp(a, world.now))
            let session = b.table.sendingSession(b.row(a), nowNanos: world.now)
            #expect(b.table.datagramBytes(session: session) == want)
            // The next handshake tries once what did not get through, and goes on with the rest.
            world.keepsCapture = true
            world.run(seconds: 130, stepMillis: 100) { world.talk(a, b) }
            let calls = world.captured.filter { $0.bytes[0] == 1 }.map(\.bytes.count)
            #expect(calls.last == want && calls.count <= 2)
            #expect(world.captured.allSatisfy { $0.bytes[0] == 1 || $0.bytes.count == want })
            let now = b.table.sendingSession(b.row(a), nowNanos: world.now)
            #expect(now != session && b.table.datagramBytes(session: now) == want)
        }
    }

    @Test func `a link that began with small datagrams grows with its path`() {
        let (a, b) = (LinkNode(1, datagramBytes: 8_952), LinkNode(2, datagramBytes: 8_952))
        let world = LinkWorld([a, b], "path grows")
        world.mtu = 1_300
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 14)
        func bytes() -> Int {
            let session = b.table.sendingSession(b.row(a), nowNanos: world.now)
            return b.table.datagramBytes(session: session)
        }
        #expect(bytes() == 1_232)
        world.mtu = 9_000
        world.run(seconds: 130, stepMillis: 100) { world.talk(a, b) }
        #expect(bytes() == 8_952)
    }

    @Test func `nothing longer is tried than the path is known to take`() {
        for (path, want) in [(60_000, 8_952), (1_472, 1_452), (1_252, 1_232), (600, 1_232)] {
            let nodes = [1, 2].map { LinkNode($0, datagramBytes: 8_952) }
            let world = LinkWorld(nodes, "path \(path)")
            world.keepsCapture = true
            var peer = nodes[1].peer
            peer.pathBytes = path
            nodes[0].desk.setPeers([peer], nowNanos: world.now)
            nodes[0].desk.wants(keyID: nodes[1].keyID, nowNanos: world.now)
            world.run(seconds: 1)
            #expect(nodes[0].isUp(nodes[1], world.now))
            #expect(!world.captured.isEmpty)
            #expect(world.captured.allSatisfy { $0.bytes.count == want })
        }
    }

    @Test func `sessions follow each other without a gap while they are used, and end unused`() {
        let (a, b, world) = pair("rekey")
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 1)
        var (sent, missed) = (0, 0)
        world.run(seconds: 600, stepMillis: 50) {
            sent += 1
            for (from, to) in [(a, b), (b, a)] {
                if from.isUp(to, world.now) { world.talk(from, to) } else { missed += 1 }
            }
        }
        #expect(missed == 0)
        world.run(seconds: 0.1)
        for (node, other) in [(a, b), (b, a)] {
            let data = node.opened.filter { !$0.isIdle && $0.keyID == other.keyID }
            #expect(data.count == sent)
            // One session every two minutes, each with counters of its own.
            let sessions = Set(data.map(\.session))
            #expect(sessions.count == 5 || sessions.count == 6)
            #expect(node.drops.isEmpty)
        }
        world.run(seconds: 200, stepMillis: 100)
        #expect(!a.isUp(b, world.now) && !b.isUp(a, world.now))
        #expect(a.events.last == .down(keyID: 2) && b.events.last == .down(keyID: 1))
        // Keys of the past are gone.
        for node in [a, b] {
            node.worker.enter()
            node.worker.leave()
            node.desk.tick(nowNanos: world.now)
            node.desk.tick(nowNanos: world.now)
            #expect(node.table.keys.region.array.allSatisfy { $0 == 0 })
        }
    }

    @Test func `a session that has sent much is followed by another`() {
        let (a, b, world) = pair("volume")
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 1)
        let session = b.table.sendingSession(b.row(a), nowNanos: world.now)
        let index = b.table.index(session: session)
        b.table.sessions.store(
            LinkLimits.rekeyDatagrams,
            b.table.sessionCell(session, SessionCell.next)
        )
        world.run(seconds: 2)
        let next = b.table.sendingSession(b.row(a), nowNanos: world.now)
        #expect(b.table.index(session: next) != index)
    }

    @Test func `who receives and says nothing sends padding, and padding is not answered`() {
        let (a, b, world) = pair("keepalive")
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 1)
        world.talk(a, b)
        world.keepsCapture = true
        world.run(seconds: 60)
        let fromB = world.captured.filter { $0.from == b.address }
        #expect(fromB.count == 1 && fromB[0].bytes[0] == 4)
        #expect(world.captured.count == 1)
        #expect(a.opened.count == 1 && a.opened[0].isIdle)
    }

    @Test func `a peer that restarted is found again when it does not answer`() {
        let (a, b) = (LinkNode(1), LinkNode(2))
        let world = LinkWorld([a, b], "before")
        a.desk.wants(keyID: b.keyID, nowNanos: world.now)
        world.run(seconds: 1)
        let newB = LinkNode(2, nowNanos: world.now)
        let after = LinkWorld([newB], "after")
        after.now = world.now
        newB.desk.setPeers([a.peer], nowNanos: world.now)
        let both = Rewired([a, newB], now: world.now)
        both.run(seconds: 40) { if both.count % 10 == 0 { both.talk(a, newB) } }
        #expect(newB.drops[.linkUnknown, default: 0] > 0)
        #expect(newB.opened.contains { !$0.isIdle })
        #expect(newB.isUp(a, both.now))
    }
}

/// A world of nodes that have their peers already.
private final class Rewired {
    let nodes: [LinkNode]
    var now: UInt64
    var count = 0
    private var flights: [(to: DatagramAddress, from: DatagramAddress, bytes: [UInt8])] = []

    init(_ nodes: [LinkNode], now: UInt64) {
        self.nodes = nodes
        self.now = now
    }

    func run(seconds: Int, each: () -> Void) {
        for _ in 0..<seconds * 100 {
            now += 10_000_000
            count += 1
            let due = flights
            flights = []
            for flight in due {
                for node in nodes where node.address == flight.to {
                    node.receive(flight.bytes, from: flight.from, now)
                }
            }
            for node in nodes {
                flights += node.run(now).map { ($0.0, node.address, $0.1) }
            }
            each()
        }
    }

    func talk(_ from: LinkNode, _ to: LinkNode) {
        guard let bytes = from.seal(to: to, now) else { return }
        flights.append((to.address, from.address, bytes))
    }
}
