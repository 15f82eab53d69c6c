import Bytes
import TestSupport
import Testing

@testable import Relay

@Suite struct QueueTests {
    private func queue(rows: Int = 16, capacity: Int = 10) -> (AckQueue, Memory) {
        let memory = Memory(1 << 18)
        var arena = Arena(memory.region)
        let queue = AckQueue(
            &arena,
            rows: rows,
            capacity: capacity,
            waitNanos: 200
        )
        queue.clear()
        return (queue, memory)
    }

    private func key(_ number: Int) -> FixedBytes<96> {
        var key = FixedBytes<96>()
        key[0] = UInt8(number & 255)
        key[1] = UInt8(number >> 8)
        return key
    }

    @Test func `a row is full at its capacity`() {
        let (queue, memory) = queue()
        let row: UInt32 = 5
        for number in 0..<9 {
            let full = queue.add(row, 5, key(number), nowNanos: 10)
            #expect(!full)
        }
        let full = queue.add(row, 5, key(9), nowNanos: 10)
        #expect(full && queue.count(row) == 10 && !queue.takes(row, 5))
        #expect((0..<10).allSatisfy { queue.acks(row)[$0] == key($0) })
        queue.remove(row)
        #expect(queue.count == 0 && queue.oldest == AckQueue.none)
        withExtendedLifetime(memory) {}
    }

    @Test func `rows are due in the order of their first acknowledgement`() {
        var seed = SeededGenerator("ack queue")
        let (queue, memory) = queue(rows: 64)
        var model: [(row: UInt32, due: UInt64)] = []
        var now: UInt64 = 0
        for _ in 0..<3_000 {
            now += UInt64.random(in: 0...20, using: &seed)
            let keyID = UInt32.random(in: 0..<40, using: &seed)
            let row = keyID
            if !queue.takes(row, keyID) {
                model.removeAll { $0.row == row }
                queue.remove(row)
            }
            if !model.contains(where: { $0.row == row }) { model.append((row, now + 200)) }
            if queue.add(row, keyID, key(1), nowNanos: now) {
                model.removeAll { $0.row == row }
                queue.remove(row)
            }
            while let first = model.first, first.due <= now {
                #expect(queue.oldest == first.row && queue.dueNanos(first.row) == first.due)
                model.removeFirst()
                queue.remove(first.row)
            }
            #expect(queue.oldest == model.first?.row ?? AckQueue.none)
        }
        withExtendedLifetime(memory) {}
    }

    @Test func `a row waits once more until its time is over`() {
        let (queue, memory) = queue()
        for row: UInt32 in 3...5 { _ = queue.add(row, 40 + row, key(1), nowNanos: 10) }
        let again = queue.postpone(3, nowNanos: 210, mostNanos: 500)
        #expect(again && queue.oldest == 4 && queue.dueNanos(3) == 410 && queue.count == 3)
        queue.remove(4)
        queue.remove(5)
        #expect(queue.oldest == 3 && queue.count(3) == 1 && queue.keyID(3) == 43)
        let late = queue.postpone(3, nowNanos: 511, mostNanos: 500)
        #expect(!late && queue.count == 1)
        queue.remove(3)
        queue.remove(3)
        #expect(queue.count == 0 && queue.oldest == AckQueue.none)
        withExtendedLifetime(memory) {}
    }
}
