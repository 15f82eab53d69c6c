import Bytes
import TestSupport
import Testing

@testable import Relay

/// A queue with its memory; slots are taken from a list and go back to it.
private final class TestQueue {
    let queue: FairQueue
    let costs: PacketCosts
    let out: Column<UInt32>
    var free: [UInt32]
    private let memory = Memory(1 << 21)

    init(
        slots: Int = 4_096,
        rows: Int = 64,
        packets: Int = 1_024,
        each: Int = 512,
        costs: PacketCosts = PacketCosts()
    ) {
        var limits = FairQueue.Limits()
        limits.packets = packets
        limits.packetsPerNeighbour = each
        var arena = Arena(memory.region)
        queue = FairQueue(&arena, slots: slots, rows: rows, limits: limits, costs: costs)
        queue.clear()
        out = arena.column(UInt32.self, 64)
        self.costs = costs
        free = Array((0..<UInt32(slots)).reversed())
    }

    /// Pushes packets of a row; the rows whose packets were dropped.
    @discardableResult
    func push(_ row: UInt32, _ count: Int = 1, at now: UInt64 = 0) -> [UInt32] {
        (0..<count).compactMap { _ in
            guard let slot = free.popLast() else { return nil }
            guard let victim = queue.push(slot, row: row, cameNanos: now) else { return nil }
            free.append(victim)
            return queue.row(victim)
        }
    }

    /// Takes packets; their rows.
    func take(_ most: Int = 64) -> [UInt32] {
        let count = queue.take(into: out, most: most)
        return (0..<count).map { index in
            free.append(out[index])
            return queue.row(out[index])
        }
    }

    /// Takes packets, each of which costs what `verdict` says of its row; the rows.
    func serve(_ most: Int = 64, _ verdict: (UInt32) -> Drop) -> [UInt32] {
        let rows = take(most)
        for row in rows { queue.refund(row: row, spentNanos: costs.nanos(verdict: verdict(row))) }
        return rows
    }
}

@Suite struct FairQueueTests {
    // MARK: refusal

    @Test(arguments: [(64, 16), (24, 24), (16, 64)])
    func `who is refused is told before, whatever has come`(packets: Int, each: Int) {
        var random = SeededGenerator("refuses \(packets) \(each)")
        let test = TestQueue(rows: 8, packets: packets, each: each)
        var refused = 0
        for _ in 0..<20_000 {
            let row = UInt32.random(in: 0..<8, using: &random)
            let isRefused = test.queue.refuses(row: row)
            if isRefused {
                refused += 1
                #expect(test.queue.count >= test.queue.refusesFrom)
            }
            #expect((test.push(row) == [row]) == isRefused)
            if Int.random(in: 0..<40, using: &random) == 0 { _ = test.take(30) }
        }
        #expect(refused > 100 && refused < 19_900)
    }

    @Test(arguments: [(64, 16), (24, 24), (16, 64)])
    func `who is refused after packets that are yet to come is told before`(
        packets: Int,
        each: Int
    ) {
        var random = SeededGenerator("refuses after \(packets) \(each)")
        let test = TestQueue(rows: 8, packets: packets, each: each)
        var (refused, accepted) = (0, 0)
        for _ in 0..<2_000 {
            let row = UInt32.random(in: 0..<8, using: &random)
            let mine = Int.random(in: 0...3, using: &random)
            let others = Int.random(in: 0...3, using: &random)
            let told = test.queue.refuses(row: row, after: mine, of: mine + others)
            // Those of neighbours that have nothing yet push nobody out.
            let isRoomy = test.queue.count + mine + others < packets
            for _ in 0..<mine { test.push(row) }
            for _ in 0..<others { test.push((row + 1) % 8) }
            if isRoomy || mine + others == 0 {
                #expect(test.queue.refuses(row: row) == told, "seed \(random.seed)")
            }
            if told { refused += 1 } else { accepted += 1 }
            if Int.random(in: 0..<12, using: &random) == 0 { _ = test.take(30) }
        }
        #expect(refused > 100 && accepted > 100)
    }

    // MARK: turns

    @Test func `neighbours take turns, packet by packet`() {
        let test = TestQueue()
        test.push(5, 10)
        test.push(7, 3)
        test.push(9, 1)
        #expect(test.take(5) == [5, 7, 9, 5, 7])
        // One that comes back waits for its turn.
        test.push(9, 1)
        #expect(test.take(4) == [5, 7, 9, 5])
        #expect(test.take() == Array(repeating: 5, count: 6))
        #expect(test.take() == [] && test.queue.count == 0)
    }

    @Test func `a turn that is cut short goes on where it was`() {
        let test = TestQueue()
        test.push(1, 20)
        test.push(2, 20)
        #expect(test.take(2) == [1, 2])
        for _ in 0..<3 { test.queue.refund(row: 1, spentNanos: 0) }
        #expect(test.take(2) == [1, 1])
        #expect(test.take(5) == [1, 1, 2, 1, 2])
    }

