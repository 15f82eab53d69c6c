import Bytes
import Crypto
import CAllocations
import Datapath
import Exchange
import TestSupport
import Testing

@testable import Relay

/// A sender without a node, a relay and an exit.
final class Line {
    let nodes: [TestNode]
    let maker: PacketMaker
    let mesh: LinkMesh
    let sender: TestLink
    let relay: Station
    let exit: Station

    init(
        _ name: String,
        _ way: Way = .ring,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        let nodes = (0..<3).map { TestNode($0, of: 3) }
        self.nodes = nodes
        maker = PacketMaker(name, nodes, geometry: .head)
        mesh = LinkMesh(name, keyIDs: nodes.map(\.keyID))
        let tables = mesh.nodes.map(\.table)
        sender = try TestLink(tables[0], packetBytes: maker.geometry.packetBytes)
        let place = Place.loopback(way)
        relay = try Station(nodes[1], in: nodes, links: tables[1], place: place) { configure(&$0) }
        exit = try Station(nodes[2], in: nodes, links: tables[2], place: place) { configure(&$0) }
        mesh.place([sender.address, relay.address, exit.address])
        publish([sender.address, relay.address, exit.address])
    }

    /// Sends packets that the relay passes on to the exit, from the sender.
    func send(_ count: Int = 1) {
        for _ in 0..<count { send([maker.make([1, 2], from: 0).bytes]) }
    }

    func send(_ packets: [[UInt8]]) { sender.send(.packet, packets, to: nodes[1].keyID) }

    func publish(_ addresses: [DatagramAddress?]) {
        relay.cell.publish(relay.node.snapshot(nodes, at: addresses))
        exit.cell.publish(exit.node.snapshot(nodes, at: addresses))
    }

    /// Turns until something is so; false if it is not after many turns.
    func turn(until condition: () -> Bool) -> Bool {
        for _ in 0..<5_000 {
            if condition() { return true }
            relay.worker.turn()
            exit.worker.turn()
        }
        return condition()
    }
}

@Suite(.serialized) struct StationTests {
    @Test(arguments: Way.allCases, [NonceRule.rfc6979, .hedged])
    func `a relayed packet allocates nothing once the worker is warm`(
        way: Way,
        nonces: NonceRule
    ) throws {
        let line = try Line("allocations", way) {
            $0.engine.nonces = nonces
            $0.engine.checksOwnTickets = nonces == .hedged
        }
        let packets = (0..<150).map { _ in line.maker.make([1, 2], from: 0).bytes }
        var allocated: UInt64 = 0
        for (number, bytes) in packets.enumerated() {
            line.send([bytes])
            // Somebody records half of them.
            if number == 100 { line.relay.tap.begin(keeping: bytes.count) }
            let before = allocations_of_thread()
            line.relay.worker.turn()
            if number >= 50 { allocated += allocations_of_thread() - before }
            while line.relay.tap.next() != nil { line.relay.tap.release() }
            line.exit.worker.turn()
        }
        for _ in 0..<60 {
            let before = allocations_of_thread()
            line.relay.worker.turn()
            allocated += allocations_of_thread() - before
            line.exit.worker.turn()
        }
        #expect(allocated == 0)
        let isTold = line.relay.tap.next() != nil
        #expect(isTold)
        #expect(line.relay.counters.value(.forwarded) == 150)
        #expect(line.exit.counters.value(.delivered) == 150)
        #expect(line.relay.counters.value(.ticketsUnlocked) > 100)
        // The counter counts.
        let before = allocations_of_thread()
        let kept = Memory(64)
        #expect(allocations_of_thread() > before || allocations_counted() == 0)
        withExtendedLifetime(kept) {}
    }

    @Test(arguments: Way.allCases)
    func `forwarded packets wait in the mixer, and all leave it`(way: Way) throws {
        let line = try Line("mixer", way) { $0.mixing = .uniform(maxNanos: 50_000_000) }
        line.send(40)
        #expect(line.turn { line.relay.counters.value(.forwarded) == 40 })
        let held = line.relay.worker.wheel.count
        #expect(held > 0)
        #expect(line.turn { line.exit.counters.value(.delivered) == 40 })
        let after = line.relay.worker.wheel.count
        #expect(after == 0)
    }

