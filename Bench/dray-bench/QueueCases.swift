import Bytes
import Crypto
import Exchange
import Harness
import Relay

/// What a worker does with a packet beside cryptography, on a clock of its own.
private final class QueueBench {
    private static let packetBytes = 1_461
    private static let stride = 1_536
    private static let slots = 32_768
    private static let neighbours: UInt32 = 64
    /// 50,000 packets a second for 0.2 s: 10,000 in the mixer.
    private static let nanosPerPacket: UInt64 = 20_000
    private static let delay = MixDelay.exponential(
        meanNanos: 200_000_000,
        maxNanos: 2_000_000_000
    )

    private let queue: FairQueue
    private let wheel: TimingWheel
    private let filter: DuplicateFilter
    private let groups: HopGroups
    private let budget: CPUBudget
    private let slab: Slab
    private let out: Column<UInt32>
    private let rows: Column<UInt32>
    private let free: Column<UInt32>
    private let delays: Column<UInt64>
    private let draw: DelayDraw
    private let costs = PacketCosts()
    private let memory = Memory(16 << 20)
    private var random: RandomStream
    private var batch = Batch()
    private var nowNanos: UInt64 = 1_000_000_000
    private var freeCount = slots
    private var counter: UInt64 = 0

    init() {
        var arena = Arena(memory.region)
        queue = FairQueue(&arena, slots: QueueBench.slots, rows: 1_024)
        wheel = TimingWheel(
            &arena,
            slots: QueueBench.slots,
            tickNanos: 250_000,
            horizonNanos: QueueBench.delay.maxNanos
        )
        filter = DuplicateFilter(
            &arena,
            hash: KeyedHash(1, 2),
            packetBytes: QueueBench.packetBytes
        )
        groups = HopGroups(&arena, rows: 1_024, capacity: 256)
        var limits = CPUBudget.Limits()
        limits.nanosPerSecond = 500_000_000
        budget = CPUBudget(&arena, rows: 1_024, limits: limits)
        slab = Slab(
            region: arena.region(Batch.capacity * QueueBench.stride),
            stride: QueueBench.stride
        )
        out = arena.column(UInt32.self, 256)
        rows = arena.column(UInt32.self, 256)
        free = arena.column(UInt32.self, QueueBench.slots)
        delays = arena.column(UInt64.self, 4_096)
        random = RandomStream(in: arena.region(RandomStream.byteCount), seed: arena.region(32))
        draw = DelayDraw(&arena, QueueBench.delay)
        draw.fill()
        queue.clear()
        wheel.clear(nowNanos: nowNanos)
        filter.clear(nowNanos: nowNanos)
        for slot in 0..<QueueBench.slots { free[slot] = UInt32(slot) }
        for index in 0..<delays.count { delays[index] = QueueBench.delay.draw(&random) }
        for index in 0..<rows.count {
            rows[index] = UInt32(random.next(below: UInt64(QueueBench.neighbours)))
        }
        for _ in 0..<2_000 { _ = turnWheel() }
        // Some packets wait; a batch comes for each that is taken.
        for _ in 0..<16 { push() }
        withExtendedLifetime(memory) {}
    }

    private func nextNumber() -> UInt64 {
        counter += 1
        return counter
    }

    /// Releases what is due and inserts 64 packets.
    func turnWheel() -> UInt64 {
        nowNanos += 64 * QueueBench.nanosPerPacket
        let count = wheel.release(nowNanos: nowNanos, into: out, from: 0, random: &random)
        for index in 0..<count {
            free[freeCount] = out[index]
            freeCount += 1
        }
        for _ in 0..<64 {
            freeCount -= 1
            let delay = delays[Int(nextNumber() & 4_095)]
            wheel.insert(free[freeCount], dueNanos: nowNanos + delay)
        }
        return UInt64(wheel.count)
    }

    private func push() {
        for _ in 0..<64 {
            // Slots go round: one comes again after it was taken.
            let slot = UInt32(nextNumber() & UInt64(QueueBench.slots - 1))
            let row = rows[Int(slot & 255)]
            precondition(queue.push(slot, row: row, cameNanos: nowNanos) == nil, "queue full")
        }
    }

    /// Pushes 64 packets and takes 64, each of which is charged.
    func turnQueue() -> UInt64 {
        push()
        let count = queue.take(into: out, most: 64)
        for index in 0..<count {
            let slot = out[index]
            let drop: Drop = slot & 7 == 0 ? .headerMac : .none
            queue.refund(row: queue.row(slot), spentNanos: costs.nanos(verdict: drop))
        }
        return UInt64(out[0]) &+ UInt64(queue.count)
    }

    func drawDelays() -> UInt64 {
        var sum: UInt64 = 0
        for _ in 0..<64 { sum &+= draw.draw(&random) }
        return sum
    }

    /// Looks for copies among 64 new packets and remembers them.
    func filterCopies() -> UInt64 {
        nowNanos += 64 * QueueBench.nanosPerPacket
        batch.reset(nowNanos: nowNanos)
        for lane in 0..<Batch.capacity {
            slab.packet(UInt32(lane), QueueBench.packetBytes).store(nextNumber(), 0)
            batch.append(
                slot: UInt32(lane),
                byteCount: UInt32(QueueBench.packetBytes),
                source: 0
            )
        }
        filter.screen(&batch, slab: slab)
        filter.remember(batch)
        return UInt64(batch.live.nonzeroBitCount)
    }

    func group() -> UInt64 {
        let count = groups.form(rows, count: 64, random: &random)
        return UInt64(count) &+ UInt64(groups.place[63])
    }

    func spend() -> UInt64 {
        nowNanos += 64 * QueueBench.nanosPerPacket
        var passed: UInt64 = 0
        for index in 0..<64 {
            let row = rows[index]
            if budget.mayPass(row: row, nowNanos: nowNanos) { passed += 1 }
            budget.settle(row: row, verdict: .none, costs: costs)
        }
        return passed
    }
}

func queueCases() -> [Case] {
    let bench = QueueBench()
    return [
        Case("relay.wheel", batch: 64) { bench.turnWheel() },
        Case("relay.queue", batch: 64) { bench.turnQueue() },
        Case("relay.delay", batch: 64) { bench.drawDelays() },
        Case("relay.copies", batch: 64) { bench.filterCopies() },
        Case("relay.hops", batch: 64) { bench.group() },
        Case("relay.budget", batch: 64) { bench.spend() },
    ]
}
