import Bytes
import Crypto
import TestSupport
import Testing

@testable import Relay

@Suite struct HopGroupsTests {
    private let memory = Memory(1 << 16)

    private func groups(rows: Int, capacity: Int) -> (HopGroups, Column<UInt32>) {
        var arena = Arena(memory.region)
        let groups = HopGroups(&arena, rows: rows, capacity: capacity)
        return (groups, arena.column(UInt32.self, capacity))
    }

    @Test func `every packet is in its hop's group, in the order it came`() {
        var seed = SeededGenerator("hop groups")
        let source = TestWheel()
        let (groups, rows) = groups(rows: 40, capacity: 256)
        for _ in 0..<300 {
            let count = Int.random(in: 0...256, using: &seed)
            let hops = UInt32.random(in: 1...44, using: &seed)
            for packet in 0..<count { rows[packet] = UInt32.random(in: 0..<hops, using: &seed) }
            if count > 0 { rows[count / 2] = .max }
            let made = groups.form(rows, count: count, random: &source.random)
            var next = 0
            var seen: Set<UInt32> = []
            for index in 0..<made {
                let group = groups.group(index)
                #expect(group.first == next && group.count > 0)
                #expect(seen.insert(group.row).inserted)
                let places = (0..<group.count).map { Int(groups.place[group.first + $0]) }
                #expect(places == (0..<count).filter { rows[$0] == group.row })
                next += group.count
            }
            #expect(next == (0..<count).filter { rows[$0] < 40 }.count)
        }
    }

    @Test func `hops come in any order alike`() {
        let source = TestWheel()
        let (groups, rows) = groups(rows: 8, capacity: 16)
        for packet in 0..<16 { rows[packet] = UInt32(packet % 4) }
        var counts = [Int](repeating: 0, count: 24)
        for _ in 0..<9_600 {
            let made = groups.form(rows, count: 16, random: &source.random)
            let order = (0..<made).map { groups.group($0).row }
            counts[Statistics.permutation(order)] += 1
        }
        #expect(Statistics.chiSquare(counts) < Statistics.chiSquareMax24)
    }
}
