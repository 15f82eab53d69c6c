import Bytes
import TestSupport
import Testing
import Tickets

@testable import Engine

/// The table of unacknowledged tickets beside a dictionary.
@Suite struct UnackedTests {
    private static let life: UInt64 = 16_000
    private static let slice: UInt64 = 1_000
    private static let own = Address([UInt8](repeating: 7, count: 20)) ?? Address()

    private struct Awaited {
        var entry: UnackedTable.Entry
        var ticket: Ticket
        var ownHalfKey: Bytes32
        var atNanos: UInt64
    }

    /// A table in memory of its own, and what should be in it.
    private struct Bench {
        let capacity: Int
        let memory: Memory
        let table: UnackedTable
        let lanes: UnackedLanes
        let tableBytes: Int
        var random: SeededGenerator
        var model: [Bytes33: Awaited] = [:]
        var hints: [Bytes33] = []
        var now: UInt64 = 1

        init(_ capacity: Int, seed: UInt64? = nil) {
            self.capacity = capacity
            random = SeededGenerator("unacked \(capacity)", seed: seed)
            var measure = Arena()
            _ = UnackedTests.lay(&measure, capacity)
            tableBytes = measure.used
            _ = UnackedLanes(&measure)
            memory = Memory(measure.used)
            var arena = Arena(memory.region)
            table = UnackedTests.lay(&arena, capacity)
            lanes = UnackedLanes(&arena)
            table.clear()
        }

        func find(_ hint: Bytes33) -> UInt32 {
            var hint = hint
            return hint.withRegion { table.find($0, table.digest($0)) }
        }

        /// Enters something new.
        mutating func insert(next: UInt32 = 5, own: Bool = false) {
            guard var hint = Bytes33(random.bytes(33)), let key = Bytes32(random.bytes(32)),
                let challenge = Address(random.bytes(20)),
                let signature = Bytes64(random.bytes(64))
            else { return }
            var ticket = Ticket(
                counterparty: UnackedTests.own,
                amount: UInt128(random.next() >> 8) << 20,
                index: random.next() >> 16,
                channelEpoch: UInt32(random.next() >> 40),
                winProbability: WinProbability(rawValue: random.next() >> 8),
                challenge: challenge
            )
            ticket.signature = signature
            var awaited = Awaited(
                entry: UnackedTable.Entry(
                    nextKeyID: next,
                    previousKeyID: UInt32(truncatingIfNeeded: random.next()),
                    channel: own ? .max : UInt32(random.next() >> 33)
                ),
                ticket: ticket,
                ownHalfKey: key,
                atNanos: now
            )
            hint.withRegion { hint in
                awaited.ownHalfKey.withRegion { key in
                    table.insert(
                        awaited.entry,
                        hint: hint,
                        table.digest(hint),
                        ownHalfKey: key,
                        ticketOf: ticket,
                        nowNanos: now
                    )
                }
            }
            hints.append(hint)
            model[hint] = awaited
        }

        mutating func remove(_ hint: Bytes33) {
            var hint = hint
            let place = find(hint)
            #expect(place != UnackedTable.none)
            hint.withRegion { table.remove(place, table.digest($0)) }
            model[hint] = nil
            guard let position = hints.firstIndex(of: hint) else { return }
            hints.swapAt(position, hints.count - 1)
            hints.removeLast()
        }

        /// Looks for one that is there, or for one that is not but nearly is.
        mutating func lookUp() {
            var hint = hints.randomElement(using: &random) ?? Bytes33()
            if random.next() % 4 == 0 { hint[Int(random.next() % 33)] ^= 1 }
            let place = find(hint)
            guard let awaited = model[hint] else {
                #expect(place == UnackedTable.none)
                return
            }
            let value = table.value(place)
            #expect(value.nextKeyID == awaited.entry.nextKeyID)
            #expect(value.previousKeyID == awaited.entry.previousKeyID)
            #expect(value.channel == awaited.entry.channel)
            #expect(table.hint(place).array == hint.array)
            guard value.channel != .max else { return }
            #expect(table.ownHalfKey(place).array == awaited.ownHalfKey.array)
            var bytes = FixedBytes<132>()
            bytes.withRegion { table.writeTicket(place, to: $0) }
            #expect(bytes == awaited.ticket.bytes)
        }

