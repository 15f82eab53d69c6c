import Bytes
import TestSupport
import Testing

@testable import Relay

@Suite struct BudgetTests {
    private let memory = Memory(1 << 12)

    private func budget(_ change: (inout CPUBudget.Limits) -> Void) -> CPUBudget {
        var limits = CPUBudget.Limits()
        limits.burstNanos = 10_000_000
        change(&limits)
        memory.region.fill(0)
        var arena = Arena(memory.region)
        return CPUBudget(&arena, rows: 8, limits: limits)
    }

    /// Offers a packet every `step` nanoseconds for ten seconds, and charges what passes; CPU time
    /// spent.
    private func spend(
        _ budget: CPUBudget,
        row: UInt32,
        every step: UInt64,
        _ verdict: Drop
    ) -> UInt64 {
        let costs = PacketCosts()
        var spent: UInt64 = 0
        for now in stride(from: UInt64(1), to: 10_000_000_000, by: Int(step)) {
            guard budget.mayPass(row: row, nowNanos: now) else { continue }
            budget.settle(row: row, verdict: verdict, costs: costs)
            spent += costs.nanos(verdict: verdict)
        }
        return spent
    }

    @Test func `junk gets its time and a burst, however much comes`() {
        // A tenth of a CPU: 1 s in ten seconds.
        let budget = budget { $0.nanosPerSecond = 100_000_000 }
        let spent = spend(budget, row: 3, every: 50_000, .headerMac)
        #expect(spent >= 1_000_000_000 && spent <= 1_010_000_000 + 10_500)
    }

    @Test func `an accepted packet gets its share back`() {
        let budget = budget { $0.nanosPerSecond = 100_000_000 }
        // Three quarters back: four times as much passes.
        let spent = spend(budget, row: 3, every: 20_000, .none)
        #expect(spent >= 4_000_000_000 && spent <= 4_040_000_000 + 20_000)
        let whole = self.budget {
            $0.nanosPerSecond = 100_000_000
            $0.refundShare = 256
        }
        #expect(spend(whole, row: 3, every: 100_000, .none) == 100_000 * 20_000)
    }

    @Test func `whose packets would not pass is told without using one up`() {
        var random = SeededGenerator("spent")
        let budget = budget {
            $0.nanosPerSecond = 50_000_000
            $0.packetsPerSecond = 2_000
        }
        var (now, outcomes) = (UInt64(1), [0, 0])
        for _ in 0..<20_000 {
            now += UInt64.random(in: 0..<1_000_000, using: &random)
            let isSpent = budget.isSpent(row: 2, nowNanos: now)
            #expect(budget.isSpent(row: 2, nowNanos: now) == isSpent)
            let passes = budget.mayPass(row: 2, nowNanos: now)
            #expect(passes != isSpent)
            outcomes[passes ? 1 : 0] += 1
            if passes { budget.charge(row: 2, nanos: .random(in: 0..<60_000, using: &random)) }
        }
        #expect(outcomes[0] > 1_000 && outcomes[1] > 1_000)
        #expect(!self.budget { _ in }.isSpent(row: 2, nowNanos: now))
    }

    @Test func `neighbours have buckets of their own`() {
        let budget = budget { $0.nanosPerSecond = 1_000_000 }
        budget.charge(row: 0, nanos: 0)
        #expect(budget.mayPass(row: 1, nowNanos: 5) && budget.mayPass(row: 2, nowNanos: 5))
        budget.charge(row: 1, nanos: 20_000_000)
        #expect(budget.leftNanos(row: 1) == -10_000_000)
        #expect(!budget.mayPass(row: 1, nowNanos: 6) && budget.mayPass(row: 2, nowNanos: 6))
        // A debt of 10 ms at a thousandth of a CPU takes ten seconds.
        #expect(!budget.mayPass(row: 1, nowNanos: 10_000_000_000))
        #expect(budget.mayPass(row: 1, nowNanos: 10_000_001_000))
        // The row's next neighbour starts anew.
        budget.charge(row: 1, nanos: 100_000_000)
        budget.reset(row: 1)
        #expect(budget.mayPass(row: 1, nowNanos: 10_000_001_001))
        #expect(budget.leftNanos(row: 1) == 10_000_000)
    }

    @Test func `nothing earned is lost to rounding, and none is saved beyond the burst`() {
        // 1,000 ns a second: a nanosecond each millisecond, asked for every 30 µs.
        let budget = budget {
            $0.nanosPerSecond = 1_000
            $0.burstNanos = 100
        }
        #expect(budget.mayPass(row: 0, nowNanos: 1))
        budget.charge(row: 0, nanos: 1_000)
        for now in stride(from: UInt64(1), through: 900_000_001, by: 30_000) {
            #expect(!budget.mayPass(row: 0, nowNanos: now))
        }
        #expect(budget.mayPass(row: 0, nowNanos: 900_030_001))
        #expect(budget.mayPass(row: 0, nowNanos: 1 << 62))
        #expect(budget.leftNanos(row: 0) == 100)
        budget.refund(row: 0, nanos: 1 << 40)
        #expect(budget.leftNanos(row: 0) == 100)
        // A clock that stands still or goes back changes nothing.
        #expect(budget.mayPass(row: 0, nowNanos: 1) && budget.leftNanos(row: 0) == 100)
    }

    @Test func `packets have a limit of their own`() {
        let budget = budget { $0.packetsPerSecond = 100 }
        var taken = 0
        for step in 0..<10_000 where budget.mayPass(row: 7, nowNanos: 1 + UInt64(step) * 1_000_000)
        {
            taken += 1
        }
        #expect(taken >= 1_000 && taken <= 1_011)
        // A packet of a neighbour without time uses none of its packets.
        let both = self.budget {
            $0.nanosPerSecond = 1_000_000
            $0.packetsPerSecond = 10
        }
        #expect(both.mayPass(row: 0, nowNanos: 1))
        both.charge(row: 0, nanos: 10_000_100)
        let later: UInt64 = 101_000_000
        #expect(!both.mayPass(row: 0, nowNanos: 99_000))
        #expect(both.mayPass(row: 0, nowNanos: later) && !both.mayPass(row: 0, nowNanos: later))
    }

    @Test func `without limits everything passes`() {
        let budget = budget { _ in }
        budget.charge(row: 0, nanos: .max)
        #expect((0..<1_000).allSatisfy { _ in budget.mayPass(row: 0, nowNanos: 1) })
    }

    @Test func `a stage costs no less than the one before it`() {
        let costs = PacketCosts()
        #expect(costs.isSound)
        let nanos = PacketStage.allCases.map { costs.nanos($0) }
        #expect(nanos == nanos.sorted() && nanos[0] > 0)
        var odd = costs
        odd.peeledNanos = odd.verifiedNanos + 1
        #expect(!odd.isSound)
        odd = costs
        odd.acceptedNanos = 0
        #expect(!odd.isSound)
        // What costs a curve operation is never charged as less.
        for drop in [Drop.headerMac, .alphaInvalid, .replay, .amountLow, .challengeMismatch] {
            #expect(costs.nanos(verdict: drop) == costs.peeledNanos)
        }
        #expect(costs.nanos(verdict: .ticketSignature) == costs.verifiedNanos)
        #expect(costs.nanos(verdict: .none) == costs.acceptedNanos)
        #expect(costs.nanos(verdict: .duplicate) == costs.openedNanos)
    }
}
