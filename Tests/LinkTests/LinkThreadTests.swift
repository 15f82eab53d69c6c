import Bytes
import Datapath
import Synchronization
import TestSupport
import Testing

@testable import Link

/// Sessions come and go while workers seal and open.
@Suite struct LinkThreadTests {
    private static let rounds = 1_500

    /// What one worker saw, sealing in one table and opening in the other.
    private struct Seen {
        var verdicts: [Drop: Int] = [:]
        var missing = 0
        var wrong = 0
    }

    /// The desks of both tables; one thread's.
    private final class Keepers: @unchecked Sendable {
        var pair: LinkPair
        private var keys: UInt8 = 1

        init(_ pair: consuming LinkPair) { self.pair = pair }

        /// A new session, and an end to the oldest.
        func step() {
            keys &+= 1
            if pair.a.keeper.freeSlotCount > 8, pair.b.keeper.freeSlotCount > 8 {
                let before = pair.indices
                pair.connect(keyByte: keys, nowNanos: 1_000)
                if keys % 3 == 0 { pair.a.keeper.end(before.here) }
            }
            pair.a.keeper.collect()
            pair.b.keeper.collect()
        }
    }

    private static func work(
        _ sender: LinkTable,
        _ taker: LinkTable,
        _ row: UInt32,
        _ thread: Int
    ) -> Seen {
        var seen = Seen()
        var seals = LinkWorker(sender, worker: thread)
        var opens = LinkWorker(taker, worker: thread)
        let (room, plain, want) = (
            Memory(LinkPair.bytes), Memory(LinkPair.bytes), Memory(LinkPair.bytes - 32)
        )
        seals.enter()
        opens.enter()
        for _ in 0..<rounds {
            defer {
                seals.quiesce()
                opens.quiesce()
            }
            let session = sender.sendingSession(row, nowNanos: 2_000)
            guard session != LinkTable.none,
                let counter = sender.reserve(session: session, count: 1)
            else {
                seen.missing += 1
                continue
            }
            LinkPair.write(counter, to: room.region.slice(16, LinkPair.bytes - 32))
            seals.seal(
                session: session,
                train: room.region,
                count: 1,
                firstCounter: counter,
                nowNanos: 2_000
            )
            let opened = opens.open(
                room.region,
                into: plain.region,
                from: LinkPair.addressA,
                nowNanos: 2_000
            )
            seen.verdicts[opened.verdict, default: 0] += 1
            guard opened.verdict == .none else { continue }
            LinkPair.write(counter, to: want.region)
            let isSame = constantTimeEqual(
                want.region,
                plain.region.slice(0, want.region.byteCount)
            )
            if !isSame || opened.keyID != LinkPair.idA { seen.wrong += 1 }
        }
        seals.leave()
        opens.leave()
        return seen
    }

    @Test
    func `a session that ends under a worker's hands is whole until the worker has passed on`()
        async
    {
        let pair = LinkPair()
        let (sender, taker, row) = (pair.a.table, pair.b.table, pair.rowB)
        let keepers = Keepers(pair)
        // The rig's own workers are not at work here.
        keepers.pair.a.worker.leave()
        keepers.pair.b.worker.leave()
        let running = Running(2)
        let all = await withTaskGroup(of: Seen?.self) { group in
            for thread in 0..<2 {
                group.addTask {
                    defer { running.end() }
                    return LinkThreadTests.work(sender, taker, row, thread)
                }
            }
            group.addTask {
                while running.count > 0 { keepers.step() }
                return nil
            }
            return await group.reduce(into: [Seen]()) { if let seen = $1 { $0.append(seen) } }
        }
        for seen in all {
            // Never a tag that does not match: that would be keys of two sessions.
            let allowed: Set<Drop> = [.none, .linkUnknown]
            #expect(Set(seen.verdicts.keys).isSubset(of: allowed), "\(seen.verdicts)")
            #expect(seen.wrong == 0)
            #expect(seen.verdicts[.none, default: 0] > 0)
        }
    }

    private final class Running: Sendable {
        private let left: Atomic<Int>
        init(_ count: Int) { left = Atomic(count) }
        var count: Int { left.load(ordering: .acquiring) }
        func end() { left.subtract(1, ordering: .releasing) }
    }
}
