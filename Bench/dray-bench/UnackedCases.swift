import Bytes
import Datapath
import Engine
import Harness
import Tickets

/// A full table of unacknowledged tickets: each cycle finds and removes 64 entries from all over
/// it, and looks for and inserts 64 new ones.
///
/// An entry is removed as many cycles after it came as the table has entries, in an order that
/// jumps through the memory.
private final class UnackedBench {
    private static let lifeNanos: UInt64 = 10_000_000_000
    // Near the golden section of the capacity, so that neighbours in time are none in memory.
    private static let jump: UInt64 = 6_180_339
    private let capacity: Int
    private let pages: MappedPages
    private let table: UnackedTable
    private let lanes: UnackedLanes
    private let old: Column<Bytes33>
    private let new: Column<Bytes33>
    private let ownHalfKey: Region
    private var ticket = Ticket()
    private var cycles: UInt64 = 0

    init(capacity: Int) {
        self.capacity = capacity
        let bytes = UnackedBench.tableBytes(capacity) + 16_384
        guard let pages = try? MappedPages(bytes) else { fatalError("no memory for the table") }
        self.pages = pages
        var arena = Arena(pages.region)
        table = UnackedBench.lay(&arena, capacity)
        lanes = UnackedLanes(&arena)
        old = arena.column(Bytes33.self, Batch.capacity)
        new = arena.column(Bytes33.self, Batch.capacity)
        ownHalfKey = arena.region(32)
        ownHalfKey.fill(3)
        table.clear()
        for start in stride(from: 0, to: capacity, by: Batch.capacity) {
            let count = min(Batch.capacity, capacity - start)
            for lane in 0..<count { write(UInt64(start + lane), to: new.region(lane)) }
            insert(count)
        }
    }

    private static func lay(_ arena: inout Arena, _ capacity: Int) -> UnackedTable {
        let hash = KeyedHash(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)
        return UnackedTable(&arena, capacity: capacity, lifeNanos: lifeNanos, hash: hash)
    }

    static func tableBytes(_ capacity: Int) -> Int {
        var arena = Arena()
        _ = lay(&arena, capacity)
        return arena.used
    }

    /// The hint of an entry: 33 bytes that look like a point.
    private func write(_ number: UInt64, to hint: Region) {
        var state = number &* 0x9e37_79b9_7f4a_7c15
        hint.store(UInt8(2), 0)
        for word in 0..<4 {
            state = (state ^ state >> 29) &* 0xbf58_476d_1ce4_e5b9 &+ 1
            hint.store(state, 1 + 8 * word)
        }
    }

    func cycle() -> UInt64 {
        let (round, first) = cycles.quotientAndRemainder(dividingBy: UInt64(capacity))
        for lane in 0..<Batch.capacity {
            let step = first + UInt64(lane)
            let number = step * UnackedBench.jump % UInt64(capacity)
            let isNext = step >= UInt64(capacity)
            let before = UInt64(capacity) * (round + (isNext ? 1 : 0)) + number
            write(before, to: old.region(lane))
            write(before + UInt64(capacity), to: new.region(lane))
        }
        let sum = remove()
        insert(Batch.capacity)
        cycles += UInt64(Batch.capacity)
        return sum
    }

    private func remove() -> UInt64 {
        for lane in 0..<Batch.capacity { lanes.digest[lane] = table.digest(old.region(lane)) }
        table.touch(lanes, .max)
        var sum: UInt64 = 0
        for lane in 0..<Batch.capacity {
            let place = table.find(old.region(lane), lanes.digest[lane])
            precondition(place != UnackedTable.none, "an entry is not found")
            sum &+= UInt64(table.value(place).channel)
            table.remove(place, lanes.digest[lane])
        }
        return sum
    }

    private func insert(_ count: Int) {
        for lane in 0..<count { lanes.digest[lane] = table.digest(new.region(lane)) }
        table.touch(lanes, .first(count))
        table.touchFree(lanes, count: count)
        for lane in 0..<count {
            let place = table.find(new.region(lane), lanes.digest[lane])
            precondition(place == UnackedTable.none, "a new entry is there already")
            ticket.index += 1
            table.insert(
                UnackedTable.Entry(nextKeyID: 1, previousKeyID: 2, channel: 3),
                hint: new.region(lane),
                lanes.digest[lane],
                ownHalfKey: ownHalfKey,
                ticketOf: ticket,
                // A million a second: the table holds what comes in a life.
                nowNanos: 1_000 * ticket.index
            )
        }
    }
}

/// The table is filled when the first of the cases is called.
func unackedCases(isShort: Bool) -> [Case] {
    let capacity = isShort ? 100_000 : 10_000_000
    var bench: UnackedBench?
    return [
        Case("unacked.cycle_ns", batch: 64) {
            let made = bench ?? UnackedBench(capacity: capacity)
            bench = made
            return made.cycle()
        },
        Case(figure: "unacked.bytes", unit: "B") { UInt64(UnackedBench.tableBytes(capacity)) },
    ]
}