        /// Takes away what is over: none of it early, none left that should have gone.
        mutating func expire(budget: Int) {
            var (budget, all) = (budget, 0)
            while budget > 0 {
                let count = table.over(nowNanos: now, into: lanes, budget: &budget)
                guard count > 0 else { break }
                let places = (0..<count).map { lanes.place[$0] }
                #expect(Set(places).count == count)
                for place in places {
                    guard let hint = Bytes33(table.hint(place).array), let awaited = model[hint]
                    else {
                        Issue.record("over, but not there")
                        return
                    }
                    #expect(now - awaited.atNanos >= UnackedTests.life)
                    remove(hint)
                }
                budget -= count
                all += count
            }
            guard budget > 0 else { return }
            let oldest = model.values.map(\.atNanos).min() ?? now
            #expect(now - oldest < UnackedTests.life + UnackedTests.slice)
        }

        /// Nothing left but empty buckets and the stack of free places.
        func expectWiped() {
            #expect(table.count == 0)
            let entries = memory.region.slice(tableBytes - 192 * capacity, 192 * capacity)
            #expect(entries.array.allSatisfy { $0 == 0 })
        }
    }

    private static func lay(_ arena: inout Arena, _ capacity: Int) -> UnackedTable {
        UnackedTable(&arena, capacity: capacity, lifeNanos: life, hash: KeyedHash(5, 6))
    }

    @Test(arguments: [1, 7, 13, 14, 64, 300])
    func `the table agrees with a dictionary`(capacity: Int) {
        var bench = Bench(capacity)
        for _ in 0..<6_000 {
            switch bench.random.next() % 8 {
            case 0...3:
                if !bench.table.isFull { bench.insert(own: bench.random.next() % 8 == 0) }
            case 4:
                if let hint = bench.hints.randomElement(using: &bench.random) {
                    bench.remove(hint)
                }
            case 5:
                bench.now += bench.random.next() % (4 * UnackedTests.life / UInt64(capacity + 3))
                bench.expire(budget: Int(bench.random.next() % 90))
            case 6: touch(bench)
            default: bench.lookUp()
            }
            #expect(bench.table.count == bench.model.count)
            #expect(bench.table.isFull == (bench.model.count == capacity))
        }
        for hint in bench.hints { bench.remove(hint) }
        bench.expectWiped()
    }

    /// Changes nothing, whatever it is asked.
    private func touch(_ bench: Bench) {
        let before = bench.memory.region.slice(0, bench.tableBytes).array
        for lane in 0..<64 {
            var hint = lane < bench.hints.count ? bench.hints[lane] : Bytes33()
            bench.lanes.digest[lane] = hint.withRegion { bench.table.digest($0) }
        }
        bench.table.touch(bench.lanes, .max)
        bench.table.touchFree(bench.lanes, count: 64)
        #expect(bench.memory.region.slice(0, bench.tableBytes).array == before)
    }

