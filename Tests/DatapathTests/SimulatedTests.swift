import Bytes
import Datapath
import TestSupport
import Testing

@Suite struct SimulatedTests {
    private static func address(_ host: UInt8, port: UInt16 = 9_000) -> DatagramAddress {
        var address = Bytes16()
        address[0] = 10
        address[3] = host
        return DatagramAddress(family: 4, address: address, port: port)
    }

    private let a = address(1)
    private let b = address(2)

    private func port(
        _ network: SimulatedNetwork,
        _ at: DatagramAddress,
        configure: (inout PortConfig) -> Void = { _ in }
    ) throws -> TestPort {
        try TestPort(.simulated(network), at: at, configure: configure)
    }

    @Test func `a train crosses, and arrives in one piece`() throws {
        var seed = SeededGenerator("simulated")
        let network = try SimulatedNetwork(seed: 1)
        let left = try port(network, a)
        let right = try port(network, b)
        let bytes = seed.bytes(9 * 1_000 + 300)
        left.send(bytes, segment: 1_000, to: b)
        let got = right.batch()
        #expect(got.flatMap(\.bytes) == bytes)
        #expect(got.count == 10 && got.allSatisfy { $0.source == a })
        #expect(right.statistics.arrivals == 1)
        #expect(left.statistics.trains == 1 && left.statistics.sent == 10)
        #expect(network.counts.delivered == 10)
        #expect(left.features.description == "simulated: segmentation, coalescing")
    }

    @Test func `what coalesces is of one sender and one size, but for a shorter end`() throws {
        let network = try SimulatedNetwork(seed: 1)
        let right = try port(network, b)
        let sizes = [(a, 100), (a, 100), (a, 60), (a, 60), (b, 60), (a, 60), (a, 61), (a, 0)]
        for (source, size) in sizes {
            network.deliver([UInt8](repeating: 1, count: size), from: source, to: b)
        }
        #expect(right.wait(nanos: 0))
        let count = right.take()
        let shapes = (0..<count).map {
            [right.port.arrival($0).bytes.byteCount, right.port.arrival($0).segmentBytes]
        }
        #expect(shapes == [[260, 100], [60, 60], [60, 60], [60, 60], [61, 61], [0, 0]])
        #expect(right.port.arrival(count - 1).count == 1)
        right.port.release()
    }

    @Test func `without coalescing each datagram arrives alone`() throws {
        let network = try SimulatedNetwork(seed: 1)
        let left = try port(network, a)
        let right = try port(network, b) { $0.coalescing = false }
        left.send([UInt8](repeating: 1, count: 500), segment: 100, to: b)
        let ok = right.wait(nanos: 0)
        let count = right.take()
        #expect(ok && count == 5)
    }

    @Test func `a wait moves the clock to the next arrival, or by its time-out`() throws {
        let network = try SimulatedNetwork(seed: 1, nanos: 5_000)
        network.wire.delayNanos = 700
        let left = try port(network, a)
        let right = try port(network, b)
        let start = left.port.nanos()
        #expect(start == 5_000)
        left.send([1], to: b)
        #expect(right.wait(nanos: 1_000) && network.nanos == 5_700)
        let taken = right.take()
        #expect(taken == 1)
        right.port.release()
        #expect(right.wait(nanos: 1_000) && network.nanos == 6_700)
        // What is there is not waited for; a wake is as good.
        left.send([2], to: b)
        network.advance(nanos: 700)
        #expect(right.wait(nanos: 1_000) && network.nanos == 7_400)
        left.port.waker.wake()
        #expect(left.wait(nanos: 1_000) && network.nanos == 7_400 && left.statistics.wakes == 1)
        network.wire.waits = false
        #expect(left.wait(nanos: 1_000) && network.nanos == 7_400)
    }

