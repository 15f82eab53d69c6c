import Bytes
import TestSupport
import Testing
import Tickets

@Suite struct ArithmeticTests {
    @Test func `comparison of probabilities forgives 10^-8 and no more`() {
        var random = SeededGenerator("probability")
        for _ in 0..<20_000 {
            let required = WinProbability(rawValue: random.next())
            let step = Int64(random.next() % 4_000_000_000) - 2_000_000_000
            let raw = Int64(required.rawValue) + step
            guard raw >= 0, raw < 1 << 56 else { continue }
            let given = WinProbability(rawValue: UInt64(raw))
            let difference = required.probability - given.probability
            #expect(given.reaches(required) == (difference <= 1e-8), "seed \(random.seed)")
        }
        #expect(WinProbability.always.reaches(.always))
        #expect(!WinProbability.never.reaches(WinProbability(0.000_001)!))
        #expect(WinProbability(1 - 1e-9)! == .always)
        #expect(WinProbability(1e-9)! == .never)
        #expect(WinProbability(-0.1) == nil)
        #expect(WinProbability(1.1) == nil)
        #expect(WinProbability(.nan) == nil)
        #expect(WinProbability.never.raised(to: .always) == .always)
        #expect(WinProbability.always.raised(to: .never) == .always)
    }

    @Test func `every probability survives the way through a double`() {
        var random = SeededGenerator("round trip")
        for _ in 0..<20_000 {
            let fraction = random.next() >> 12
            guard fraction > 100_000_000, fraction < (1 << 52) - 100_000_000 else { continue }
            let probability = WinProbability(rawValue: (fraction - 1) << 4 | 15)
            #expect(WinProbability(probability.probability) == probability)
        }
    }

    @Test func `a draw wins up to and including the probability`() {
        let quarter = WinProbability(0.25)!
        #expect(quarter.wins(0))
        #expect(quarter.wins(quarter.rawValue))
        #expect(!quarter.wins(quarter.rawValue + 1))
        #expect(WinProbability.always.wins((1 << 56) - 1))
        #expect(WinProbability.never.wins(0))
        #expect(!WinProbability.never.wins(1))
    }

    @Test func `amounts equal those of wide arithmetic, and never overflow`() {
        var random = SeededGenerator("amounts")
        for _ in 0..<20_000 {
            let price =
                (UInt128(random.next()) << 64 | UInt128(random.next()))
                >> UInt128(random.next() % 128)
            let relays = Int(random.next() % 9)
            let probability = WinProbability(rawValue: random.next() >> (8 + random.next() % 50))
            let amount = Ticket.amount(price: price, relays: relays, winProbability: probability)
            #expect(
                amount == wide(price, relays, probability),
                "seed \(random.seed) \(price) \(relays) \(probability)"
            )
        }
        #expect(Ticket.amount(price: .max, relays: 3, winProbability: .always) == nil)
        #expect(Ticket.amount(price: 5, relays: 0, winProbability: .never) == 0)
        #expect(Ticket.amount(price: 5, relays: 1, winProbability: .never) == nil)
        #expect(Ticket.amount(price: 5, relays: -1, winProbability: .always) == nil)
        #expect(Ticket.amount(price: 7, relays: 3, winProbability: .always) == 21)
    }

    @Test func `the least amount is the price of the rest of the path, or the minimum`() {
        #expect(Ticket.amountLeast(price: 10, pathPosition: 3, minimum: 0) == 30)
        #expect(Ticket.amountLeast(price: 10, pathPosition: 3, minimum: 31) == 31)
        #expect(Ticket.amountLeast(price: .max, pathPosition: 3, minimum: 0) == nil)
    }

    /// Schoolbook: multiply by 2^52 bit by bit, divide bit by bit.
    private func wide(_ price: UInt128, _ relays: Int, _ probability: WinProbability) -> UInt128? {
        guard price < Ticket.amountLimit else { return nil }
        let total = price * UInt128(relays)
        guard total < Ticket.amountLimit else { return nil }
        if total == 0 { return 0 }
        if probability == .never { return nil }
        let divisor =
            probability == .always ? UInt128(1) << 52 : UInt128((probability.rawValue + 1) >> 4)
        if divisor == 0 { return nil }
        var remainder: UInt128 = 0
        var quotient: UInt128 = 0
        for bit in stride(from: 127 + 52, through: 0, by: -1) {
            remainder <<= 1
            if bit >= 52, total >> UInt128(bit - 52) & 1 == 1 { remainder |= 1 }
            if quotient >> 127 == 1 { return nil }
            quotient <<= 1
            if remainder >= divisor {
                remainder -= divisor
                quotient |= 1
            }
        }
        return quotient < Ticket.amountLimit ? quotient : nil
    }
}

