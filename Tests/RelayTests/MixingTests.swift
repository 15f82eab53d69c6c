import Bytes
import Crypto
import Exchange
import Foundation
import TestSupport
import Testing

@testable import Relay

/// A law of delays, as a distribution function and its integral from 0.
private struct Law: Sendable {
    let mixing: MixDelay
    let share: @Sendable (Double) -> Double
    let integral: @Sendable (Double) -> Double

    /// Released at the next tick: the delay and a rest that is uniform over a tick, where packets
    /// come at any time.
    func share(ofReleasesAfter delay: Double, tick: Double) -> Double {
        (integral(delay) - integral(delay - tick)) / tick
    }

    static func uniform(_ most: Double) -> Law {
        Law(
            mixing: .uniform(maxNanos: UInt64(most)),
            share: { min(1, max(0, $0 / most)) },
            integral: { delay in
                let inside = min(most, max(0, delay))
                return inside * inside / (2 * most) + max(0, delay - most)
            }
        )
    }

    static func exponential(_ mean: Double, _ most: Double) -> Law {
        let all = 1 - exp(-most / mean)
        return Law(
            mixing: .exponential(meanNanos: UInt64(mean), maxNanos: UInt64(most)),
            share: { min(1, max(0, (1 - exp(-$0 / mean)) / all)) },
            integral: { delay in
                let inside = min(most, max(0, delay))
                let area = (inside - mean * (1 - exp(-inside / mean))) / all
                return area + max(0, delay - most)
            }
        )
    }
}

@Suite struct MixingTests {
    private static let count = 20_000
    private static let laws = [
        Law.uniform(20_000_000),
        .exponential(10_000_000, 100_000_000),
        .exponential(10_000_000, 20_000_000),
        .exponential(10_000_000, 5_000_000),
        .exponential(1_000, 20_000),
    ]

    private func drawing(_ mixing: MixDelay) -> (DelayDraw, TestWheel, Memory) {
        let memory = Memory(4_096)
        var arena = Arena(memory.region)
        let draw = DelayDraw(&arena, mixing)
        draw.fill()
        return (draw, TestWheel(), memory)
    }

    // MARK: the draw

    @Test(arguments: laws.indices)
    func `delays follow their law`(index: Int) {
        let law = Self.laws[index]
        let (draw, source, memory) = drawing(law.mixing)
        // Half a nanosecond: draws are rounded down.
        let quick = (0..<Self.count).map { _ in Double(draw.draw(&source.random)) + 0.5 }
        let slow = (0..<Self.count).map { _ in Double(source.draw(law.mixing)) + 0.5 }
        let most = Statistics.distanceMax(Self.count)
        #expect(Statistics.distance(quick, law.share) < most)
        #expect(Statistics.distance(slow, law.share) < most)
        #expect(quick.allSatisfy { $0 <= Double(law.mixing.maxNanos) + 0.5 })
        withExtendedLifetime(memory) {}
    }

    @Test func `the table is as good as it says`() {
        var seed = SeededGenerator("delay table")
        let (draw, _, memory) = drawing(Self.laws[1].mixing)
        for bits in [0, .max] + (0..<10_000).map({ _ in seed.next() }) {
            let exact = -log1p(-Double(bits >> 20) * 0x1p-45)
            #expect(abs(draw.part(bits) - exact) < 2e-6)
        }
        withExtendedLifetime(memory) {}
    }

