import Bytes
import Datapath
import Exchange
import Link
import TestSupport
import Testing

@testable import Relay

/// A link from its first handshake on, in a network where nothing escapes the test.
@Suite struct CaptureTests {
    private static let stepNanos: UInt64 = 10_000_000

    /// Two stations whose datagrams pass through the test's hands.
    private final class Captured {
        let network: SimulatedNetwork
        let crowd: LinkCrowd
        var datagrams: [[UInt8]] = []
        var packets: [[UInt8]] = []

        init(_ name: String) throws {
            network = try SimulatedNetwork(seed: 1)
            network.wire.isByHand = true
            network.wire.waits = false
            crowd = try LinkCrowd(name, count: 2, in: network)
            crowd.each = { [unowned self] in move() }
        }

        private func move() {
            while let sent = network.next() {
                datagrams.append(sent.bytes)
                network.deliver(
                    sent.bytes,
                    from: sent.source,
                    to: sent.destination,
                    delayNanos: 3_000_000
                )
            }
            network.advance(nanos: stepNanos)
        }

        func run(seconds: Double) {
            for _ in 0..<Int(seconds * 1e9) / Int(stepNanos) { crowd.turn() }
        }

        func send() {
            let made = crowd.maker.make([1, 0], from: 0)
            if packets.count < 20 { packets.append(made.bytes) }
            crowd[0].send(made, to: crowd.nodes[1])
        }

        /// A ping by hand: workers send none of their own.
        func ping(_ body: [UInt8]) {
            let row = crowd[0].table.peer(keyID: crowd.nodes[1].keyID)
            guard var train = crowd[0].station.worker.begin(row) else {
                Issue.record("no link")
                return
            }
            var body = body
            let added = body.withRegion { train.writer.add(.ping, $0) }
            #expect(added)
            crowd[0].station.worker.depart(train)
            crowd[0].station.worker.send()
        }
    }

    /// A link that did all that links do, once for all tests of this suite.
    private func captured() throws -> Captured {
        let all = try Captured("capture")
        let crowd = all.crowd
        crowd[0].wants(crowd[1])
        all.run(seconds: 0.2)
        #expect(crowd.areUp([(0, 1)]))
        let first = crowd[0].session(to: crowd[1])
        // Data and acknowledgements, alone and in company, beyond the first session's time.
        for round in 0..<130 {
            for _ in 0..<(round % 10 == 0 ? 20 : 2) { all.send() }
            if round % 8 == 0 { all.ping([UInt8](repeating: 0xaa, count: 8 + round % 57)) }
            all.run(seconds: 1)
        }
        #expect(crowd[0].session(to: crowd[1]) != first, "no rekey")
        all.run(seconds: 40)
        return all
    }

    @Test func `a link's datagrams have one size, three fields in clear, and look random`() throws {
        let all = try captured()
        let crowd = all.crowd
        let count = 13 * 20 + 117 * 2
        #expect(crowd[0].delivered == count && crowd[1].unlocked == count)
        #expect(crowd[0].counters.value(.pongsIn) == 17)
        #expect(all.datagrams.allSatisfy { $0.count == LinkLimits.datagramBytes })
        expectHeads(all.datagrams)
        expectHidden(
            all.datagrams,
            secrets: crowd,
            texts: all.packets + [[UInt8](repeating: 0xaa, count: 32)]
        )
        expectRandom(all.datagrams)
    }

    /// Types, indices and counters.
    private func expectHeads(_ datagrams: [[UInt8]]) {
        var types: [UInt8: Int] = [:]
        var counters: [[UInt8]: Set<[UInt8]>] = [:]
        for datagram in datagrams {
            types[datagram[0], default: 0] += 1
            #expect(datagram[1..<4] == [0, 0, 0])
            let (index, counter) = (Array(datagram[4..<8]), Array(datagram[8..<16]))
            if datagram[0] == 4 {
                #expect(index != [0, 0, 0, 0])
                let isNew = counters[index, default: []].insert(counter).inserted
                #expect(isNew, "a counter twice")
            } else {
                #expect(counter.allSatisfy { $0 == 0 })
                #expect((index == [0, 0, 0, 0]) == (datagram[0] == 1))
            }
        }
        // One handshake at the beginning, one when the session had become old.
        #expect(types[1] == 2 && types[2] == 2 && types.count == 3, "\(types)")
        #expect(counters.count == 4)
        // No counter is left out.
        for seen in counters.values {
            let numbers = seen.map { $0.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
            #expect(numbers.max() == UInt64(seen.count - 1))
        }
    }
}