    @Test func `packets of a neighbour leave in the order they came`() {
        var seed = SeededGenerator("fair queue order")
        let test = TestQueue()
        var came: [[UInt64]] = .init(repeating: [], count: 8)
        for now in UInt64(1)...2_000 {
            let row = UInt32.random(in: 0..<8, using: &seed)
            came[Int(row)].append(now)
            #expect(test.push(row, at: now).isEmpty)
            guard now % 16 == 0 else { continue }
            let count = test.queue.take(into: test.out, most: Int.random(in: 0...32, using: &seed))
            for index in 0..<count {
                let slot = test.out[index]
                test.free.append(slot)
                #expect(came[Int(test.queue.row(slot))].removeFirst() == test.queue.cameNanos(slot))
            }
        }
        #expect(came.reduce(0) { $0 + $1.count } == test.queue.count)
    }

    @Test func `neighbours that always wait are served alike, whoever sends more`() {
        var seed = SeededGenerator("fair queue shares")
        let test = TestQueue(packets: 2_048, each: 1_024)
        var served = [Int](repeating: 0, count: 20)
        for _ in 0..<400 {
            // Row 0 sends thirty times as much as any other, all more than their share.
            for row in UInt32(0)..<20 {
                test.push(row, row == 0 ? 150 : Int.random(in: 4...6, using: &seed))
            }
            for row in test.serve(64, { _ in .none }) { served[Int(row)] += 1 }
        }
        #expect((served.min() ?? 0) + 1 >= served.max() ?? 0, "\(served)")
    }

    @Test func `junk is charged what it costs, and no more`() {
        let test = TestQueue()
        var nanos = [UInt64](repeating: 0, count: 3)
        var packets = [Int](repeating: 0, count: 3)
        // Row 0 is honest, row 1 sends wrong headers, row 2 what is refused in the clear.
        let verdicts: [Drop] = [.none, .headerMac, .channelClosed]
        for _ in 0..<3_000 {
            for row in UInt32(0)..<3 where test.queue.count(row: row) < 200 { test.push(row, 64) }
            for row in test.serve(64, { verdicts[Int($0)] }) {
                packets[Int(row)] += 1
                nanos[Int(row)] += test.costs.nanos(verdict: verdicts[Int(row)])
            }
        }
        // CPU time is shared alike, up to what a batch may be ahead.
        let (least, most) = (nanos.min() ?? 0, nanos.max() ?? 0)
        #expect(most - least < 128 * test.costs.acceptedNanos, "\(nanos)")
        #expect(least > 900 * test.costs.acceptedNanos * 3)
        // So more junk than honest packets is looked at, as it costs less.
        #expect(packets[1] > packets[0] && packets[2] > packets[1])
    }

    @Test func `an idle neighbour saves nothing, and owes nothing`() {
        let test = TestQueue()
        test.push(1)
        test.push(2, 100)
        #expect(test.serve(1) { _ in .channelClosed } == [1])
        // Its packet was nearly free, but it has none waiting: nothing is kept for it.
        test.push(1, 10)
        #expect(test.take(6).filter { $0 == 1 }.count == 3)
        // Nor is what it was given back for many, when none waits any more, or before that.
        for count in [5, 6] {
            let test = TestQueue()
            test.push(1, 6)
            #expect(test.serve(count) { _ in .channelClosed }.count == count)
            #expect(test.take().count == 6 - count)
            test.push(2, 10)
            test.push(1, 10)
            #expect(test.take(6) == [2, 1, 2, 1, 2, 1])
        }
    }

    // MARK: bounds

    @Test func `the newest of the heaviest neighbour is dropped`() {
        let test = TestQueue(packets: 100, each: 80)
        for now in UInt64(1)...70 { test.push(1, at: now) }
        #expect(test.push(2, 30, at: 2).isEmpty)
        #expect(test.queue.count == 100)
        // The heaviest may not grow.
        #expect(test.push(1) == [1])
        // Others push out the heaviest's packets, until they would weigh as much.
        #expect(test.push(3, 30) == Array(repeating: 1, count: 30))
        #expect(test.push(2, 8) == [1, 1, 1, 1, 1, 2, 2, 2])
        #expect((1...3).map { test.queue.count(row: $0) } == [35, 35, 30])
        // What is left of the heaviest is its oldest.
        var taken: [UInt64] = []
        while test.queue.count > 0 {
            let count = test.queue.take(into: test.out, most: 64)
            for index in 0..<count where test.queue.row(test.out[index]) == 1 {
                taken.append(test.queue.cameNanos(test.out[index]))
            }
        }
        #expect(taken == Array(1...35))
    }

    @Test func `one that would be as heavy as the heaviest pushes nobody out`() {
        let test = TestQueue(packets: 3)
        test.push(1, 2)
        test.push(2, 1)
        #expect(test.push(2) == [2])
        #expect(test.push(3) == [1])
        #expect(test.push(4) == [4] && test.queue.count == 3)
    }