    @Test(arguments: [6, 20, 1_000, 20_000])
    func `the table takes as many as it says, again and again`(capacity: Int) {
        var bench = Bench(capacity)
        for _ in 0..<4 {
            while !bench.table.isFull { bench.insert() }
            #expect(bench.table.count == capacity)
            for hint in bench.hints { #expect(bench.find(hint) != UnackedTable.none) }
            // Half of them go, in an order that has nothing to do with how they came.
            for hint in bench.hints.shuffled(using: &bench.random).prefix(capacity / 2) {
                var hint = hint
                let place = bench.find(hint)
                hint.withRegion { bench.table.remove(place, bench.table.digest($0)) }
                bench.model[hint] = nil
            }
            bench.hints = Array(bench.model.keys)
            #expect(bench.table.count == capacity - capacity / 2)
        }
        bench.now += UnackedTests.life
        bench.expire(budget: 2 * capacity)
        bench.expectWiped()
    }

    @Test func `slices end in the order they came, each with its last entry`() {
        var bench = Bench(500)
        var ends: [UInt64] = []
        for number in 0..<40 {
            // Two in each slice, at its beginning and just before its end.
            bench.now = 1 + UInt64(number) * UnackedTests.slice
            bench.insert(next: UInt32(number))
            bench.now += UnackedTests.slice - 1
            bench.insert(next: UInt32(number))
            ends.append(bench.now + UnackedTests.life)
            while let end = ends.first, end <= bench.now {
                ends.removeFirst()
                expectOver(&bench, count: 0, at: end - 1)
                expectOver(&bench, count: 2, at: end, next: UInt32(number - 16))
            }
        }
        for (number, end) in ends.enumerated() {
            expectOver(&bench, count: 0, at: end - 1)
            expectOver(&bench, count: 2, at: end, next: UInt32(40 - ends.count + number))
        }
        bench.expectWiped()
    }

    private func expectOver(_ bench: inout Bench, count: Int, at now: UInt64, next: UInt32 = 0) {
        var budget = 256
        #expect(bench.table.over(nowNanos: now, into: bench.lanes, budget: &budget) == count)
        let hints = (0..<count).map { Bytes33(bench.table.hint(bench.lanes.place[$0]).array) }
        for hint in hints {
            guard let hint else { continue }
            #expect(bench.model[hint]?.entry.nextKeyID == next)
            bench.remove(hint)
        }
    }

    @Test func `what nobody takes away for long is still found over`() {
        var bench = Bench(300)
        for number in 0..<300 {
            bench.now = 1 + UInt64(number) * UnackedTests.slice
            bench.insert()
        }
        #expect(bench.table.isFull)
        bench.now += UnackedTests.life
        bench.expire(budget: 400)
        bench.expectWiped()
        bench.insert()
        bench.now += UnackedTests.life
        bench.expire(budget: 1)
        bench.expectWiped()
    }

    @Test func `a clock that goes back loses nothing`() {
        var bench = Bench(64)
        bench.now = 1_000_000
        for _ in 0..<20 { bench.insert() }
        // Half of a slice is taken away when entries with an older time come to its front.
        bench.now += UnackedTests.life
        for _ in 0..<12 { bench.expire(budget: 1) }
        bench.now = 1_000_000
        for _ in 0..<12 { bench.insert() }
        bench.now += UnackedTests.life
        bench.expire(budget: 64)
        bench.expectWiped()
    }

    @Test func `looking for few entries in a large table stays within the budget`() {
        var bench = Bench(20_000)
        while !bench.table.isFull { bench.insert() }
        // Two remain, as far from each other as can be.
        let places = Dictionary(uniqueKeysWithValues: bench.hints.map { (bench.find($0), $0) })
        for (place, var hint) in places where place != 0 && place != 19_999 {
            hint.withRegion { bench.table.remove(place, bench.table.digest($0)) }
            bench.model[hint] = nil
        }
        bench.hints = Array(bench.model.keys)
        bench.now += UnackedTests.life
        bench.expire(budget: 1)
        #expect(bench.table.count == 1)
        var turns = 0
        while bench.table.count > 0, turns < 100 {
            bench.expire(budget: 1)
            turns += 1
        }
        // A step of the budget is 512 words of 8 places.
        #expect(turns == (20_000 + 4_095) / 4_096)
        bench.expectWiped()
    }

    @Test func `tickets for another counterparty wait until the table holds none`() {
        var bench = Bench(4)
        #expect(bench.table.takes(counterparty: Address()))
        bench.insert(own: true)
        #expect(bench.table.takes(counterparty: Address()))
        bench.insert()
        #expect(bench.table.takes(counterparty: UnackedTests.own))
        #expect(!bench.table.takes(counterparty: Address()))
        bench.remove(bench.hints[1])
        #expect(bench.table.takes(counterparty: Address()))
    }

    @Test func `an entry is late after its life, by two ticks at most`() {
        let (life, tick): (UInt64, UInt64) = (10_000_000_000, 1 << 26)
        var random = SeededGenerator("late")
        var measure = Arena()
        _ = UnackedTable(&measure, capacity: 1, lifeNanos: life, hash: KeyedHash(1, 2))
        let memory = Memory(measure.used)
        var arena = Arena(memory.region)
        let table = UnackedTable(&arena, capacity: 1, lifeNanos: life, hash: KeyedHash(1, 2))
        table.clear()
        for _ in 0..<1_000 {
            let now = random.next() >> 1
            var (hint, key) = (Bytes33(), Bytes32())
            hint.withRegion { hint in
                let digest = table.digest(hint)
                let entry = UnackedTable.Entry(nextKeyID: 1, previousKeyID: 2, channel: 3)
                key.withRegion {
                    table.insert(
                        entry,
                        hint: hint,
                        digest,
                        ownHalfKey: $0,
                        ticketOf: Ticket(),
                        nowNanos: now
                    )
                }
                let place = table.find(hint, digest)
                #expect(!table.isLate(place, nowNanos: now - 1))
                #expect(!table.isLate(place, nowNanos: now))
                #expect(!table.isLate(place, nowNanos: now + life))
                #expect(table.isLate(place, nowNanos: now + life + 2 * tick))
                table.remove(place, digest)
            }
        }
    }

    @Test func `ten million entries take less than 2 GiB`() {
        var arena = Arena()
        _ = UnackedTests.lay(&arena, 10_000_000)
        #expect(arena.used <= 2 << 30)
    }
}
