import Bytes
import TestSupport
import Testing

@testable import Link

@Suite struct FrameListsTests {
    @Test func `numbers come out of lists like out of arrays`() {
        var random = SeededGenerator("frame lists")
        let memory = Memory(4_096)
        var arena = Arena(memory.region)
        let lists = FrameLists(&arena, items: 20, lists: 3)
        lists.clear()
        var model: [[UInt32]] = [[], [], []]
        for _ in 0..<5_000 {
            let item = UInt32.random(in: 0..<20, using: &random)
            if let list = model.firstIndex(where: { $0.contains(item) }) {
                lists.remove(item, from: list)
                model[list].removeAll { $0 == item }
            } else {
                let list = Int.random(in: 0..<3, using: &random)
                if Bool.random(using: &random) {
                    lists.append(item, to: list)
                    model[list].append(item)
                } else {
                    lists.push(item, to: list)
                    model[list].insert(item, at: 0)
                }
            }
            #expect((0..<3).map { lists.first($0) } == model.map { $0.first ?? FrameLists.none })
        }
        withExtendedLifetime(memory) {}
    }

    @Test func `numbers are found by their digest, whatever shares a bucket`() {
        var random = SeededGenerator("frame index")
        let memory = Memory(4_096)
        var arena = Arena(memory.region)
        let index = FrameIndex(&arena, items: 40)
        index.clear()
        var model: [UInt32: UInt64] = [:]
        for _ in 0..<5_000 {
            let item = UInt32.random(in: 0..<40, using: &random)
            if model.removeValue(forKey: item) != nil {
                index.remove(item)
            } else {
                // Two buckets for all of them.
                let digest = UInt64.random(in: 0..<3, using: &random) << 40 | random.next() & 1
                index.insert(item, digest)
                model[item] = digest
            }
            for bucket in 0..<UInt64(2) {
                var found: Set<UInt32> = []
                var number = index.first(bucket)
                while number != FrameLists.none, found.insert(number).inserted {
                    number = index.next(number)
                }
                #expect(number == FrameLists.none)
                #expect(found == Set(model.filter { $0.value & 1 == bucket }.keys))
            }
        }
        withExtendedLifetime(memory) {}
    }
}