@Suite struct IndexWindowTests {
    /// What the window must do, with a set instead of a bitmap.
    struct Model {
        var seen = Set<UInt64>()
        var top: UInt64 = 0
        var floor: UInt64 = 0

        mutating func take(_ index: UInt64) -> Drop {
            let lowest = max(floor, top > 65_536 ? top - 65_536 : 0)
            if index < lowest { return .lateIndex }
            if seen.contains(index) { return .indexReplay }
            if index >= top, index - max(top, floor) > 1 << 32 { return .indexJump }
            seen.insert(index)
            top = max(top, index + 1)
            return .none
        }
    }

    struct Bitmap {
        var words = [UInt64](repeating: 0, count: IndexWindow.wordCount)
        var top: UInt64 = 0
        var floor: UInt64 = 0

        mutating func take(_ index: UInt64) -> Drop {
            switch IndexWindow.place(index, floor: floor, top: top) {
            case .late: return .lateIndex
            case .jump: return .indexJump
            case .inside:
                if words[IndexWindow.word(index)] & IndexWindow.bit(index) != 0 {
                    return .indexReplay
                }
            case .ahead:
                let first = IndexWindow.word(top)
                for step in 0..<IndexWindow.staleWordCount(top: top, newTop: index + 1) {
                    let word = (first + step) % IndexWindow.wordCount
                    words[word] &= ~IndexWindow.stale(word: word, top: top, newTop: index + 1)
                }
                top = index + 1
            }
            words[IndexWindow.word(index)] |= IndexWindow.bit(index)
            return .none
        }
    }

    @Test func `the window takes every index once, and forgets nothing it can still take`() {
        var random = SeededGenerator("window")
        var (model, bitmap) = (Model(), Bitmap())
        var center: UInt64 = 0
        for step in 0..<30_000 {
            switch random.next() % 200 {
            case 0: center += random.next() % 200_000
            case 1: center += random.next() % (1 << 33)
            case 2 where step > 100:
                model.floor = max(model.floor, center > 1000 ? center - 1000 : 0)
                bitmap.floor = model.floor
            default: center += random.next() % 60
            }
            let back = random.next() % (random.next() % 8 == 0 ? 70_000 : 300)
            let index = center + 100 > back ? center + 100 - back : 0
            let expected = model.take(index)
            #expect(bitmap.take(index) == expected, "seed \(random.seed) step \(step)")
            if expected == .indexJump { center = model.top }
        }
    }

    @Test func `stale bits are exactly the places of the new indices`() {
        var random = SeededGenerator("stale", seed: 21)
        for _ in 0..<40 {
            let top = random.next() >> 20
            let count = random.next() % (random.next() % 4 == 0 ? 140_000 : 200)
            var expected = [UInt64](repeating: 0, count: IndexWindow.wordCount)
            for index in top..<(top + min(count, 65_536)) {
                expected[IndexWindow.word(index)] |= IndexWindow.bit(index)
            }
            for word in 0..<IndexWindow.wordCount {
                let stale = IndexWindow.stale(word: word, top: top, newTop: top + count)
                #expect(stale == expected[word])
            }
        }
    }
}
