import Bytes
import TestSupport
import Testing

@testable import Engine

@Suite struct TableTests {
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
