import Bytes
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Relay

@Suite struct SpillTests {
    private static let packetBytes = 1_461

    /// The bytes of packet `number`.
    private static func fill(_ packet: Region, _ number: UInt64) {
        packet.fill(UInt8(truncatingIfNeeded: number))
        packet.store(number, 0)
        packet.store(number, packet.byteCount - 8)
    }

    private static func put(_ batch: SpillBatch, _ index: Int, _ number: UInt64, _ packet: Region) {
        fill(packet, number)
        batch.put(
            index,
            packet,
            keyID: UInt32(truncatingIfNeeded: number) &* 3,
            row: UInt32(truncatingIfNeeded: number) &* 5,
            cameNanos: number &* 7
        )
    }

    /// True if a packet and what belongs to it are those of `number`.
    private static func isRight(_ batch: SpillBatch, _ index: Int, _ number: UInt64) -> Bool {
        let packet = batch.packet(index)
        let (first, last): (UInt64, UInt64) = (packet.load(0), packet.load(packetBytes - 8))
        return first == number && last == number
            && packet.byte(700) == UInt8(truncatingIfNeeded: number)
            && batch.keyID(index) == UInt32(truncatingIfNeeded: number) &* 3
            && batch.row(index) == UInt32(truncatingIfNeeded: number) &* 5
            && batch.cameNanos(index) == number &* 7
    }

    @Test func `batches arrive whole, in order, as many as there is room for`() {
        var seed = SeededGenerator("spill")
        let memory = Memory(SpillRing.byteCount(packetBytes: Self.packetBytes))
        let scratch = Memory(Self.packetBytes)
        var writer = SpillWriter(memory.region, packetBytes: Self.packetBytes)
        var reader = SpillReader(memory.region, packetBytes: Self.packetBytes)
        var (sent, got): (UInt64, UInt64) = (0, 0)
        var waiting: [Int] = []
        for _ in 0..<400 {
            if Bool.random(using: &seed) {
                let count = Int.random(in: 1...32, using: &seed)
                guard let batch = writer.begin(count) else {
                    #expect(waiting.count >= 3)
                    continue
                }
                #expect(batch.count == count)
                for index in 0..<count {
                    Self.put(batch, index, sent, scratch.region)
                    sent += 1
                }
                writer.end()
                waiting.append(count)
            } else if let batch = reader.next() {
                #expect(batch.count == waiting.removeFirst())
                for index in 0..<batch.count {
                    #expect(Self.isRight(batch, index, got))
                    got += 1
                }
                reader.release()
            } else {
                #expect(waiting.isEmpty)
            }
            let isEmpty = writer.isEmpty
            #expect(isEmpty == waiting.isEmpty)
        }
        #expect(sent > 1_000)
        withExtendedLifetime((memory, scratch)) {}
    }

    @Test func `four whole batches fit, of wide packets too`() {
        for packetBytes in [1_461, 3_669] {
            let memory = Memory(SpillRing.byteCount(packetBytes: packetBytes))
            var writer = SpillWriter(memory.region, packetBytes: packetBytes)
            for _ in 0..<4 {
                let isThere = writer.begin(SpillBatch.capacity) != nil
                #expect(isThere)
                writer.end()
            }
            withExtendedLifetime(memory) {}
        }
    }

    @Test func `two threads lose nothing`() {
        let memory = Memory(SpillRing.byteCount(packetBytes: Self.packetBytes))
        let total: UInt64 = 4_000
        let thread = Thread {
            let scratch = Memory(Self.packetBytes)
            var writer = SpillWriter(memory.region, packetBytes: Self.packetBytes)
            var sent: UInt64 = 0
            while sent < total {
                let count = Int(min(total - sent, 1 + sent % 32))
                guard let batch = writer.begin(count) else {
                    sched_yield()
                    continue
                }
                for index in 0..<count {
                    Self.put(batch, index, sent, scratch.region)
                    sent += 1
                }
                writer.end()
            }
        }
        thread.start()
        var reader = SpillReader(memory.region, packetBytes: Self.packetBytes)
        var (got, wrong): (UInt64, Int) = (0, 0)
        while got < total {
            guard let batch = reader.next() else {
                sched_yield()
                continue
            }
            for index in 0..<batch.count {
                if !Self.isRight(batch, index, got) { wrong += 1 }
                got += 1
            }
            reader.release()
        }
        #expect(wrong == 0)
        withExtendedLifetime(memory) {}
    }

    @Test func `packets are given only by who has too many to who has none`() {
        func gives(_ backlog: Int, _ other: Int, _ isOnTheWay: Bool = false) -> Bool {
            SpillRule.gives(backlog: backlog, other: other, isOnTheWay: isOnTheWay)
        }
        #expect(!gives(0, 0) && !gives(128, 0) && gives(129, 0))
        #expect(gives(129, 31) && !gives(129, 32) && !gives(4_096, 32))
        #expect(!gives(4_096, 0, true))
        #expect(SpillRule.count(backlog: 4_096) == 32 && SpillRule.count(backlog: 130) == 2)
        #expect(SpillRule.count(backlog: 128) == 0 && SpillRule.count(backlog: 0) == 0)
        // Who gives has never fewer left than who takes had.
        for backlog in 0..<300 {
            for other in 0..<300 where gives(backlog, other) {
                let count = SpillRule.count(backlog: backlog)
                #expect(count > 0 && backlog - count >= other + count)
            }
        }
    }

    @Test func `workers read what others said last`() {
        let memory = Memory(BacklogBoard.byteCount(workers: 3))
        let board = BacklogBoard(memory.region)
        #expect(board.workers == 3)
        #expect((0..<3).map { board.packets($0) } == [0, 0, 0])
        board.post(1, 77)
        board.post(2, 5)
        board.post(1, 78)
        #expect((0..<3).map { board.packets($0) } == [0, 78, 5])
        withExtendedLifetime(memory) {}
    }
}