    @Test func `a neighbour has a bound of its own`() {
        let test = TestQueue(packets: 100, each: 10)
        #expect(test.push(1, 11) == [1])
        #expect(test.queue.count == 10)
        #expect(test.push(2, 10).isEmpty)
    }

    @Test func `one that sends less than its share loses nothing`() {
        var seed = SeededGenerator("fair queue light")
        let test = TestQueue(packets: 256, each: 256)
        var lost = 0
        for _ in 0..<1_000 {
            var arrivals = Array(repeating: UInt32(0), count: 500)
            // Each of eight others sends 6 packets a turn; its share of 64 is 7.
            for row in UInt32(1)...8 { arrivals += Array(repeating: row, count: 6) }
            arrivals.shuffle(using: &seed)
            for row in arrivals { lost += test.push(row).filter { $0 != 0 }.count }
            _ = test.serve(64) { _ in .none }
        }
        #expect(lost == 0)
    }

    @Test func `packets that wait too long are dropped, the oldest first`() {
        let test = TestQueue()
        let age = FairQueue.Limits().ageNanos
        test.push(1, 2, at: 10)
        test.push(2, 1, at: 20)
        test.push(1, 1, at: 30)
        func aged(_ now: UInt64) -> [UInt64] {
            var came: [UInt64] = []
            while let slot = test.queue.popAged(nowNanos: now) {
                came.append(test.queue.cameNanos(slot))
            }
            return came
        }
        #expect(aged(0) == [] && aged(10 + age) == [])
        #expect(test.queue.agedNanos == 10 + age)
        #expect(test.take(1) == [1])
        #expect(aged(21 + age) == [10, 20])
        #expect(test.queue.agedNanos == 30 + age)
        #expect(test.take() == [1])
        #expect(aged(.max) == [] && test.queue.agedNanos == nil)
    }

    // MARK: against a model

    /// One list of packets in the order they came.
    private struct Model {
        var packets: [(slot: UInt32, row: UInt32, came: UInt64)] = []

        func count(_ row: UInt32) -> Int { packets.filter { $0.row == row }.count }
        var heaviest: Int { (0..<12).map { count($0) }.max() ?? 0 }

        mutating func remove(_ slot: UInt32) {
            packets.removeAll { $0.slot == slot }
        }
    }

    @Test func `whatever happens, every slot is in one place`() {
        var seed = SeededGenerator("fair queue model")
        let test = TestQueue(slots: 256, rows: 12, packets: 60, each: 20)
        var model = Model()
        var now: UInt64 = 0
        for _ in 0..<6_000 {
            now += UInt64.random(in: 0...1_000_000, using: &seed)
            switch Int.random(in: 0..<10, using: &seed) {
            case 0..<7: push(UInt32.random(in: 0..<12, using: &seed), now, test, &model)
            case 7:
                let count = test.queue.take(
                    into: test.out,
                    most: Int.random(in: 0...9, using: &seed)
                )
                for index in 0..<count {
                    let slot = test.out[index]
                    let row = test.queue.row(slot)
                    #expect(model.packets.first { $0.row == row }.map { $0.slot == slot } == true)
                    model.remove(slot)
                    test.free.append(slot)
                    let spent = UInt64.random(in: 0...25_000, using: &seed)
                    test.queue.refund(row: row, spentNanos: spent)
                }
            default:
                while let slot = test.queue.popAged(nowNanos: now) {
                    #expect(model.packets.first.map { $0.slot == slot } == true)
                    model.remove(slot)
                    test.free.append(slot)
                }
                #expect(model.packets.allSatisfy { $0.came + 100_000_000 >= now })
            }
            #expect(test.queue.count == model.packets.count)
            #expect((0..<12).allSatisfy { test.queue.count(row: $0) == model.count($0) })
            #expect(Set(test.free).count + model.packets.count == 256)
        }
    }

    private func push(_ row: UInt32, _ now: UInt64, _ test: TestQueue, _ model: inout Model) {
        guard let slot = test.free.popLast() else { return }
        let (waiting, heaviest) = (model.count(row), model.heaviest)
        let isFull = model.packets.count >= 60
        guard let victim = test.queue.push(slot, row: row, cameNanos: now) else {
            #expect(waiting < 20 && !isFull)
            return model.packets.append((slot, row, now))
        }
        test.free.append(victim)
        if victim == slot {
            #expect(waiting == 20 || isFull && waiting + 1 >= heaviest)
            return
        }
        let heavy = test.queue.row(victim)
        #expect(isFull && model.count(heavy) == heaviest && waiting + 1 < heaviest)
        #expect(model.packets.last { $0.row == heavy }.map { $0.slot == victim } == true)
        model.remove(victim)
        model.packets.append((slot, row, now))
    }
}