    @Test(arguments: Way.allCases)
    func `acknowledgements leave with ten, or when their time has come`(way: Way) throws {
        let line = try Line("acks", way) { $0.ackWaitNanos = 400_000_000 }
        line.send(25)
        #expect(line.turn { line.relay.counters.value(.forwarded) == 25 })
        // Two full frames went at once, five acknowledgements wait.
        #expect(line.relay.counters.value(Counter.acksOut) == 20)
        #expect(line.turn { line.relay.counters.value(.acksOut) == 25 })
        let frames = line.sender.receive().filter { $0.type == .acknowledgements }
        #expect(frames.map(\.body.count).sorted() == [2 + 5 * 96, 2 + 10 * 96, 2 + 10 * 96])
    }

    @Test(arguments: Way.allCases)
    func `a packet whose next hop left the register meanwhile is not sent`(way: Way) throws {
        let line = try Line("gone", way) { $0.mixing = .uniform(maxNanos: 50_000_000) }
        line.send(10)
        #expect(line.turn { line.relay.counters.value(.forwarded) == 10 })
        let sent = line.relay.counters.value(.packetsOut)
        line.mesh.remove(2, from: 1)
        #expect(line.turn { line.relay.worker.wheel.count == 0 })
        let out = line.relay.counters.value(.packetsOut)
        #expect(line.relay.counters.value(.noForward) == 10 - out)
        #expect(sent <= out)
    }

    @Test(arguments: Way.allCases)
    func `a datagram the kernel does not take is counted`(way: Way) throws {
        let line = try Line("refused", way)
        // The exit's address is of the other family: this socket cannot reach it.
        var six = Bytes16()
        six[15] = 1
        line.mesh.place([nil, nil, DatagramAddress(family: 6, address: six, port: 9)])
        line.send()
        #expect(line.turn { line.relay.counters.value(.sendFailed) == 1 })
        #expect(line.relay.counters.value(Counter.forwarded) == 1)
    }

    @Test(arguments: Way.allCases)
    func `slots are never lost`(way: Way) throws {
        let line = try Line("slots", way)
        var random = SeededGenerator("slots", seed: 5)
        for number in 0..<60 {
            if number % 3 == 0 {
                let count = Int.random(in: 0...1_800, using: &random)
                line.sender.send(raw: random.bytes(max(1, count)), to: line.relay.address)
            } else {
                line.send()
            }
            line.relay.worker.turn()
            let free = line.relay.worker.pool.count(of: .free)
            let queued = line.relay.worker.pool.count(of: .queue)
            let mixed = line.relay.worker.pool.count(of: .mixer)
            let held = line.relay.worker.wheel.count
            let waiting = line.relay.worker.queue.count
            let all = line.relay.worker.pool.count
            #expect(mixed == held && queued == waiting)
            #expect(free + queued + mixed == all)
        }
    }

    @Test(arguments: Way.allCases)
    func `a ticket without acknowledgement is given back when its time is over`(way: Way) throws {
        let line = try Line("expiry", way) { $0.engine.ackTTLNanos = 30_000_000 }
        // The exit is deaf: its address is another's.
        line.mesh.place([nil, nil, line.sender.address])
        line.send()
        #expect(line.turn { line.relay.counters.value(.noAck) == 1 })
        let released = line.relay.drain().contains {
            if case .released(_, _, let amount, let reason) = $0 {
                amount == TestNode.price && reason == .noAck
            } else {
                false
            }
        }
        #expect(released)
        #expect(line.relay.node.books.reserved(0) == 0)
    }

    @Test(arguments: Way.allCases)
    func `control's packets and acknowledgements go out`(way: Way) throws {
        let line = try Line("commands", way)
        for number in 0..<30 {
            let made = line.maker.make([2], from: 1)
            let sent = line.relay.commands.send(
                nextKeyID: line.nodes[2].keyID,
                packet: made.bytes,
                ackChallenge: made.ackChallenge,
                mix: number % 2 == 0
            )
            #expect(sent)
        }
        var key = Bytes32()
        key[31] = 1
        let taken = line.relay.commands.acknowledge(keyID: line.nodes[2].keyID, ackKey: key)
        #expect(taken)
        #expect(line.turn { line.exit.counters.value(.delivered) == 30 })
        #expect(line.turn { line.exit.counters.value(.acksIn) == 1 })
        var known = 0
        #expect(
            line.turn {
                known +=
                    line.relay.drain().filter {
                        if case .acknowledged = $0 { true } else { false }
                    }.count
                return known == 30
            }
        )
        #expect(line.relay.counters.value(Counter.made) == 30)
    }
}
