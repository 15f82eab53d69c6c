import Bytes
import Datapath
import Exchange
import Foundation
import Relay
import Sphinx
import TestSupport
import Testing

@Suite(.serialized) struct NetTests {
    private func expectBalanced(_ net: Net) {
        for node in net.nodes.indices {
            let ledger = net.ledger(node)
            #expect(ledger.isBalanced, "node \(node): \(ledger)")
        }
    }

    @Test(arguments: Way.allCases)
    func `three relays carry packets and are acknowledged for every one`(way: Way) throws {
        let net = try Net("three relays", way: way)
        let count = 120
        for number in 0..<count {
            net.send([1, 2, 3, 4], mix: number % 2 == 0)
            if number % 20 == 19 { usleep(20_000) }
        }
        let all = net.wait { (1...3).allSatisfy { net.unlocked($0) == count } }
        #expect(all && net.delivered(4) == count)
        #expect(net.wait { net.acknowledged(0) == count })
        let stopped = net.stop()
        #expect(stopped)
        for relay in 1...3 {
            #expect(net.count(relay, .forwarded) == count)
            #expect(net.count(relay, .ticketsLocked) == count)
            #expect(net.count(relay, .ticketsIssued) == (relay == 3 ? 0 : count))
            #expect(net.workers[relay].status(0).awaited == 0)
            #expect(net.count(relay, Counter.acksOut) == count)
            #expect(net.count(relay, Counter.ackPacketsOut) == 0)
        }
        expectBalanced(net)
        let latency = net.workers[1].counters(0).latency.classes
        #expect(latency.reduce(0) { $0 + $1.count } == UInt64(count))
        for node in 0..<5 {
            let drops = Drop.allCases.filter { $0 != .none && net.count(node, $0) != 0 }
            #expect(drops.isEmpty)
        }
    }

    @Test(arguments: Way.allCases)
    func `two workers behind one port find each other's acknowledgements`(way: Way) throws {
        let net = try Net("two workers", workersEach: 2, way: way)
        let count = 60
        for number in 0..<count {
            net.send([1, 2, 3, 4])
            if number % 20 == 19 { usleep(20_000) }
        }
        let all = net.wait { (1...3).allSatisfy { net.unlocked($0) == count } }
        #expect(all && net.delivered(4) == count)
        let stopped = net.stop()
        #expect(stopped)
        #expect((0..<5).allSatisfy { net.count($0, Drop.ackUnknown) == 0 })
        expectBalanced(net)
    }

    @Test func `a worker with too much to do shares it`() throws {
        let net = try Net("spill", count: 4, workersEach: 2) { $0.mixing = .none }
        // All of a neighbour's datagrams come to one worker.
        let size = net.maker.geometry.packetBytes
        let neighbour = try TestLink(net.mesh.nodes[3].table, packetBytes: size)
        let packets = (0..<800).map { _ in net.maker.make([1, 2], from: 3).bytes }
        for first in stride(from: 0, to: packets.count, by: 40) {
            neighbour.send(.packet, Array(packets[first..<first + 40]), to: net.nodes[1].keyID)
        }
        #expect(net.wait { net.delivered(2) == packets.count })
        #expect(net.wait { net.unlocked(1) == packets.count })
        let stopped = net.stop()
        #expect(stopped)
        let spilled = net.count(1, Counter.spilledOut)
        #expect(spilled > 0 && net.count(1, Counter.spilledIn) == spilled)
        expectBalanced(net)
        #expect(net.ledger(1).spilling == 0)
    }

