import Bytes
import Datapath
import Foundation
import TestSupport
import Testing

/// A ring on a loopback socket, with its slots, driven by the test's thread.
final class TestRing {
    let ring: Ring
    let socket: DatagramSocket
    var pool: SlotPool
    let slab: Slab
    private let pages: MappedPages
    private let poolMemory: Memory
    let address: DatagramAddress

    init(
        slots: Int = 256,
        buffers: Int = 64,
        stride: Int = 2_048,
        at: DatagramAddress = .loopback(port: 0)
    ) throws {
        pages = try MappedPages(slots * stride)
        poolMemory = Memory(SlotPool.byteCount(slots: slots))
        slab = Slab(region: pages.region, stride: stride, offset: Ring.headBytes)
        pool = SlotPool(poolMemory.region, count: slots)
        socket = try DatagramSocket(at, shared: true, bufferBytes: 1 << 20)
        ring = try Ring(slab: slab, buffers: buffers, sends: 64)
        try ring.start(socket)
        address = socket.address
        ring.refill(from: &pool, keeping: 0)
        poll()
    }

    /// Arms the receive, and sends what is queued.
    func poll() {
        let ok = ring.wait(want: 1, batchNanos: 0, timeoutNanos: 0)
        #expect(ok)
    }

    /// Takes datagrams until none has come for 50 ms, and gives their slots back.
    func receive(refill: Bool = true) -> [(datagram: Datagram, bytes: [UInt8])] {
        var all: [(datagram: Datagram, bytes: [UInt8])] = []
        var quiet = 0
        while quiet < 5 {
            if refill { ring.refill(from: &pool, keeping: 0) }
            let ok = ring.wait(want: 1, batchNanos: 0, timeoutNanos: 10_000_000)
            #expect(ok)
            let count = ring.take(max: 64)
            quiet = count == 0 ? quiet + 1 : 0
            for index in 0..<count {
                let datagram = ring.datagram(index)
                let kept = min(Int(datagram.byteCount), slab.stride - slab.offset)
                all.append((datagram, slab.packet(datagram.slot, kept).array))
                pool.give(datagram.slot, from: .kernel)
            }
        }
        return all
    }

    func send(_ bytes: [UInt8], to: DatagramAddress) {
        guard let slot = pool.take(.worker) else { fatalError("no slot") }
        slab.packet(slot, bytes.count).store(bytes: bytes, 0)
        let queued = ring.send(slot, offset: slab.offset, byteCount: bytes.count, to: to)
        #expect(queued)
        let ok = ring.submit()
        #expect(ok)
        pool.give(slot, from: .worker)
    }
}

@Suite(.serialized) struct RingTests {
    @Test func `datagrams arrive as they were sent, with their sender`() throws {
        var seed = SeededGenerator("ring")
        let left = try TestRing()
        let right = try TestRing()
        let sent = (0..<300).map { _ in seed.bytes(Int.random(in: 1...1_900, using: &seed)) }
        var got: [[UInt8]] = []
        for piece in stride(from: 0, to: sent.count, by: 50) {
            for bytes in sent[piece..<piece + 50] { left.send(bytes, to: right.address) }
            let received = right.receive()
            #expect(received.allSatisfy { $0.datagram.source == left.address })
            #expect(received.allSatisfy { Int($0.datagram.byteCount) == $0.bytes.count })
            #expect(received.allSatisfy { !$0.datagram.truncated })
            got += received.map(\.bytes)
        }
        #expect(got == sent)
        let free = right.pool.count(of: .free)
        #expect(free + right.pool.count(of: .kernel) == 256)
        #expect(left.ring.statistics.sendErrors == 0)
    }

    @Test func `a long datagram is cut and says so, an empty one arrives`() throws {
        let left = try TestRing(stride: 8_192)
        let right = try TestRing(stride: 1_024)
        left.send([UInt8](repeating: 7, count: 5_000), to: right.address)
        left.send([], to: right.address)
        left.send([UInt8](repeating: 8, count: 1_024 - 128), to: right.address)
        let got = right.receive()
        #expect(got.map(\.datagram.byteCount) == [5_000, 0, 896])
        #expect(got.map(\.datagram.truncated) == [true, false, false])
        #expect(got.first?.bytes == [UInt8](repeating: 7, count: 896))
    }

