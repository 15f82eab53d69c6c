import Bytes
import Exchange
import TestSupport
import Testing
import Tickets

@testable import Engine

@Suite struct TableTests {
    private struct Model {
        var order: [Bytes33] = []
        var value: [Bytes33: (next: UInt32, ticket: UInt64, own: Bytes32)] = [:]
    }

    @Test(arguments: [1, 7, 64, 300])
    func `the table of unacknowledged tickets agrees with a dictionary`(capacity: Int) {
        var random = SeededGenerator("unacked")
        var measure = Arena()
        _ = UnackedTable(&measure, capacity: capacity, hash: KeyedHash(5, 6))
        let memory = Memory(measure.used)
        var arena = Arena(memory.region)
        let table = UnackedTable(&arena, capacity: capacity, hash: KeyedHash(5, 6))
        table.clear()
        let empty = memory.region.array
        var model = Model()
        for _ in 0..<4_000 {
            switch random.next() % 5 {
            case 0, 1: insert(table, &model, &random)
            case 2: remove(table, &model, at: model.order.randomElement(using: &random))
            case 3: remove(table, &model, at: random.next() % 4 == 0 ? model.order.first : nil)
            default: lookUp(table, model, &random)
            }
            #expect(table.count == model.order.count)
            #expect(table.isFull == (model.order.count == capacity))
        }
        for hint in model.order { remove(table, &model, at: hint) }
        #expect(table.oldest == UnackedTable.none)
        // Wiped: but for the links of the free list nothing is left.
        let after = memory.region.array
        let entries = 256 * capacity
        for place in 0..<capacity {
            let start = empty.count - entries + 256 * place
            #expect(after[(start + 4)..<(start + 256)].allSatisfy { $0 == 0 })
        }
    }

    private func insert(
        _ table: UnackedTable,
        _ model: inout Model,
        _ random: inout SeededGenerator
    ) {
        guard !table.isFull, var hint = Bytes33(random.bytes(33)),
            var own = Bytes32(random.bytes(32))
        else { return }
        var ticket = Ticket()
        ticket.index = random.next() % (1 << 48)
        let next = UInt32(random.next() % 5)
        hint.withRegion { hint in
            own.withRegion { own in
                table.insert(
                    UnackedTable.Entry(
                        nextKeyID: next,
                        previousKeyID: 1,
                        channel: 2,
                        atNanos: UInt64(model.order.count)
                    ),
                    hint: hint,
                    ownHalfKey: own,
                    ticketOf: ticket
                )
            }
        }
        model.order.append(hint)
        model.value[hint] = (next, ticket.index, own)
    }

    private func remove(_ table: UnackedTable, _ model: inout Model, at hint: Bytes33?) {
        guard var hint else { return }
        let place = hint.withRegion { table.find($0) }
        #expect(place != UnackedTable.none)
        table.remove(place)
        model.order.removeAll { $0 == hint }
        model.value[hint] = nil
    }

    private func lookUp(
        _ table: UnackedTable,
        _ model: Model,
        _ random: inout SeededGenerator
    ) {
        if var first = model.order.first {
            #expect(table.oldest == first.withRegion { table.find($0) })
        }
        var hint = model.order.randomElement(using: &random) ?? Bytes33()
        if random.next() % 4 == 0 { hint[32] ^= 1 }
        let place = hint.withRegion { table.find($0) }
        guard let value = model.value[hint] else {
            #expect(place == UnackedTable.none)
            return
        }
        #expect(table.value(place).nextKeyID == value.next)
        #expect(table.ownHalfKey(place).array == value.own.array)
        #expect(table.ticket(place).bigEndian(32, count: 6) == value.ticket)
    }

    @Test func `the replay set keeps every tag, and almost no others`() throws {
        var random = SeededGenerator("replay set")
        let capacity = 20_000
        let memory = Memory(ReplaySet.byteCount(capacity: capacity))
        let hash = KeyedHash(random.next(), random.next())
        let set = try #require(ReplaySet(memory.region, capacity: capacity, hash: hash))
        var tags: [Bytes16] = []
        while tags.count < capacity {
            guard var tag = Bytes16(random.bytes(16)) else { continue }
            #expect(set.nearlyFull == (tags.count >= capacity / 5 * 4))
            if tag.withRegion({ set.insert($0) }) == .none { tags.append(tag) }
        }
        var extra = try #require(Bytes16(random.bytes(16)))
        #expect(extra.withRegion { set.insert($0) } == .replayFull)
        // As after a restart: a new view of the same memory, whatever key it is offered.
        let again = try #require(
            ReplaySet(memory.region, capacity: capacity, hash: KeyedHash(0, 0))
        )
        #expect(again.count == UInt64(capacity))
        var missing = 0
        for var tag in tags where !tag.withRegion({ again.contains($0) }) { missing += 1 }
        #expect(missing == 0)
        var first = tags[0]
        #expect(first.withRegion { again.insert($0) } == .replay)
        var mistaken = 0
        for _ in 0..<50_000 {
            var other = try #require(Bytes16(random.bytes(16)))
            if other.withRegion({ again.contains($0) }) { mistaken += 1 }
        }
        #expect(mistaken <= 1)
    }

    @Test func `a replay set takes four to five bytes a tag`() {
        for capacity in [1_000_000, 100_000_000] {
            let perTag = Double(ReplaySet.byteCount(capacity: capacity)) / Double(capacity)
            #expect(perTag >= 4 && perTag <= 5)
        }
    }

    @Test func `memory that holds something else is no replay set`() throws {
        let memory = Memory(ReplaySet.byteCount(capacity: 1_000))
        memory.region.store(UInt64(1), 0)
        #expect(ReplaySet(memory.region, capacity: 1_000, hash: KeyedHash(1, 2)) == nil)
        memory.region.fill(0)
        #expect(ReplaySet(memory.region, capacity: 900, hash: KeyedHash(1, 2)) != nil)
        #expect(ReplaySet(memory.region, capacity: 1_000, hash: KeyedHash(1, 2)) == nil)
        #expect(ReplaySet(memory.region, capacity: 0, hash: KeyedHash(1, 2)) == nil)
        #expect(
            ReplaySet(memory.region.slice(0, 4096), capacity: 900, hash: KeyedHash(1, 2)) == nil
        )
    }

    @Test func `two threads enter each tag once`() async throws {
        let memory = Memory(ReplaySet.byteCount(capacity: 30_000))
        let set = try #require(
            ReplaySet(memory.region, capacity: 30_000, hash: KeyedHash(1, 2))
        )
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var taken = 0
                    for number in 0..<20_000 {
                        var tag = Bytes16()
                        let isNew = tag.withRegion { region in
                            region.store(UInt64(number) &* 0x9e37_79b9_7f4a_7c15, 0)
                            return set.insert(region).index == 0
                        }
                        if isNew { taken += 1 }
                    }
                    return taken
                }
            }
            return await group.reduce(0, +)
        }
        #expect(taken == 20_000 && set.count == 20_000)
        withExtendedLifetime(memory) {}
    }
}
