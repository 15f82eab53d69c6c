import Bytes
import Datapath
import Exchange
import Foundation
import Link
import TestSupport
import Testing

@testable import Relay

/// What goes wrong on machines and wires, at the level of workers.
@Suite(.serialized) struct FailureTests {
    private static let stepNanos: UInt64 = 1_000_000

    /// Stations on a clock of their own, all linked to one.
    private func star(
        _ name: String,
        _ network: SimulatedNetwork,
        count: Int,
        centre: Int,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws -> LinkCrowd {
        network.wire.waits = false
        network.wire.delayNanos = 1_000_000
        let crowd = try LinkCrowd(name, count: count, in: network) {
            $0.engine.ackTTLNanos = 1_000_000_000
            configure(&$0)
        }
        crowd.each = { network.advance(nanos: FailureTests.stepNanos) }
        let links = (0..<count).filter { $0 != centre }.map { ($0, centre) }
        for (left, right) in links { crowd[left].wants(crowd[right]) }
        let isUp = crowd.turn { crowd.areUp(links) }
        #expect(isUp)
        return crowd
    }

    private func expectBalanced(_ crowd: LinkCrowd) {
        for station in crowd.stations {
            let ledger = station.ledger
            #expect(ledger.isBalanced && ledger.inFlight == 0, "\(station.node.index): \(ledger)")
            #expect(station.hasAllSlots)
        }
    }

    @Test func `a worker that is held for long sheds its backlog, and nobody else is`() throws {
        let network = try SimulatedNetwork(seed: 1)
        let crowd = try star("held", network, count: 5, centre: 1) { $0.queue.packets = 50 }
        crowd[3].wants(crowd[4])
        let isUp = crowd.turn { crowd.areUp([(3, 4)]) }
        #expect(isUp)
        // 100 ms in which one worker does not get its turn.
        for step in 0..<100 {
            if step < 50 { for _ in 0..<3 { crowd.send([1, 2]) } }
            if step % 10 == 0 { crowd.send([4], from: 3) }
            for station in crowd.stations where station !== crowd[1] { station.turn() }
            network.advance(nanos: FailureTests.stepNanos)
        }
        #expect(crowd[4].delivered == 10 && crowd[1].counters.value(.packetsIn) == 0)
        _ = crowd.turn(seconds: 2) { false }
        #expect(crowd.stations.map { $0.station.board.status.stalls } == [0, 1, 0, 0, 0])
        let shed = crowd[1].counters.value(Drop.queueFull)
        #expect(shed == 100 && crowd[2].delivered == 50 && crowd[1].unlocked == 50)
        expectBalanced(crowd)
    }

    @Test func `all at once, honest neighbours are served, and the greedy one has what is left`()
        throws
    {
        let network = try SimulatedNetwork(seed: 1)
        let crowd = try star("greedy", network, count: 5, centre: 3) { $0.queue.packets = 200 }
        // Three times what the queue takes, in front of a worker that has not begun.
        let offered = [480, 60, 60]
        for (sender, count) in offered.enumerated() {
            for number in 0..<count {
                crowd.send([3, 4], from: sender)
                if number % 40 == 39 { crowd[sender].turn() }
            }
            crowd[sender].turn()
        }
        network.advance(nanos: FailureTests.stepNanos)
        _ = crowd.turn(seconds: 3) { false }
        let served = (0..<3).map { sender in
            crowd[3].told.filter {
                if case .locked(let channel, _, _) = $0 {
                    channel == 2 * UInt32(sender)
                } else {
                    false
                }
            }.count
        }
        #expect(served[1] == 60 && served[2] == 60 && served[0] == 80, "\(served)")
        #expect(crowd[4].delivered == 200)
        #expect(crowd[3].counters.value(Drop.queueFull) == 400)
        expectBalanced(crowd)
    }

    @Test func `a peer that starts again with nothing but its keys is found again`() throws {
        let network = try SimulatedNetwork(seed: 1)
        let crowd = try star("again", network, count: 2, centre: 1)
        crowd.send([1])
        let first = crowd.turn { crowd[1].delivered == 1 && crowd[0].acknowledged == 1 }
        #expect(first)
        // While it is gone, what is sent to it is lost; the sender goes on.
        crowd.replace(1, with: nil)
        for _ in 0..<10 {
            crowd.send([1])
            for _ in 0..<10 { crowd.turn() }
        }
        #expect(crowd[0].counters.value(.packetsOut) == 11)
        let back = try LinkStation(
            TestNode(1, of: 2),
            in: crowd.nodes,
            place: .simulated(network, .simulated(2))
        )
        crowd.replace(1, with: back)
        // It cannot read what comes, and says nothing; after some silence the sender calls anew.
        let found = crowd.turn(seconds: 40) {
            if crowd[0].station.worker.turns % 100 == 0 { crowd.send([1]) }
            return back.delivered > 5
        }
        #expect(found && back.counters.value(Drop.linkUnknown) > 0)
        #expect(crowd.areUp([(0, 1)]))
        #expect(crowd[0].ledger.isBalanced && back.ledger.isBalanced)
    }

    @Test(arguments: Way.allCases)
    func `a port where nobody listens costs the packets that go there and nothing else`(
        way: Way
    ) throws {
        let line = try Line("nobody", way) { $0.engine.ackTTLNanos = 50_000_000 }
        let closed = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0).address
        line.mesh.place([nil, nil, closed])
        let lost = 20
        for _ in 0..<lost {
            line.send()
            line.relay.worker.turn()
        }
        #expect(line.turn { line.relay.counters.value(.noAck) == lost })
        #expect(line.relay.counters.value(.packetsOut) == lost)
        #expect(line.relay.counters.value(Drop.sendFailed) == 0)
        line.mesh.place([nil, nil, line.exit.address])
        line.send(5)
        #expect(line.turn { line.exit.counters.value(.delivered) == 5 })
        #expect(line.relay.board.state == .running)
    }

