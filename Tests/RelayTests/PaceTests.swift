import Bytes
import Datapath
import Exchange
import Link
import TestSupport
import Testing

@testable import Relay

/// Links that send at a constant rate.
@Suite struct PaceTests {
    private static let stepNanos: UInt64 = 1_000_000

    /// Stations in a row on a clock of their own, with links up, and a step of it with each turn.
    private func crowd(
        _ name: String,
        count: Int = 2,
        rate: Int,
        stepNanos: UInt64 = PaceTests.stepNanos,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws -> (SimulatedNetwork, LinkCrowd) {
        let network = try SimulatedNetwork(seed: 1)
        network.wire.waits = false
        network.wire.delayNanos = 2_000_000
        let crowd = try LinkCrowd(name, count: count, in: network) {
            $0.constantRate = rate
            $0.engine.ackTTLNanos = 2_000_000_000
            configure(&$0)
        }
        crowd.each = { network.advance(nanos: stepNanos) }
        let links = (1..<count).map { ($0 - 1, $0) }
        for (left, right) in links { crowd[left].wants(crowd[right]) }
        let isUp = crowd.turn { crowd.areUp(links) }
        #expect(isUp)
        return (network, crowd)
    }

    /// So many steps.
    private func run(_ crowd: LinkCrowd, steps: Int, each: (Int) -> Void = { _ in }) {
        for step in 0..<steps {
            each(step)
            crowd.turn()
        }
    }

    private func sent(_ crowd: LinkCrowd) -> [UInt64] {
        crowd.stations.map { $0.counters.value(Counter.datagramsOut) }
    }

    @Test(arguments: [30, 1_000, 7_777])
    func `a link sends as many datagrams, whatever there is to say`(rate: Int) throws {
        let (_, crowd) = try crowd("rate", rate: rate)
        let burst = crowd[0].burst
        run(crowd, steps: 50)
        var seen = sent(crowd)
        // Nothing, a little, more than fits, nothing again.
        for load in [0, 1, 40, 0] {
            run(crowd, steps: 1_000) { step in
                if step % 20 == 0 { for _ in 0..<load { crowd.send([1, 0]) } }
            }
            let now = sent(crowd)
            for (before, after) in zip(seen, now) {
                #expect(abs(Int(after - before) - rate) <= burst, "load \(load)")
            }
            seen = now
        }
        // Over all the time it is exact, but for the last burst.
        #expect(seen.allSatisfy { abs(Int($0) - rate * 4_050 / 1_000) <= 2 * burst })
        #expect(crowd.stations.allSatisfy { $0.counters.value(.paddingMissed) == 0 })
        #expect(crowd[0].counters.value(.paddingOut) > 0)
    }

    @Test func `below the rate nothing is lost`() throws {
        let (_, crowd) = try crowd("below", count: 4, rate: 400)
        let count = 300
        // 100 packets a second take less than half of what a link sends.
        run(crowd, steps: 3_000) { step in if step % 10 == 0 { crowd.send([1, 2, 3]) } }
        run(crowd, steps: 500)
        #expect(crowd[3].delivered == count)
        #expect(crowd[1].unlocked == count && crowd[2].unlocked == count)
        for station in crowd.stations {
            #expect(station.ledger.isBalanced && station.ledger.inFlight == 0)
            #expect(station.hasAllSlots)
            let drops = Drop.allCases.filter { station.counters.value($0) != 0 }
            #expect(drops.isEmpty, "\(drops)")
        }
    }

    @Test func `what exceeds the rate waits, and is dropped by name beyond a bound`() throws {
        let (_, crowd) = try crowd("above", count: 3, rate: 100) { $0.mixerCapacity = 256 }
        for _ in 0..<20 { crowd.send([1, 2]) }
        run(crowd, steps: 300)
        // It waits, and goes.
        #expect(crowd[0].ledger.held > 0)
        run(crowd, steps: 600)
        #expect(crowd[0].ledger.held == 0 && crowd[2].delivered == 20)
        for _ in 0..<200 { crowd.send([1, 2]) }
        run(crowd, steps: 5_000)
        let lost = crowd[0].counters.value(Drop.linkPaced)
        #expect(lost > 0 && crowd[2].delivered == 220 - Int(lost))
        for station in crowd.stations {
            #expect(station.ledger.isBalanced && station.ledger.inFlight == 0)
            #expect(station.hasAllSlots)
        }
    }

    @Test func `pings are answered and acknowledgements come, within the rate`() throws {
        let (_, crowd) = try crowd("answers", rate: 200)
        let row = crowd[0].table.peer(keyID: crowd.nodes[1].keyID)
        for _ in 0..<40 {
            // Not one more datagram than the rate has: this ping takes one of its own.
            guard var train = crowd[0].station.worker.begin(row) else { return }
            var body = [UInt8](repeating: 1, count: 8)
            let added = body.withRegion { train.writer.add(.ping, $0) }
            #expect(added)
            crowd[0].station.worker.depart(train)
            run(crowd, steps: 50)
        }
        #expect(crowd[0].counters.value(.pongsIn) == 40)
        #expect(crowd[1].counters.value(.pingsIn) == 40)
    }

    @Test func `a link that says nothing stays`() throws {
        let (_, crowd) = try crowd("stays", rate: 30, stepNanos: 20_000_000)
        let first = crowd[0].session(to: crowd[1])
        run(crowd, steps: 20_000)
        #expect(crowd.areUp([(0, 1)]) && crowd[0].session(to: crowd[1]) != first)
        // One handshake after the first in two minutes, and none for silence.
        #expect(crowd[0].events.count == 1 && crowd[1].events.count == 1)
        #expect(
            crowd[0].counters.value(.handshakesIn) + crowd[1].counters.value(.handshakesIn) == 8
        )
        let seconds = 400.0
        for count in sent(crowd) { #expect(abs(Double(count) - 30 * seconds) <= 8) }
    }

    @Test func `a worker that comes too late makes up for a few bursts and counts the others`() {
        var clock = PaceClock(
            PaceClock.Plan(perSecond: 1_000, workers: 1, packetBytes: 1_461),
            worker: 0,
            nowNanos: 5
        )
        #expect(clock.burst == 10 && clock.nextNanos == 5)
        let first = clock.take(nowNanos: 5)
        #expect(first == (1, 0) && clock.nextNanos == 10_000_005)
        let none = clock.take(nowNanos: 10_000_004)
        #expect(none == (0, 0))
        let late = clock.take(nowNanos: 100_000_005)
        #expect(late == (4, 6) && clock.nextNanos == 110_000_005)
    }

    @Test(arguments: [(1, 1), (3, 2), (30, 1), (77, 3), (100_000, 4)])
    func `bursts keep the rate for ever, and workers share it`(rate: Int, workers: Int) {
        for number in 0..<workers {
            let plan = PaceClock.Plan(perSecond: rate, workers: workers, packetBytes: 3_669)
            var clock = PaceClock(plan, worker: number, nowNanos: 0)
            // A packet of the largest profile fits a burst.
            #expect(clock.burst >= 4 && clock.burst <= 44)
            var bursts = 0
            let seconds = 400
            let end = UInt64(seconds) * 1_000_000_000
            while clock.nextNanos < end { bursts += clock.take(nowNanos: clock.nextNanos).due }
            let exact = Double(seconds * rate) / Double(workers)
            #expect(abs(Double(bursts * clock.burst) - exact) <= Double(clock.burst))
        }
        let off = PaceClock(PaceClock.Plan(), worker: 0, nowNanos: 0)
        #expect(off.burst == 0 && off.nextNanos == .max)
    }
}

extension LinkStation {
    /// Datagrams of a burst.
    var burst: Int { station.worker.clock.burst }
}
