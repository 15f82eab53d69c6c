import Bytes
import Datapath
import Exchange
import Link
import Relay
import TestSupport
import Testing

/// Whole relays in one thread, on a clock of their own.
@Suite struct SimulatedRelayTests {
    private static let stepNanos: UInt64 = 200_000

    /// What is left of a run: the same for the same seed.
    private struct Left: Equatable {
        var counters: [[UInt8]]
        var wire: SimulatedNetwork.Counts
        var messages: [[UInt8]]
        var unlocked: [Int]
    }

    private func crowd(
        _ network: SimulatedNetwork,
        _ name: String,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws -> LinkCrowd {
        network.wire.waits = false
        let crowd = try LinkCrowd(name, count: 5, in: network) {
            $0.mixing = .uniform(maxNanos: 20_000_000)
            $0.ackWaitNanos = 50_000_000
            configure(&$0)
        }
        crowd.each = { network.advance(nanos: SimulatedRelayTests.stepNanos) }
        for (left, right) in [(0, 1), (1, 2), (2, 3), (3, 4)] { crowd[left].wants(crowd[right]) }
        let links = [(0, 1), (1, 2), (2, 3), (3, 4)]
        let isUp = crowd.turn(seconds: 30) { crowd.areUp(links) }
        #expect(isUp)
        return crowd
    }

    /// Sends packets over three relays through a bad wire, until nothing is under way any more.
    private func run(seed: UInt64, packets: Int) throws -> Left {
        let network = try SimulatedNetwork(seed: seed)
        network.wire.lossPerMillion = 20_000
        network.wire.copiesPerMillion = 20_000
        network.wire.delayNanos = 4_000_000
        network.wire.jitterNanos = 6_000_000
        let crowd = try crowd(network, "bad wire") { $0.engine.ackTTLNanos = 2_000_000_000 }
        for number in 0..<packets {
            crowd.send([1, 2, 3, 4], message: [UInt8(number >> 8), UInt8(number & 255)])
            for _ in 0..<8 { crowd.turn() }
        }
        // Until the last ticket is paid or given up, and the last frame.
        _ = crowd.turn(seconds: 3) { false }
        expectSettled(crowd, packets: packets)
        let messages = crowd[4].told.compactMap {
            if case .delivery(let delivery) = $0 { Array(delivery.payload.suffix(2)) } else { nil }
        }
        #expect(Set(messages).count == messages.count, "a packet twice, seed \(seed)")
        #expect(messages.count > packets / 2 && messages.count < packets)
        return Left(
            counters: crowd.stations.map { $0.counters.region.array },
            wire: network.counts,
            messages: messages,
            unlocked: crowd.stations.map(\.unlocked)
        )
    }

    /// Nothing is left at any node, and what came is what went.
    private func expectSettled(_ crowd: LinkCrowd, packets: Int) {
        for station in crowd.stations {
            let ledger = station.ledger
            #expect(ledger.isBalanced && ledger.inFlight == 0, "\(ledger)")
            #expect(station.hasAllSlots)
            #expect(station.counters.value(Drop.replay) == 0)
        }
        #expect(crowd[0].counters.value(.made) == packets)
        for relay in 1...3 {
            let counters = crowd[relay].counters
            #expect(
                counters.value(.packetsReceived) <= crowd[relay - 1].counters.value(.packetsOut)
            )
            let held = counters.value(.ticketsLocked)
            #expect(held == counters.value(.forwarded))
            #expect(held == counters.value(.ticketsUnlocked) + counters.value(.noAck))
        }
        // The wire doubles datagrams, and every copy is refused by the link.
        let copies = crowd.stations.reduce(0) { $0 + $1.counters.value(Drop.linkReplay) }
        #expect(copies > 0)
    }

    @Test func `three relays on a bad wire account for every packet, the same each time`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("simulated relays: seed \(seed)")
        let first = try run(seed: seed, packets: 250)
        let second = try run(seed: seed, packets: 250)
        #expect(first == second, "seed \(seed)")
    }

    @Test func `packets wait as long as was drawn`() throws {
        let network = try SimulatedNetwork(seed: 5)
        network.wire.delayNanos = 1_000_000
        let crowd = try crowd(network, "delays")
        let count = 400
        for _ in 0..<count {
            crowd.send([1, 2])
            for _ in 0..<4 { crowd.turn() }
        }
        let all = crowd.turn { crowd[2].delivered == count && crowd[1].unlocked == count }
        #expect(all)
        // Uniform up to 20 ms, and up to a tick and a step of the clock more.
        let classes = crowd[1].counters.latency.classes
        #expect(classes.reduce(0) { $0 + $1.count } == count)
        #expect(classes.allSatisfy { $0.nanos <= 20_450_000 })
        for share in [0.1, 0.25, 0.5, 0.75, 0.9] {
            // Five standard deviations of the quantile, a class's width, tick and step.
            let spread = 5 * (share * (1 - share) / Double(count)).squareRoot() * 20e6
            let nanos = Double(Histogram.quantile(share, of: classes))
            let law = share * 20e6
            #expect(nanos > law - spread - 0.07 * law, "\(share)")
            #expect(nanos < law + spread + 450_000, "\(share)")
        }
        let late = crowd[1].counters.lateness
        #expect(late.classes.isEmpty == false)
    }
}