    @Test(arguments: [EPERM, ENOSYS])
    func `where io_uring is forbidden the other way is taken and said`(number: Int32) throws {
        let (features, delivered, unlocked) = try Sandbox.withoutRing(number) {
            let line = try Line("no ring", .ring)
            line.send(30)
            let all = line.turn {
                line.exit.counters.value(.delivered) == 30
                    && line.relay.counters.value(.ticketsUnlocked) == 30
            }
            #expect(all)
            return (
                line.relay.board.status.features, line.exit.counters.value(.delivered),
                line.relay.counters.value(.ticketsUnlocked)
            )
        }
        #expect(features.backend == .syscalls && !features.fallback.isEmpty)
        #expect(delivered == 30 && unlocked == 30)
    }
}

/// Slots and packets under every fault that a test can make.
@Suite struct LeakTests {
    /// Packets in ordinary runs; `DRAY_LEAK_PACKETS` sets another number.
    private static let packets =
        ProcessInfo.processInfo.environment["DRAY_LEAK_PACKETS"].flatMap { Int($0) } ?? 100_000

    private let faults: [SimulatedNetwork.Fault] = [
        .full, .tooLong, .refused, .device, .invalid, .forbidden,
    ]

    @Test func `after many packets and faults every slot is where it was`() throws {
        var random = SeededGenerator("leak")
        let network = try SimulatedNetwork(seed: random.seed)
        network.wire.waits = false
        network.wire.inboxMax = 1_000
        let crowd = try LinkCrowd("leak", count: 3, in: network) {
            $0.engine.ackTTLNanos = 500_000_000
            $0.queue.packets = 300
            $0.queue.ageNanos = 20_000_000
            $0.mixerCapacity = 200
            $0.frames.lifeNanos = 50_000_000
        }
        crowd.each = { network.advance(nanos: 1_000_000) }
        crowd[0].wants(crowd[1])
        crowd[1].wants(crowd[2])
        let isUp = crowd.turn { crowd.areUp([(0, 1), (1, 2)]) }
        #expect(isUp)
        network.wire.lossPerMillion = 20_000
        network.wire.copiesPerMillion = 20_000
        network.wire.jitterNanos = 2_000_000
        let good = (0..<400).map { _ in crowd.maker.make([1, 2], from: 0).bytes }
        var sent = 0
        var (held, heldTurns) = (0, 0)
        while sent < LeakTests.packets {
            sent += send(crowd, good, &random)
            if random.next() % 16 == 0 {
                let fault = faults[Int(random.next() % UInt64(faults.count))]
                let at = crowd[Int(random.next() % 3)].address
                network.fail(fault, at: at, sends: Int(random.next() % 4))
            }
            // Now and then somebody is late.
            if heldTurns == 0, random.next() % 64 == 0 {
                (held, heldTurns) = (Int(random.next() % 3), Int(random.next() % 30))
            }
            heldTurns = max(0, heldTurns - 1)
            for station in crowd.stations where heldTurns == 0 || station.node.index != held {
                station.turn()
            }
            crowd.each()
        }
        network.wire = SimulatedNetwork.Wire()
        network.wire.waits = false
        _ = crowd.turn(seconds: 2) { false }
        for station in crowd.stations {
            let ledger = station.ledger
            #expect(ledger.isBalanced && ledger.inFlight == 0, "\(ledger) seed \(random.seed)")
            #expect(station.hasAllSlots, "seed \(random.seed)")
        }
        let counters = crowd[1].counters
        #expect(counters.value(.packetsReceived) > LeakTests.packets / 3)
        for drop in [Drop.queueFull, .duplicate, .headerMac, .frameLost, .linkReplay] {
            #expect(counters.value(drop) > 0, "\(drop) seed \(random.seed)")
        }
    }

    /// A train of packets, good ones and others, from the first station; how many.
    private func send(
        _ crowd: LinkCrowd,
        _ good: [[UInt8]],
        _ random: inout SeededGenerator
    ) -> Int {
        let row = crowd[0].table.peer(keyID: crowd.nodes[1].keyID)
        guard var train = crowd[0].station.worker.begin(row) else { return 0 }
        var count = 0
        for _ in 0..<(1 + random.next() % 40) {
            var packet = good[Int(random.next() % UInt64(good.count))]
            if random.next() % 3 == 0 {
                packet[Int(random.next() % UInt64(packet.count))] ^= 1
            }
            let added = packet.withRegion { train.writer.add(.packet, $0) }
            if !added { break }
            count += 1
        }
        // The sender's own ledger knows nothing of these.
        crowd[0].station.worker.depart(train)
        return count
    }
}
