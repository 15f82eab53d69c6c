import Bytes
import Exchange
import Foundation
import Synchronization
import TestSupport
import Testing

/// The window as a set.
private struct WindowModel {
    var floor: UInt64 = 0
    var top: UInt64 = 0
    var seen: Set<UInt64> = []

    mutating func mark(_ index: UInt64) -> Drop {
        if index < floor || index + 65_536 < top { return .lateIndex }
        if seen.contains(index) { return .indexReplay }
        if index > max(top, floor) + 1 << 32 { return .indexJump }
        seen.insert(index)
        top = max(top, index + 1)
        return .none
    }
}

@Suite struct BooksTests {
    private func books(slots: Int) -> (ChannelBooks, Memory) {
        let memory = Memory(ChannelBooks.byteCount(slots: slots))
        return (ChannelBooks(memory.region, slots: slots), memory)
    }

    @Test func `the index window agrees with a set`() {
        var random = SeededGenerator("window")
        let (books, memory) = books(slots: 2)
        var model = WindowModel()
        for _ in 0..<200_000 {
            let index: UInt64
            switch random.next() % 16 {
            case 0: index = model.top &+ random.next() % 200_000
            case 1: index = model.top > 65_600 ? model.top - 65_600 + random.next() % 128 : 0
            case 2: index = model.top &+ 1 << 32 + random.next() % 3
            case 3: index = random.next() % (model.top + 1)
            default: index = model.top &+ random.next() % 64 &- min(model.top, 32)
            }
            guard index < 1 << 47 else { continue }
            let judged = books.judge(1, index)
            let expected = model.mark(index)
            #expect(judged == expected)
            #expect(books.mark(1, index) == expected)
            if random.next() % 1_000 == 0 {
                model.floor = max(model.floor, model.top - min(model.top, random.next() % 1_000))
                books.raiseFloor(1, to: model.floor)
            }
        }
        #expect(books.top(1) == model.top)
        // The neighbouring slot was not touched.
        #expect(books.top(0) == 0 && books.judge(0, 0) == .none)
        withExtendedLifetime(memory) {}
    }

    @Test func `an unmarked index can be marked again`() {
        let (books, memory) = books(slots: 1)
        #expect(books.mark(0, 9) == .none)
        books.unmark(0, 9)
        #expect(books.mark(0, 9) == .none)
        #expect(books.mark(0, 9) == .indexReplay)
        withExtendedLifetime(memory) {}
    }

    @Test func `a cleared slot is new`() {
        let (books, memory) = books(slots: 2)
        #expect(books.mark(1, 70_000) == .none)
        #expect(books.reserve(1, 5, balance: 10))
        books.raiseIndexLimit(1, to: 4)
        books.raiseFloor(1, to: 9)
        books.clear(1)
        #expect(memory.region.array.allSatisfy { $0 == 0 })
    }

    @Test func `reservations never exceed the balance and come back to zero`() {
        let (books, memory) = books(slots: 1)
        let large = UInt128(1) << 80
        #expect(books.reserve(0, large, balance: large + 1))
        #expect(!books.reserve(0, 2, balance: large + 1))
        #expect(books.reserve(0, 1, balance: large + 1))
        #expect(!books.covers(0, 1, balance: large))
        books.release(0, large)
        books.release(0, 1)
        #expect(books.reserved(0) == 0)
        books.release(0, 1)
        #expect(books.reserved(0) == 0)
        withExtendedLifetime(memory) {}
    }

    @Test func `two threads take each index once and each money once`() async {
        let (books, memory) = books(slots: 2)
        books.raiseIndexLimit(0, to: 20_000)
        let balance: UInt128 = 1 << 70
        let step: UInt128 = (1 << 70) / 10_000
        struct Taken: Sendable {
            var indices: [UInt64] = []
            var reserved = 0
            var marked = 0
        }
        let results = await withTaskGroup(of: Taken.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var taken = Taken()
                    while let index = books.takeIndex(0) { taken.indices.append(index) }
                    while books.reserve(1, step, balance: balance) { taken.reserved += 1 }
                    for index in 0..<UInt64(20_000) where books.mark(1, index) == .none {
                        taken.marked += 1
                    }
                    return taken
                }
            }
            return await group.reduce(into: [Taken]()) { $0.append($1) }
        }
        let indices = results.flatMap(\.indices)
        #expect(indices.count == 20_000 && Set(indices).count == 20_000)
        #expect(results.map(\.reserved).reduce(0, +) == 10_000)
        #expect(results.map(\.marked).reduce(0, +) == 20_000)
        withExtendedLifetime(memory) {}
    }
}