    @Test(arguments: Way.allCases)
    func `pings are answered, the last one of each neighbour`(way: Way) throws {
        let net = try Net("pings", count: 2, way: way)
        let neighbour = try TestLink(net.mesh.nodes[0].table, packetBytes: 1_461)
        // Where node 0 was placed by hand no datagram moves it.
        net.mesh.place([neighbour.address, nil])
        neighbour.send(.ping, [[UInt8](1...8), [UInt8](1...64)], to: net.nodes[1].keyID)
        var pongs: [TestLink.Came] = []
        #expect(
            net.wait {
                pongs += neighbour.receive()
                return !pongs.isEmpty
            }
        )
        #expect(pongs.map(\.type) == [.pong] && pongs[0].body == [UInt8](1...64))
        let stopped = net.stop()
        #expect(stopped)
        #expect(net.count(1, Counter.pingsIn) == 2 && net.count(1, Counter.pongsOut) == 1)
    }

    @Test func `the wide profile takes the same way`() throws {
        let net = try Net("mix13", geometry: .mix13)
        for _ in 0..<40 { net.send([1, 2, 3, 4]) }
        #expect(net.wait { (1...3).allSatisfy { net.unlocked($0) == 40 } })
        #expect(net.delivered(4) == 40)
        let stopped = net.stop()
        #expect(stopped)
        expectBalanced(net)
    }

    @Test(arguments: Way.allCases)
    func `a node that stops empties its mixer and awaits its acknowledgements`(way: Way) throws {
        let net = try Net("stop", way: way) {
            $0.mixing = .uniform(maxNanos: 300_000_000)
        }
        let count = 50
        for _ in 0..<count { net.send([1, 2]) }
        #expect(net.wait { net.count(1, .forwarded) == count })
        net.workers[1].stop(limitNanos: 10_000_000_000)
        // What comes now is refused.
        #expect(net.wait { net.workers[1].status(0).state == .stopping })
        net.send([1, 2])
        #expect(net.wait { net.workers[1].isDone })
        #expect(net.workers[1].status(0).state == .done)
        net.drain()
        #expect(net.delivered(2) == count && net.unlocked(1) == count)
        #expect(net.workers[1].status(0).held == 0)
        #expect(net.count(1, Drop.stopping) <= 1)
        let stopped = net.stop(limitNanos: 100_000_000)
        #expect(stopped)
        expectBalanced(net)
    }

    @Test func `a node that stops waits no longer than it is told`() throws {
        let net = try Net("stop limit")
        // The exit is deaf: its address is another's.
        var addresses = net.workers.map { Optional($0.address) }
        addresses[2] = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0).address
        net.mesh.place(addresses)
        net.send([1, 2])
        #expect(net.wait { net.workers[1].status(0).awaited == 1 })
        net.workers[1].stop(limitNanos: 300_000_000)
        #expect(net.wait { net.workers[1].isDone })
        #expect(net.workers[1].status(0).awaited == 1)
        let stopped = net.stop(limitNanos: 1)
        #expect(stopped)
    }

    @Test(arguments: Way.allCases)
    func `garbage is counted and costs nothing`(way: Way) throws {
        let net = try Net("garbage", way: way)
        var random = SeededGenerator("garbage")
        let stranger = try TestLink(
            LinkMesh("strangers", keyIDs: [1]).nodes[0].table,
            packetBytes: 1_461
        )
        let target = net.workers[1].address
        for count in [1, 15, 1_231, 1_451, 1_452, 1_453, 5_000] {
            var bytes = random.bytes(count)
            bytes[0] = 4
            stranger.send(raw: bytes, to: target)
        }
        #expect(net.wait { net.count(1, Counter.datagramsIn) >= 1 })
        #expect(net.count(1, Counter.packetsReceived) == 0)
        // A neighbour whose packets are none.
        let size = Geometry.head.packetBytes
        let neighbour = try TestLink(net.mesh.nodes[3].table, packetBytes: size)
        net.mesh.connect(3, 1)
        for _ in 0..<500 {
            neighbour.send(.packet, [random.bytes(size)], to: net.nodes[1].keyID)
        }
        #expect(net.wait { net.count(1, Counter.packetsIn) == 500 })
        // Honest traffic goes on.
        for _ in 0..<20 { net.send([1, 2]) }
        #expect(net.wait { net.delivered(2) == 20 && net.unlocked(1) == 20 })
        let stopped = net.stop()
        #expect(stopped)
        #expect(net.count(1, .forwarded) == 20)
        expectBalanced(net)
    }

    @Test(arguments: Way.allCases)
    func `a full mixer refuses packets and nothing else`(way: Way) throws {
        let net = try Net("full mixer", way: way) {
            $0.mixing = .uniform(maxNanos: 2_000_000_000)
            $0.mixerCapacity = 10
        }
        for _ in 0..<60 { net.send([1, 2]) }
        #expect(net.wait { net.count(1, Counter.packetsIn) >= 60 })
        #expect(net.wait { net.delivered(2) == net.count(1, .forwarded) })
        #expect(net.count(1, .forwarded) + net.count(1, Drop.mixerFull) == 60)
        #expect(net.count(1, Drop.mixerFull) >= 20)
        #expect(net.wait { net.unlocked(1) == net.count(1, .forwarded) })
        // The sender waits for acknowledgements that never come.
        let stopped = net.stop(limitNanos: 300_000_000)
        #expect(stopped)
        expectBalanced(net)
    }

    @Test(arguments: Way.allCases)
    func `a neighbour over its budget is cut off`(way: Way) throws {
        let net = try Net("budget", way: way) { $0.budget.packetsPerSecond = 10 }
        for _ in 0..<60 { net.send([1, 2]) }
        #expect(net.wait { net.count(1, Counter.packetsReceived) >= 60 })
        let stopped = net.stop(limitNanos: 300_000_000)
        #expect(stopped)
        #expect(net.count(1, Drop.peerBudget) > 0 && net.count(1, .forwarded) >= 1)
        expectBalanced(net)
    }

    @Test func `a worker cannot be tied to a processor that is not there`() throws {
        let node = TestNode(0, of: 2)
        let config = WorkerConfig(geometry: .head, hash: KeyedHash(1, 2))
        let links = LinkMesh("cpu", keyIDs: [1]).nodes[0].table
        var plan = Workers.Plan(config: config, address: .loopback(port: 0), links: links)
        plan.cpus = [4_000]
        #expect(throws: DatapathError.noSuchCPU(4_000)) {
            _ = try Workers(
                plan,
                books: node.books,
                replay: node.replay,
                snapshot: node.snapshot([node], at: [nil])
            )
        }
    }

    @Test func `a port that a running node holds is in use`() throws {
        let net = try Net("port", count: 2)
        let address = net.workers[0].address
        let node = TestNode(0, of: 2)
        let config = WorkerConfig(geometry: .head, hash: KeyedHash(1, 2))
        #expect(throws: DatapathError.portInUse(address.port)) {
            _ = try Workers(
                Workers.Plan(config: config, address: address, links: net.mesh.nodes[0].table),
                books: node.books,
                replay: node.replay,
                snapshot: node.snapshot([node], at: [nil])
            )
        }
        let stopped = net.stop()
        #expect(stopped)
        try DatagramSocket.probe(address)
    }
}