    /// Sends numbered datagrams through a wire, and returns what came, in order.
    private func run(_ wire: SimulatedNetwork.Wire, seed: UInt64) throws -> [UInt8] {
        let network = try SimulatedNetwork(seed: seed, wire: wire)
        let left = try port(network, a)
        let right = try port(network, b)
        for number in 0..<200 {
            left.send([UInt8(number)], to: b)
            network.advance(nanos: 100)
        }
        network.advance(nanos: 1_000_000)
        var all: [UInt8] = []
        while true {
            let got = right.batch()
            if got.isEmpty { break }
            all += got.flatMap(\.bytes)
        }
        let counts = network.counts
        #expect(counts.delivered + counts.lost == counts.sent)
        #expect(Int(counts.delivered) == all.count)
        return all
    }

    @Test func `loss, copies and reordering come from the seed`() throws {
        var wire = SimulatedNetwork.Wire()
        wire.delayNanos = 1_000
        #expect(try run(wire, seed: 1) == (0..<200).map { UInt8($0) })
        wire.jitterNanos = 2_000
        let shuffled = try run(wire, seed: 1)
        #expect(shuffled != shuffled.sorted() && shuffled.sorted() == (0..<200).map { UInt8($0) })
        wire.lossPerMillion = 200_000
        wire.copiesPerMillion = 100_000
        let seed = UInt64.random(in: 0 ... .max)
        print("wire: seed \(seed)")
        let some = try run(wire, seed: seed)
        #expect(Set(some).count < 200)
        #expect(try run(wire, seed: seed) == some)
    }

    @Test func `by hand, a test sees and moves each datagram`() throws {
        let network = try SimulatedNetwork(seed: 1)
        network.wire.isByHand = true
        let left = try port(network, a)
        let right = try port(network, b)
        left.send([1, 2, 3, 4, 5], segment: 2, to: b)
        #expect(right.batch().isEmpty)
        let sent = [network.next(), network.next(), network.next()].compactMap { $0 }
        #expect(sent.map(\.bytes) == [[1, 2], [3, 4], [5]])
        #expect(sent.allSatisfy { $0.source == a && $0.destination == b })
        #expect(network.next() == nil)
        network.deliver(sent[2].bytes, from: a, to: b)
        #expect(right.batch().map(\.bytes) == [[5]])
    }

    @Test func `a full inbox, a wrong length and an unknown address drop and count`() throws {
        let network = try SimulatedNetwork(seed: 1)
        network.wire.inboxMax = 3
        let right = try port(network, b) { $0.lengths = [10, 20] }
        for size in [10, 20, 15, 0, 30, 10, 10] {
            network.deliver([UInt8](repeating: 1, count: size), from: a, to: b)
        }
        network.deliver([1], from: b, to: a)
        network.advance(nanos: 0)
        #expect(right.batch().map(\.bytes.count) == [10, 20, 10])
        let counts = network.counts
        #expect(counts.filtered == 3 && counts.full == 1 && counts.nowhere == 1)
        try right.port.setLengths([])
        network.deliver([1], from: a, to: b)
        #expect(right.batch().count == 1)
    }

    @Test func `ports that share an address share its senders`() throws {
        let network = try SimulatedNetwork(seed: 1)
        let ports = [try port(network, b), try port(network, b)]
        for host in 10..<42 {
            for _ in 0..<2 {
                network.deliver([UInt8(host)], from: SimulatedTests.address(UInt8(host)), to: b)
            }
        }
        let got = ports.map { Set($0.batch().map { $0.bytes }) }
        #expect(got.allSatisfy { $0.count > 5 } && got[0].isDisjoint(with: got[1]))
        #expect(got[0].count + got[1].count == 32)
    }

    @Test func `a datagram longer than the buffer says so`() throws {
        let network = try SimulatedNetwork(seed: 1)
        let right = try port(network, b) {
            $0.coalescing = false
            $0.receiveBytes = 64
        }
        for size in [64, 65] { network.deliver([UInt8](repeating: 7, count: size), from: a, to: b) }
        let got = right.batch()
        #expect(got.map(\.truncated) == [false, true])
        #expect(got.map(\.bytes.count) == [64, 64])
    }
}
