import Bytes
import Datapath
import Foundation
import TestSupport
import Testing

@Suite struct MemoryTests {
    @Test func `every slot has one owner, whatever happens`() {
        var seed = SeededGenerator("slot pool")
        let memory = Memory(SlotPool.byteCount(slots: 100))
        var pool = SlotPool(memory.region, count: 100)
        var mine: [UInt32] = []
        for _ in 0..<5_000 {
            if Bool.random(using: &seed) {
                let slot = pool.take(.worker)
                #expect((slot == nil) == (mine.count == 100))
                if let slot {
                    #expect(!mine.contains(slot))
                    mine.append(slot)
                }
            } else if let place = mine.indices.randomElement(using: &seed) {
                pool.give(mine.remove(at: place), from: .worker)
            }
            let free = pool.freeCount
            #expect(free + mine.count == 100)
        }
        #expect(pool.count(of: .worker) == mine.count)
        #expect(SlotOwner.allCases.map { pool.count(of: $0) }.reduce(0, +) == 100)
        withExtendedLifetime(memory) {}
    }

    @Test func `pages are zero and begin on a huge page`() throws {
        let pages = try MappedPages(3 << 20)
        #expect(pages.region.address % (2 << 20) == 0)
        #expect(pages.region.byteCount == 3 << 20)
        #expect(stride(from: 0, to: 3 << 20, by: 4_096).allSatisfy { pages.region.byte($0) == 0 })
        pages.region.fill(0xff)
        withExtendedLifetime(pages) {}
    }

    @Test func `a mapped file keeps what was written and refuses another size`() throws {
        let path = NSTemporaryDirectory() + "dray-map-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            let file = try MappedFile(path, byteCount: 10_000)
            file.region.store(UInt8(42), 9_999)
            try file.sync()
            withExtendedLifetime(file) {}
        }
        for byteCount in [10_000, 12_000] {
            let file = try MappedFile(path, byteCount: byteCount)
            let byte = file.region.byte(9_999)
            #expect(byte == 42)
            withExtendedLifetime(file) {}
        }
        #expect(throws: DatapathError.fileTooLong(path)) {
            _ = try MappedFile(path, byteCount: 10_000)
        }
        #expect(throws: DatapathError.system("/nowhere/at/all", 2)) {
            _ = try MappedFile("/nowhere/at/all", byteCount: 1)
        }
    }

    @Test func `a full disk is said in one line`() {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        #expect(throws: DatapathError.self) { _ = try MappedFile("/dev/full", byteCount: 4_096) }
        #expect("\(DatapathError.diskFull("x"))" == "no room on the disk for x")
        #expect("\(DatapathError.portInUse(9))" == "UDP port 9 is in use")
    }
}
