import Bytes
import Exchange
import TestSupport
import Testing

@testable import Relay

@Suite struct LinkShedTests {
    private let memory = Memory(1 << 10)

    private func shed(_ change: (inout LinkShed.Limits) -> Void = { _ in }) -> LinkShed {
        var limits = LinkShed.Limits()
        limits.spanNanos = 1_000
        limits.datagrams = 10
        limits.datagramsPerNeighbour = 4
        change(&limits)
        memory.region.fill(0)
        var arena = Arena(memory.region)
        return LinkShed(&arena, rows: 8, limits: limits)
    }

    @Test func `a neighbour gets its part of each span, all together theirs`() {
        let shed = shed()
        for span in 0..<3 as Range<UInt64> {
            let opened = (0..<5 as Range<UInt32>).map { row in
                (0..<100 as Range<UInt64>).filter {
                    shed.mayOpen(row: row, nowNanos: 1_000 * span + $0)
                }.count
            }
            #expect(opened == [4, 4, 2, 0, 0])
        }
    }

    @Test func `what was not used in a span is not saved`() {
        let shed = shed()
        #expect(shed.mayOpen(row: 1, nowNanos: 5))
        let later = (0..<100).filter { _ in shed.mayOpen(row: 1, nowNanos: 1_000_000) }.count
        #expect(later == 4)
    }

    @Test func `nothing at all can be configured`() {
        let shed = shed { $0.datagrams = 0 }
        #expect(!shed.mayOpen(row: 0, nowNanos: 1))
    }
}

@Suite(.serialized) struct ShedTests {
    /// A queue that one datagram's packets fill, and no datagram opened beyond that.
    private func narrow(_ config: inout WorkerConfig) {
        config.queue.packetsPerNeighbour = 1
        config.shed.datagrams = 0
        // One batch a turn.
        config.tickNanos = 1_024
    }

    @Test func `datagrams of a neighbour with too many packets are not opened`() throws {
        let line = try Line("shed", configure: narrow)
        line.send((0..<20).map { _ in line.maker.make([1, 2], from: 0).bytes })
        #expect(line.turn { line.relay.counters.value(.datagramsIn) == 21 })
        #expect(line.turn { line.relay.counters.value(.packetsOut) == 1 })
        let counters = line.relay.counters
        // The second datagram brings the first packet's end.
        #expect(counters.value(Drop.linkShed) == 19)
        #expect(counters.value(Drop.queueFull) == 0)
        let ledger = PacketLedger(counters, queued: 0, held: 0)
        #expect(ledger.received == 1 && ledger.isBalanced, "\(ledger)")
        // Its turn over, the neighbour is heard again.
        line.send()
        #expect(line.turn { line.relay.counters.value(.packetsOut) == 2 })
    }

    @Test func `some are opened all the same, for what else is in them`() throws {
        let line = try Line("shed some") {
            narrow(&$0)
            $0.shed.spanNanos = 60_000_000_000
            $0.shed.datagrams = 100
            $0.shed.datagramsPerNeighbour = 6
        }
        line.send((0..<20).map { _ in line.maker.make([1, 2], from: 0).bytes })
        #expect(line.turn { line.relay.counters.value(.datagramsIn) == 21 })
        let counters = line.relay.counters
        #expect(counters.value(Drop.linkShed) == 13)
        #expect(counters.value(Drop.queueFull) > 0)
    }

    @Test func `datagrams of a neighbour that has used up its budget are not opened`() throws {
        let line = try Line("shed budget") {
            $0.budget.packetsPerSecond = 1
            $0.shed.datagrams = 0
        }
        line.send(2)
        #expect(line.turn { line.relay.counters.value(Counter.forwarded) == 1 })
        line.send(2)
        #expect(line.turn { line.relay.counters.value(Drop.linkShed) > 0 })
        #expect(line.relay.counters.value(Counter.forwarded) == 1)
    }

    @Test func `strangers' datagrams are looked at as ever`() throws {
        let line = try Line("shed strangers") {
            $0.budget.packetsPerSecond = 1
            $0.shed.datagrams = 0
        }
        var bytes = [UInt8](repeating: 0, count: LinkMesh.datagramBytes)
        bytes[0] = 4
        line.sender.send(raw: bytes, to: line.relay.address)
        #expect(line.turn { line.relay.counters.value(Drop.linkUnknown) == 1 })
        #expect(line.relay.counters.value(Drop.linkShed) == 0)
    }
}

@Suite(.serialized) struct TurnTests {
    /// Turns after which the relay has forwarded 192 packets that wait.
    private func turns(_ name: String, tickNanos: UInt64) throws -> Int {
        let line = try Line(name) { $0.tickNanos = tickNanos }
        let packets = (0..<192).map { _ in line.maker.make([1, 2], from: 0).bytes }
        for start in stride(from: 0, to: 192, by: 24) {
            line.send(Array(packets[start..<start + 24]))
        }
        var turns = 0
        while line.relay.counters.value(Counter.forwarded) < 192, turns < 500 {
            line.relay.worker.turn()
            turns += 1
        }
        #expect(line.relay.counters.value(Counter.forwarded) == 192)
        return turns
    }

    @Test func `a turn takes all full batches that wait, as long as a tick lasts`() throws {
        let long = try turns("long tick", tickNanos: 60_000_000_000)
        let short = try turns("short tick", tickNanos: 1_000)
        #expect(long < short && short >= 3)
    }
}
