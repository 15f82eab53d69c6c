import Bytes
import TestSupport
import Testing

@testable import Link

/// What a window may and may not do, from the set of all counters that it took.
private struct Model {
    var taken: Set<UInt64> = []
    var highest: UInt64 = 0

    mutating func check(_ counter: UInt64, _ isTaken: Bool) -> String? {
        defer {
            if isTaken {
                taken.insert(counter)
                highest = max(highest, counter)
            }
        }
        if taken.contains(counter) { return isTaken ? "\(counter) taken twice" : nil }
        let isNear = counter + UInt64(LinkLimits.windowDatagrams) > highest
        return isNear && !isTaken ? "\(counter) refused, highest \(highest)" : nil
    }
}

@Suite struct LinkWindowTests {
    private func window(_ memory: Memory) -> ReplayWindow {
        ReplayWindow(AtomicCells(memory.region), first: 0)
    }

    @Test func `a window takes every counter once and keeps to its model in any order`() {
        var random = SeededGenerator("window")
        for round in 0..<40 {
            let memory = Memory(8 * ReplayWindow.cells)
            let window = window(memory)
            var model = Model()
            var head: UInt64 = round % 2 == 0 ? 0 : UInt64.random(in: 0..<1 << 36, using: &random)
            for _ in 0..<4_000 {
                // Mostly near the head, sometimes a jump, sometimes long ago.
                switch UInt8.random(in: 0..<32, using: &random) {
                case 0: head += UInt64.random(in: 0..<20_000, using: &random)
                case 1...8: head += 1
                default: break
                }
                let back = UInt64.random(
                    in: 0..<(random.next() & 7 == 0 ? 20_000 : 64),
                    using: &random
                )
                let counter = head - min(head, back)
                let may = window.mayTake(counter)
                let takes = window.take(counter)
                #expect(may == takes)
                #expect(!window.mayTake(counter))
                let complaint = model.check(counter, takes)
                #expect(complaint == nil, "seed \(random.seed)")
            }
        }
    }

    @Test func `8192 counters taken backwards are all taken, and none again`() {
        let memory = Memory(8 * ReplayWindow.cells)
        let window = window(memory)
        for top in [UInt64(8_191), 100_031, LinkLimits.rejectDatagrams - 1] {
            for back in 0..<UInt64(LinkLimits.windowDatagrams) { #expect(window.take(top - back)) }
            for back in 0..<UInt64(LinkLimits.windowDatagrams) { #expect(!window.take(top - back)) }
        }
    }

    @Test func `threads that take the same counters take each once between them`() async {
        let memory = Memory(8 * ReplayWindow.cells)
        let threads = 4
        let count = 20_000
        let taken = await withTaskGroup(of: [UInt64].self) { group in
            for thread in 0..<threads {
                group.addTask {
                    let window = ReplayWindow(AtomicCells(memory.region), first: 0)
                    var mine: [UInt64] = []
                    // Each in an order of its own: runs of 64, forwards or backwards.
                    for counter in 0..<UInt64(count) {
                        let mixed = thread % 2 == 0 ? counter : counter ^ 63
                        if window.take(mixed) { mine.append(mixed) }
                    }
                    return mine
                }
            }
            return await group.reduce(into: [UInt64]()) { $0 += $1 }
        }
        #expect(taken.count == Set(taken).count)
        withExtendedLifetime(memory) {}
    }
}
