import Bytes
import Exchange
import Sphinx
import TestSupport
import Testing

@testable import Relay

/// A filter with a slab, and batches of packets by their bytes.
private final class TestFilter {
    static let span: UInt64 = 4_000_000_000

    let filter: DuplicateFilter
    var batch = Batch()
    private let slab: Slab
    private let geometry = Geometry.head
    private let memory = Memory(1 << 20)

    init(capacity: Int = 1_024) {
        var arena = Arena(memory.region)
        filter = DuplicateFilter(
            &arena,
            capacity: capacity,
            spanNanos: TestFilter.span,
            hash: KeyedHash(3, 4),
            packetBytes: geometry.packetBytes
        )
        filter.clear(nowNanos: 1)
        slab = Slab(region: arena.region(64 * 2_048), stride: 2_048, offset: 128)
    }

    /// A packet of alpha `number`.
    func packet(_ number: UInt64, rest: UInt8 = 7) -> [UInt8] {
        var bytes = [UInt8](repeating: rest, count: geometry.packetBytes)
        for place in 0..<32 {
            bytes[place] = UInt8(truncatingIfNeeded: number >> UInt64(8 * (place % 8)))
        }
        return bytes
    }

    /// Screens packets with their sources, gives the others these verdicts and remembers; lanes
    /// that were copies.
    func pass(
        _ packets: [(source: UInt32, bytes: [UInt8])],
        at now: UInt64 = 1,
        _ verdicts: [Drop] = []
    ) -> [Int] {
        batch.reset(nowNanos: now)
        for (lane, packet) in packets.enumerated() {
            slab.packet(UInt32(lane), packet.bytes.count).store(bytes: packet.bytes, 0)
            batch.append(
                slot: UInt32(lane),
                byteCount: UInt32(packet.bytes.count),
                source: packet.source
            )
        }
        filter.screen(&batch, slab: slab)
        let copies = packets.indices.filter { !batch.live.contains($0) }
        #expect(copies.allSatisfy { batch.verdict($0) == .duplicate })
        for (lane, verdict) in verdicts.enumerated() where verdict != .none {
            if batch.live.contains(lane) { batch.drop(lane, verdict) }
        }
        filter.remember(batch)
        return copies
    }

    func pass(_ number: UInt64, from source: UInt32 = 1, at now: UInt64 = 1) -> Bool {
        pass([(source, packet(number))], at: now).isEmpty
    }
}

@Suite struct DuplicateTests {
    @Test func `a packet that was accepted is a copy when it comes again`() {
        let test = TestFilter()
        #expect(test.pass(1) && test.pass(2))
        #expect(!test.pass(1) && !test.pass(2))
        // From whomever it comes, and whatever stands behind alpha: it would be a replay.
        #expect(!test.pass(1, from: 9))
        #expect(test.pass([(1, test.packet(1, rest: 8))]) == [0])
        #expect(test.pass(3))
    }

    @Test func `who sends a packet's alpha first cannot make the packet drop`() {
        let junk: [Drop] = [.headerMac, .ticketSignature, .channelClosed, .mixerFull, .queueFull]
        for reason in junk {
            for source in [UInt32(1), 2] {
                let test = TestFilter()
                #expect(test.pass([(source, test.packet(5, rest: 0))], [reason]).isEmpty)
                #expect(test.pass(5))
            }
        }
        // In one batch, before or after.
        let test = TestFilter()
        let (good, bad) = (test.packet(6), test.packet(6, rest: 0))
        #expect(test.pass([(1, bad), (1, good), (2, bad)], [.headerMac, .none, .headerMac]) == [])
        #expect(!test.pass(6))
    }

    @Test func `the same bytes twice in one batch are a copy, if one neighbour sent both`() {
        let test = TestFilter()
        let packet = test.packet(1)
        #expect(test.pass([(1, packet), (2, packet), (1, packet), (1, packet)]) == [2, 3])
        var other = test.packet(2)
        other[other.count - 1] ^= 1
        #expect(test.pass([(1, test.packet(2)), (1, other)]).isEmpty)
        // Nothing of it is left for the next batch, unless it was accepted.
        let third = test.packet(3)
        #expect(test.pass([(1, third), (1, third)], [.mixerFull]) == [1])
        #expect(test.pass([(1, third), (1, third)], [.headerMac]) == [1])
        #expect(test.pass(3))
    }

    @Test func `what the replay set knows is remembered`() {
        let kept: [Drop] = [.none, .replay, .payloadTagged, .ticketSelfCheck]
        for drop in Drop.allCases where drop != .duplicate {
            let test = TestFilter()
            _ = test.pass([(1, test.packet(1))], [drop])
            #expect(test.pass(1) != kept.contains(drop), "\(drop)")
        }
    }

    @Test func `packets are remembered for one to two generations`() {
        let test = TestFilter()
        let span = TestFilter.span
        #expect(test.pass(1, at: 1) && test.pass(2, at: span))
        #expect(!test.pass(1, at: span + 1))
        // Asked for, it was remembered anew; 2 was not.
        #expect(!test.pass(1, at: 2 * span + 1))
        #expect(test.pass(2, at: 2 * span + 2))
        // After a long pause everything is forgotten.
        #expect(test.pass(1, at: 10 * span) && !test.pass(1, at: 10 * span))
        // A clock that goes back does no harm.
        #expect(!test.pass(1, at: 1) && test.pass(7, at: 1) && !test.pass(7, at: 2))
    }

    @Test func `a full generation gives way early`() {
        let test = TestFilter(capacity: 64)
        for number in UInt64(0)..<64 { #expect(test.pass(number)) }
        let late = (UInt64(0)..<64).filter { test.pass($0) }.count
        // Few buckets overflow.
        #expect(late < 4)
        for number in UInt64(100)..<228 { #expect(test.pass(number)) }
        #expect(test.pass(0))
    }

    @Test func `no honest packet of many is taken for a copy`() {
        var seed = SeededGenerator("duplicates")
        let test = TestFilter(capacity: 256)
        var wrong = 0
        for round in 0..<200 {
            let packets = (0..<64).map { _ in (UInt32(1), test.packet(seed.next())) }
            wrong += test.pass(packets, at: UInt64(round)).count
        }
        #expect(wrong == 0)
    }
}
