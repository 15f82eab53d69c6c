import Bytes
import Crypto
import TestSupport
import Testing

@testable import Relay

/// A wheel with its memory and generator.
final class TestWheel {
    let wheel: TimingWheel
    var random: RandomStream
    let out: Column<UInt32>
    private let memory = Memory(1 << 20)

    init(
        slots: Int = 4_096,
        tick: UInt64 = 1_024,
        horizon: UInt64 = 1 << 20,
        room: Int = 4_096,
        seed: UInt8 = 0
    ) {
        var arena = Arena(memory.region)
        wheel = TimingWheel(&arena, slots: slots, tickNanos: tick, horizonNanos: horizon)
        wheel.clear(nowNanos: 0)
        out = arena.column(UInt32.self, room)
        let seedBytes = arena.region(32)
        seedBytes.fill(seed)
        random = RandomStream(in: arena.region(RandomStream.byteCount), seed: seedBytes)
    }

    func release(_ now: UInt64) -> [UInt32] {
        let count = wheel.release(nowNanos: now, into: out, from: 0, random: &random)
        return (0..<count).map { out[$0] }
    }

    func draw(_ delay: MixDelay) -> UInt64 { delay.draw(&random) }
}

@Suite struct WheelTests {
    @Test func `slots leave like in a sorted list, never early and at most a tick late`() {
        var seed = SeededGenerator("wheel model")
        let test = TestWheel()
        let tick = test.wheel.tickNanos
        var now: UInt64 = 0
        var waiting: [UInt32: UInt64] = [:]
        var free = Array(UInt32(0)..<4_096)
        for _ in 0..<2_000 {
            now += UInt64.random(in: 0...(3 * tick), using: &seed)
            for slot in test.release(now) {
                let due = waiting.removeValue(forKey: slot)
                #expect(due.map { $0 <= now } == true)
                free.append(slot)
            }
            #expect(waiting.values.allSatisfy { $0 + tick > now })
            for _ in 0..<Int.random(in: 0...8, using: &seed) {
                guard let slot = free.popLast() else { break }
                let due = now + UInt64.random(in: 0...(1 << 20), using: &seed)
                test.wheel.insert(slot, dueNanos: due)
                waiting[slot] = due
            }
            #expect(test.wheel.count == waiting.count)
            if let first = waiting.values.min(), let next = test.wheel.nextNanos {
                #expect(next >= first && next < first + tick || next <= now + tick)
            } else {
                #expect(test.wheel.nextNanos == nil && waiting.isEmpty)
            }
        }
        #expect(Set(test.release(now + 1 << 21)) == Set(waiting.keys))
    }

    @Test func `a wheel that stood still for long releases everything and goes on`() {
        let test = TestWheel()
        test.wheel.insert(7, dueNanos: 5_000)
        #expect(test.release(1 << 40) == [7])
        test.wheel.insert(8, dueNanos: 1 << 40 + 100_000)
        #expect(test.release(1 << 40 + 50_000) == [])
        #expect(test.release(1 << 40 + 102_400) == [8])
        #expect(test.wheel.nextNanos == nil)
    }

    @Test func `what does not fit the way out waits for the next round`() {
        let test = TestWheel(room: 10)
        for slot in UInt32(0)..<25 { test.wheel.insert(slot, dueNanos: 1_000) }
        var left: [UInt32] = []
        left += test.release(2_048)
        #expect(left.count == 10)
        test.wheel.insert(25, dueNanos: 2_048)
        for _ in 0..<2 { left += test.release(2_049) }
        #expect(left.count == 26 || left.count == 25)
        left += test.release(10_000)
        #expect(left.sorted() == Array(0..<26))
    }

    @Test func `slots of one tick leave in any order alike`() {
        let test = TestWheel()
        var firsts = [Int](repeating: 0, count: 4)
        let rounds = 8_000
        for round in 1...rounds {
            let due = UInt64(round) * 10_240
            for slot in UInt32(0)..<4 { test.wheel.insert(slot, dueNanos: due) }
            let order = test.release(due + 1_024)
            #expect(order.count == 4)
            firsts[Int(order[0])] += 1
        }
        // 2,000 each; six sigma is 232.
        #expect(firsts.allSatisfy { abs($0 - rounds / 4) < 240 })
    }

    @Test func `uniform delays are uniform`() {
        let test = TestWheel()
        let delay = MixDelay.uniform(maxNanos: 20_000_000)
        let draws = (0..<40_000).map { _ in Double(test.draw(delay)) }
        let mean = draws.reduce(0, +) / Double(draws.count)
        #expect(draws.allSatisfy { $0 <= 20_000_000 })
        // Standard error 28,900 ns.
        #expect(abs(mean - 10_000_000) < 180_000)
        let low = draws.filter { $0 < 5_000_000 }.count
        #expect(abs(low - 10_000) < 520)
    }

    @Test func `exponential delays have their mean and end at their maximum`() {
        let test = TestWheel()
        let delay = MixDelay.exponential(meanNanos: 10_000_000, maxNanos: 100_000_000)
        let draws = (0..<40_000).map { _ in Double(test.draw(delay)) }
        let mean = draws.reduce(0, +) / Double(draws.count)
        // Cut at ten means the mean is 0.99955 of the whole one's; standard error 50,000 ns.
        #expect(abs(mean - 9_995_500) < 300_000)
        let aboveMean = draws.filter { $0 > 10_000_000 }.count
        #expect(abs(Double(aboveMean) / 40_000 - 0.3679) < 0.015)

        let short = MixDelay.exponential(meanNanos: 10_000_000, maxNanos: 5_000_000)
        let cut = (0..<10_000).map { _ in test.draw(short) }
        #expect(cut.allSatisfy { $0 <= 5_000_000 })
        #expect(cut.filter { $0 > 4_950_000 }.count < 150)
        #expect(test.draw(.none) == 0)
    }

    @Test func `the horizon stretches the tick`() {
        let test = TestWheel(tick: 1_000, horizon: 1 << 30)
        #expect(test.wheel.tickNanos == 1 << 19)
        test.wheel.insert(1, dueNanos: 1 << 30)
        #expect(test.release(1 << 30 - 1) == [])
        #expect(test.release(1 << 30) == [1])
    }
}
