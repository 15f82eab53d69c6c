// swift-format-ignore-file: NeverForceUnwrap
import TestSupport
import Testing

@testable import Channels

@Suite struct PendingQueueTests {
    /// A queue that `#expect` can change.
    private final class Line {
        private var queue: PendingQueue
        var floor: UInt64 { queue.floor }

        init(floor: UInt64) { queue = PendingQueue(floor: floor) }

        func lock(_ index: UInt64, now: UInt64, deadline: UInt64) {
            queue.lock(index, now: now, deadline: deadline)
        }
        func unlock(_ index: UInt64, now: UInt64, deadline: UInt64) -> Bool {
            queue.unlock(index, now: now, deadline: deadline)
        }
        func skip(_ index: UInt64, now: UInt64, deadline: UInt64) {
            queue.skip(index, now: now, deadline: deadline)
        }
        func ready(now: UInt64, force: Bool = false) -> UInt64? {
            queue.ready(now: now, force: force)
        }

        /// Indices decided now, taking all that are ready.
        func drain(_ now: UInt64) -> [UInt64] {
            let upcoming = queue.upcoming(.max, now: now)
            var decided: [UInt64] = []
            while let index = queue.ready(now: now) {
                decided.append(index)
                queue.decided()
            }
            #expect(upcoming == decided)
            return decided
        }
    }

    @Test func `an index waits for lower ones that are locked or unseen`() {
        let queue = Line(floor: 10)
        queue.lock(10, now: 0, deadline: 100)
        #expect(queue.unlock(11, now: 0, deadline: 100))
        #expect(queue.unlock(13, now: 5, deadline: 105))
        #expect(queue.drain(50) == [])
        #expect(queue.unlock(10, now: 50, deadline: 150))
        #expect(queue.drain(50) == [10, 11])
        #expect(queue.floor == 12)
        #expect(queue.drain(104) == [])
        #expect(queue.drain(105) == [13])
        #expect(queue.floor == 14)
    }

    @Test func `what comes too late or twice is refused`() {
        let queue = Line(floor: 5)
        #expect(!queue.unlock(4, now: 0, deadline: 10))
        #expect(queue.unlock(5, now: 0, deadline: 10))
        #expect(!queue.unlock(5, now: 0, deadline: 10))
        #expect(queue.drain(0) == [5])
        #expect(!queue.unlock(5, now: 0, deadline: 10))
    }

    @Test func `a void index holds nobody up`() {
        let queue = Line(floor: 0)
        queue.lock(0, now: 0, deadline: 100)
        queue.lock(1, now: 0, deadline: 100)
        #expect(queue.unlock(2, now: 0, deadline: 100))
        queue.skip(1, now: 1, deadline: 100)
        #expect(queue.drain(2) == [])
        queue.skip(0, now: 3, deadline: 100)
        #expect(queue.drain(3) == [2])
    }

    @Test func `force waits for nobody`() {
        let queue = Line(floor: 0)
        queue.lock(0, now: 0, deadline: 100)
        #expect(queue.unlock(7, now: 0, deadline: 100))
        #expect(queue.ready(now: 1) == nil)
        #expect(queue.ready(now: 1, force: true) == 7)
    }

    @Test func `random schedules equal a slow model`() {
        var random = SeededGenerator("pending")
        for _ in 0..<50 {
            let queue = Line(floor: 0)
            // index → (unlocked, deadline); nil deadline: skipped.
            var model: [UInt64: (unlocked: Bool, deadline: UInt64?)] = [:]
            var gaps: [UInt64: UInt64] = [:]
            var top: UInt64 = 0
            var floor: UInt64 = 0
            var now: UInt64 = 0
            for _ in 0..<300 {
                now += random.next() % 5
                let index = floor + random.next() % 12
                let deadline = now + 20
                if index >= top {
                    for gap in top..<index { gaps[gap] = deadline }
                    top = index + 1
                }
                let known = model[index]
                switch random.next() % 3 {
                case 0 where known == nil:
                    queue.lock(index, now: now, deadline: deadline)
                    model[index] = (false, deadline)
                case 1:
                    let fresh = known == nil || (!known!.unlocked && known!.deadline != nil)
                    #expect(queue.unlock(index, now: now, deadline: deadline) == fresh)
                    if fresh { model[index] = (true, deadline) }
                default:
                    if known == nil || (!known!.unlocked && known!.deadline != nil) {
                        queue.skip(index, now: now, deadline: deadline)
                        model[index] = (false, nil)
                    }
                }
                var expected: [UInt64] = []
                while floor < top {
                    if let entry = model[floor] {
                        if entry.unlocked {
                            expected.append(floor)
                        } else if let deadline = entry.deadline, deadline > now {
                            break
                        }
                    } else if let deadline = gaps[floor], deadline > now {
                        break
                    }
                    floor += 1
                }
                #expect(queue.drain(now) == expected)
                #expect(queue.floor == floor)
            }
        }
    }
}