    @Test func `an empty buffer ring ends the receive once and loses nothing`() throws {
        let left = try TestRing()
        let right = try TestRing(slots: 8, buffers: 8)
        for number in 0..<11 { left.send([UInt8(number)], to: right.address) }
        let enters = right.ring.statistics.enters
        let first = right.receive(refill: false)
        #expect(first.map(\.bytes) == (0..<8).map { [UInt8($0)] })
        #expect(right.ring.statistics.dry == 1)
        let rest = right.receive()
        #expect(rest.map(\.bytes) == (8..<11).map { [UInt8($0)] })
        // No busy loop: each wait of the test is one or two calls.
        #expect(right.ring.statistics.enters - enters < 40)
        #expect(right.ring.statistics.dry == 1)
    }

    @Test func `what the kernel drops before anybody sees it is counted`() throws {
        let left = try TestRing()
        let right = try TestRing(slots: 8, buffers: 8)
        let bytes = [UInt8](repeating: 1, count: 1_800)
        for _ in 0..<2_000 { left.send(bytes, to: right.address) }
        let drops = right.socket.drops
        #expect(drops > 0)
        let count = right.receive().count
        #expect(count + Int(drops) == 2_000)
    }

    @Test func `a send that fails is counted and stops nothing`() throws {
        let left = try TestRing(stride: 66_048)
        let right = try TestRing()
        left.send([1], to: right.address)
        // Longer than any datagram.
        left.send([UInt8](repeating: 0, count: 65_600), to: right.address)
        left.send([2], to: right.address)
        // Nobody there.
        let gone = try TestRing().address
        left.send([3], to: gone)
        left.send([4], to: right.address)
        #expect(right.receive().map(\.bytes) == [[1], [2], [4]])
        _ = left.receive()
        #expect(left.ring.statistics.sendErrors == 1)
    }

    @Test func `an address of another family is refused`() throws {
        let left = try TestRing()
        var six = Bytes16()
        six[15] = 1
        let other = DatagramAddress(family: 6, address: six, port: 9)
        guard let slot = left.pool.take(.worker) else { return }
        let queued = left.ring.send(slot, offset: 128, byteCount: 1, to: other)
        #expect(!queued)
    }

    @Test func `datagrams cross between IPv6 sockets`() throws {
        var six = Bytes16()
        six[15] = 1
        let here = DatagramAddress(family: 6, address: six, port: 0)
        guard let left = try? TestRing(at: here) else { return }  // a machine without IPv6
        let right = try TestRing(at: here)
        left.send([1, 2, 3], to: right.address)
        let got = right.receive()
        #expect(got.map(\.bytes) == [[1, 2, 3]])
        #expect(got.first?.datagram.source == left.address)
    }

    @Test func `an IPv6 socket for all addresses speaks IPv4 too`() throws {
        let any = DatagramAddress(family: 6, address: Bytes16(), port: 0)
        guard let right = try? TestRing(at: any) else { return }
        let left = try TestRing()
        left.send([5], to: .loopback(port: right.address.port))
        let got = right.receive()
        #expect(got.first?.datagram.source == left.address)
        right.send([6], to: left.address)
        #expect(left.receive().map(\.bytes) == [[6]])
    }

    @Test func `a sleeping ring is woken from another thread`() throws {
        let test = try TestRing()
        let waker = test.ring.waker
        for round in 1...3 {
            Thread.detachNewThread {
                usleep(20_000)
                waker.wake()
            }
            let ok = test.ring.wait(want: 1, batchNanos: 0, timeoutNanos: 20_000_000_000)
            let count = test.ring.take(max: 64)
            #expect(ok && count == 0)
            #expect(test.ring.statistics.wakes == UInt64(round))
        }
    }

    @Test func `a port that another socket shares is in use all the same`() throws {
        let first = try DatagramSocket(.loopback(port: 0), shared: true, bufferBytes: 0)
        let address = first.address
        let second = try DatagramSocket(address, shared: true, bufferBytes: 0)
        #expect(throws: DatapathError.portInUse(address.port)) {
            try DatagramSocket.probe(address, patienceNanos: 20_000_000)
        }
        #expect(throws: DatapathError.portInUse(address.port)) {
            _ = try DatagramSocket(address, shared: false, bufferBytes: 0)
        }
        #expect(second.address == address)
    }

    @Test func `a port is free as soon as its ring is gone`() throws {
        let address = try TestRing().address
        try DatagramSocket.probe(address)
    }

    @Test func `an address of another machine is refused`() throws {
        var address = Bytes16()
        for (index, byte) in [192, 0, 2, 1].enumerated() { address[index] = UInt8(byte) }
        #expect(throws: DatapathError.noSuchAddress) {
            _ = try DatagramSocket(
                DatagramAddress(family: 4, address: address, port: 9_999),
                shared: false,
                bufferBytes: 0
            )
        }
    }
}
