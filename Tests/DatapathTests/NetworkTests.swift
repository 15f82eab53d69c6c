import Bytes
import Datapath
import Foundation
import TestSupport
import Testing

/// What needs two hosts: network namespaces joined by a wire.
@Suite(
    .serialized,
    .enabled(if: Sandbox.hasNetworks, "needs the right to make network namespaces")
)
struct NetworkTests {
    private static func address(_ host: UInt8, port: UInt16) -> DatagramAddress {
        var address = Bytes16()
        for (index, byte) in NetworkPair.host(host).enumerated() { address[index] = byte }
        return DatagramAddress(family: 4, address: address, port: port)
    }

    private static func address6(_ host: UInt8, port: UInt16) -> DatagramAddress {
        var address = Bytes16()
        for (index, byte) in NetworkPair.host6(host).enumerated() { address[index] = byte }
        return DatagramAddress(family: 6, address: address, port: port)
    }

    @Test(arguments: Way.two, [false, true])
    func `trains cross a wire, whoever computes the checksums`(
        _ way: Way,
        checksums: Bool
    ) throws {
        let pair = try NetworkPair()
        try pair.left.setChecksums("wire", on: checksums)
        let right = try TestPort(way, in: pair.right, at: NetworkTests.address(2, port: 900))
        let left = try TestPort(way, in: pair.left, at: NetworkTests.address(1, port: 900))
        var seed = SeededGenerator("wire")
        for _ in 0..<3 {
            let bytes = seed.bytes(44 * 1_452)
            left.send(bytes, segment: 1_452, to: right.address)
            let got = right.receive(44)
            #expect(got.map(\.bytes) == pieces(bytes, 1_452))
        }
        // Old kernels refuse a train that the device cannot finish; its datagrams go all the same.
        #expect(left.statistics.sent == 132 && left.statistics.dropped == 0)
        #expect(left.statistics.trains + 3 * left.statistics.segmentationOff >= 3)
    }

    @Test(arguments: Way.two)
    func `the path's size is known, and what is longer is refused and counted`(
        _ way: Way
    ) throws {
        let pair = try NetworkPair(mtu: 1_300)
        let right = try TestPort(way, in: pair.right, at: NetworkTests.address(2, port: 900))
        let left = try TestPort(way, in: pair.left, at: NetworkTests.address(1, port: 900))
        let (four, six) = try pair.left.run {
            (
                left.port.socket.pathBytes(to: right.address),
                left.port.socket.pathBytes(to: NetworkTests.address6(2, port: 900))
            )
        }
        #expect(four == 1_272 && six == 1_252)
        let bytes = [UInt8](repeating: 1, count: 5 * 1_272)
        left.send(bytes, segment: 1_273, to: right.address)
        left.send([UInt8](bytes[..<1_273]), to: right.address)
        left.send(bytes, segment: 1_272, to: right.address)
        #expect(right.receive(5).map(\.bytes.count) == [Int](repeating: 1_272, count: 5))
        // The shorter end of the first train may go where the others do not.
        let statistics = left.statistics
        #expect(statistics.tooLong >= 5 && statistics.sent + statistics.tooLong == 11)
        #expect(left.segmentation && statistics.segmentationOff == 0)
        #expect(left.nextFailure() == SendFailure(address: right.address, reason: .tooLong))
    }

    @Test func `without a route there is no path`() throws {
        let network = try Network()
        let bytes = try network.run {
            let socket = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0)
            return (
                socket.pathBytes(to: NetworkTests.address(2, port: 900)),
                socket.pathBytes(to: .loopback(port: 900))
            )
        }
        #expect(bytes.0 == nil && bytes.1 == 65_507)
    }

    @Test(arguments: Way.two)
    func `a datagram in fragments comes in whole, or not at all`(_ way: Way) throws {
        let pair = try NetworkPair(mtu: 1_300)
        let right = try TestPort(way, in: pair.right, at: NetworkTests.address(2, port: 900)) {
            $0.coalescing = false
            $0.receiveBytes = 4_000
            $0.lengths = [1_200]
        }
        func sendInFragments(_ size: Int) throws {
            try pair.left.run {
                let socket = try DatagramSocket(
                    NetworkTests.address(1, port: 0),
                    shared: false,
                    bufferBytes: 0
                )
                // Ours never fragment: this is a stranger's.
                var allowed: Int32 = IP_PMTUDISC_DONT
                let length = socklen_t(MemoryLayout<Int32>.size)
                let level = Int32(IPPROTO_IP)
                let file = socket.descriptor
                #expect(setsockopt(file, level, IP_MTU_DISCOVER, &allowed, length) == 0)
                let bytes = Memory(size)
                let sent = withExtendedLifetime(bytes) {
                    socket.send(bytes.region, to: right.address)
                }
                #expect(sent)
            }
        }
        for size in [3_000, 1_200, 2_400] { try sendInFragments(size) }
        #expect(right.receive(1).map(\.bytes.count) == [1_200])
        #expect(eventually { right.drops == 2 } && right.receiveAll().isEmpty)
        try right.port.setLengths([3_000])
        try sendInFragments(3_000)
        #expect(right.receive(1).map(\.bytes.count) == [3_000])
    }

    @Test(arguments: Way.two, [true, false])
    func `a full socket buffer holds trains back until there is room`(
        _ way: Way,
        segmentation: Bool
    ) throws {
        let pair = try NetworkPair()
        // The kernel makes the least buffer of this.
        let here = NetworkTests.address(1, port: 900)
        let left = try TestPort(way, in: pair.left, at: here, bufferBytes: 1) {
            $0.segmentation = segmentation
        }
        let bytes = [UInt8](repeating: 1, count: 10_000)
        // Nobody answers to this address: the kernel keeps what is sent, and counts it.
        let silent = NetworkTests.address(99, port: 900)
        for _ in 0..<3 {
            let queued = left.queue(bytes, segment: 1_000, to: silent)
            #expect(queued)
        }
        #expect(left.submit() && left.queuedTrains > 0 && left.statistics.retries > 0)
        let first = left.statistics
        #expect(first.sent > 0 && first.sent < 30 && first.dropped == 0)
        // Now somebody does, and the buffer empties.
        try pair.left.command("ip neigh replace 10.77.0.99 lladdr 02:00:00:00:00:63 dev wire")
        for _ in 0..<14 where left.queuedTrains > 0 { #expect(left.submit()) }
        #expect(left.freeTrains == 16 && left.statistics.sent == 30)
        // As long as it is full there is no end to it but the bound.
        let other = NetworkTests.address(98, port: 900)
        for _ in 0..<3 {
            let queued = left.queue(bytes, segment: 1_000, to: other)
            #expect(queued)
        }
        for _ in 0..<16 { #expect(left.submit()) }
        let last = left.statistics
        #expect(left.freeTrains == 16 && last.busy > 0 && last.sent + last.busy == 60)
        #expect(left.nextFailure() == SendFailure(address: other, reason: .busy))
    }
}