    @Test func `a law that is a little wrong is found`() {
        let law = Law.exponential(10_000_000, 20_000_000)
        let source = TestWheel()
        let most = Statistics.distanceMax(Self.count)
        func distance(_ draw: () -> UInt64) -> Double {
            let delays = (0..<Self.count).map { _ in Double(draw()) + 0.5 }
            return Statistics.distance(delays, law.share)
        }
        // Longer delays shortened, not drawn again.
        let whole = MixDelay.exponential(meanNanos: 10_000_000, maxNanos: 1_000_000_000)
        #expect(distance { min(20_000_000, source.draw(whole)) } > most)
        // The mean 6 % too long.
        let long = MixDelay.exponential(meanNanos: 10_600_000, maxNanos: 20_000_000)
        #expect(distance { source.draw(long) } > most)
        // One delay in fifty is left out.
        #expect(
            distance { source.random.next(below: 50) == 0 ? 0 : source.draw(law.mixing) } > most
        )
    }

    @Test func `no delay, and draws of a short maximum`() {
        let (none, source, memory) = drawing(.none)
        #expect((0..<100).allSatisfy { _ in none.draw(&source.random) == 0 })
        let (zero, other, more) = drawing(.exponential(meanNanos: 0, maxNanos: 1_000))
        #expect((0..<100).allSatisfy { _ in zero.draw(&other.random) == 0 })
        withExtendedLifetime((memory, more)) {}
    }

    // MARK: the wheel

    private func wheels(_ count: Int, tick: UInt64, for mixing: MixDelay) -> [TestWheel] {
        (0..<count).map { number in
            TestWheel(
                slots: 65_536,
                tick: tick,
                horizon: mixing.maxNanos,
                seed: UInt8(number)
            )
        }
    }

    /// Delays from insertion to release on a virtual clock: the owner comes by at every tick, eight
    /// packets come at any time between, each to the next wheel.
    private func releases(
        _ wheels: [TestWheel],
        _ delay: (TestWheel) -> UInt64
    ) -> (delays: [Double], order: [Int]) {
        let tick = wheels[0].wheel.tickNanos
        var came = [UInt64](repeating: 0, count: 65_536)
        var (now, next): (UInt64, UInt32) = (tick, 0)
        var delays = [Double](repeating: 0, count: Self.count)
        var order: [Int] = []
        while order.count < Self.count {
            for wheel in wheels {
                for slot in wheel.release(now) {
                    delays[Int(slot)] = Double(now - came[Int(slot)])
                    order.append(Int(slot))
                }
            }
            for _ in 0..<8 where Int(next) < Self.count {
                let wheel = wheels[Int(next) % wheels.count]
                came[Int(next)] = now + wheels[0].random.next(below: tick)
                wheel.wheel.insert(next, dueNanos: came[Int(next)] + delay(wheel))
                next += 1
            }
            now += tick
        }
        return (delays, order)
    }

    private func distance(_ delays: [Double], _ law: Law, _ tick: UInt64) -> Double {
        Statistics.distance(delays) { law.share(ofReleasesAfter: $0, tick: Double(tick)) }
    }

    @Test(arguments: [(0, 65_536), (1, 65_536), (2, 65_536), (2, 1 << 20)])
    func `packets leave the wheel by the law of their delays`(index: Int, tick: UInt64) {
        let law = Self.laws[index]
        let wheels = wheels(1, tick: tick, for: law.mixing)
        #expect(wheels[0].wheel.tickNanos == tick)
        let delays = releases(wheels) { $0.draw(law.mixing) }.delays
        #expect(distance(delays, law, tick) < Statistics.distanceMax(Self.count))
    }

    @Test func `a wheel that is a little wrong is found`() {
        let law = Self.laws[1]
        let tick: UInt64 = 1 << 19
        let most = Statistics.distanceMax(Self.count)
        func distance(_ delay: (TestWheel) -> UInt64) -> Double {
            let delays = releases(wheels(1, tick: tick, for: law.mixing), delay).delays
            return self.distance(delays, law, tick)
        }
        // A tick too early.
        #expect(distance { max($0.draw(law.mixing), tick) - tick } > most)
        // A wheel that is too short for long delays.
        #expect(distance { min($0.draw(law.mixing), 40_000_000) } > most)
    }

    @Test func `two wheels do what one does`() {
        let mixing = MixDelay.exponential(meanNanos: 10_000_000, maxNanos: 150_000_000)
        let law = Law.exponential(10_000_000, 150_000_000)
        let wheels = wheels(2, tick: 131_072, for: mixing)
        let delays = releases(wheels) { $0.draw(mixing) }.delays
        let most = Statistics.distanceMax(Self.count / 2)
        for parity in 0..<2 {
            let part = delays.indices.filter { $0 % 2 == parity }.map { delays[$0] }
            #expect(distance(part, law, 131_072) < most)
        }
        // What waits says nothing about what is still to wait, on whichever wheel.
        let rests = delays.filter { $0 > 12_000_000 }.map { $0 - 12_000_000 }
        let whole = Law.exponential(10_000_000, 138_000_000)
        #expect(Statistics.distance(rests, whole.share) < Statistics.distanceMax(rests.count))
        // One packet's delay says nothing about the next one's: 3.3 standard errors.
        let pairs = stride(from: 0, to: Self.count, by: 2)
        let correlation = Statistics.correlation(
            pairs.map { delays[$0] },
            pairs.map { delays[$0 + 1] }
        )
        #expect(abs(correlation) < 3.3 / Double(Self.count / 2).squareRoot())
    }

    // MARK: order

    private func orders(_ rounds: Int, _ order: (UInt64) -> [UInt32]) -> Double {
        var counts = [Int](repeating: 0, count: 24)
        for round in 1...rounds { counts[Statistics.permutation(order(UInt64(round)))] += 1 }
        return Statistics.chiSquare(counts)
    }

    @Test func `packets of one tick leave in any order alike`() {
        let test = TestWheel()
        let wheel = orders(9_600) { round in
            for slot in UInt32(0)..<4 { test.wheel.insert(slot, dueNanos: round * 10_240) }
            return test.release(round * 10_240 + 1_024)
        }
        #expect(wheel < Statistics.chiSquareMax24)
        // A shuffle that swaps each with any other, as is often written, is found.
        let naive = orders(9_600) { _ in
            var order: [UInt32] = [0, 1, 2, 3]
            for place in 0..<4 { order.swapAt(place, Int(test.random.next(below: 4))) }
            return order
        }
        #expect(naive > Statistics.chiSquareMax24)
    }

    @Test func `where not all of a tick fit the way out, chance decides which stay`() {
        let test = TestWheel(room: 2)
        let sum = orders(9_600) { round in
            for slot in UInt32(0)..<4 { test.wheel.insert(slot, dueNanos: round * 10_240) }
            let now = round * 10_240 + 1_024
            let first = test.release(now)
            #expect(first.count == 2 && test.wheel.count == 2 && test.wheel.nextNanos != nil)
            return first + test.release(now)
        }
        #expect(sum < Statistics.chiSquareMax24)
    }

    @Test func `where the mixer has little room, each arrival is as likely to find some`() {
        let test = TestWheel()
        let lanes = 24
        var found = [Int](repeating: 0, count: lanes)
        for _ in 0..<8_000 {
            for lane in 0..<lanes { test.out[lane] = UInt32(lane) }
            shuffle(test.out, 0, lanes, &test.random)
            // The engine accepts from the front.
            for place in 0..<5 { found[Int(test.out[place])] += 1 }
        }
        // Drawn without putting back: a little less spread than 23 degrees of freedom.
        #expect(Statistics.chiSquare(found) < Statistics.chiSquareMax24)
    }

    // MARK: time

    @Test func `nothing leaves early, however late the owner comes and however full the way out`() {
        var seed = SeededGenerator("late owner")
        let test = TestWheel(slots: 4_096, tick: 1_024, horizon: 1 << 20, room: 3)
        let wheelNanos = UInt64(TimingWheel.spokes) * 1_024
        var (now, waiting): (UInt64, [UInt32: UInt64]) = (0, [:])
        var free = Array(UInt32(0)..<4_096)
        for _ in 0..<3_000 {
            now += UInt64.random(in: 0...40_000, using: &seed)
            if Int.random(in: 0..<200, using: &seed) == 0 { now += wheelNanos }
            for slot in test.release(now) {
                let due = waiting.removeValue(forKey: slot)
                #expect(due.map { $0 <= now } == true)
                free.append(slot)
            }
            for _ in 0..<Int.random(in: 0...6, using: &seed) {
                guard let slot = free.popLast() else { break }
                // Up to twice around the wheel.
                let due = now + UInt64.random(in: 0...(2 * wheelNanos), using: &seed)
                test.wheel.insert(slot, dueNanos: due)
                waiting[slot] = due
            }
            #expect(test.wheel.count == waiting.count)
        }
        now += 4 * wheelNanos
        while !waiting.isEmpty {
            let left = test.release(now)
            #expect(!left.isEmpty)
            guard !left.isEmpty else { return }
            for slot in left { waiting.removeValue(forKey: slot) }
        }
        #expect(test.wheel.count == 0 && test.wheel.nextNanos == nil)
    }

    @Test func `lateness is counted from the time that was due`() {
        let memory = Memory(Counters.byteCount)
        let counters = Counters(memory.region)
        let test = TestWheel(tick: 1_024, horizon: 1 << 20)
        func release(_ now: UInt64) -> Int {
            test.wheel.release(
                nowNanos: now,
                into: test.out,
                from: 0,
                random: &test.random,
                lateness: counters.lateness
            )
        }
        // A grain is 4 ns: due at 1,001 is kept as 1,004.
        for (slot, due) in [1_001, 1_024, 2_000, 2_048, 300_000].enumerated() {
            test.wheel.insert(UInt32(slot), dueNanos: UInt64(due))
        }
        let first = release(2_048)
        #expect(first == 4)
        // 1,044 and 1,024 late; 48; not at all.
        #expect(counters.lateness.classes.map(\.nanos) == [0, 32, 1_024])
        #expect(counters.lateness.classes.map(\.count) == [1, 1, 2])
        let last = release(300_000 + 1 << 30)
        #expect(last == 1)
        #expect(counters.lateness.classes.last.map { $0 == (1 << 30, 1) } == true)
        // The counters beside it are untouched.
        #expect(counters.latency.classes.isEmpty && counters.rejects.entries.isEmpty)
        withExtendedLifetime(memory) {}
    }

    @Test func `classes of lateness are powers of two`() {
        let memory = Memory(Counters.byteCount)
        let lateness = Counters(memory.region).lateness
        for power in UInt64(0)..<64 { lateness.add(1 << power) }
        lateness.add(0)
        lateness.add(3)
        let classes = lateness.classes
        #expect(classes.map(\.nanos) == [0] + (0..<39).map { 1 << $0 })
        #expect(classes[2].count == 2 && classes.last.map { $0.count == 26 } == true)
        #expect(classes.reduce(0) { $0 + $1.count } == 66)
        withExtendedLifetime(memory) {}
    }
}
