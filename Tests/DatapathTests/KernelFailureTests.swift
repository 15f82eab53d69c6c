import Bytes
import Datapath
import Foundation
import TestSupport
import Testing

/// What may go wrong between a port and the kernel, on loopback.
@Suite(.serialized) struct KernelFailureTests {
    @Test(arguments: Way.all)
    func `without a free buffer datagrams wait in the socket`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way) {
            $0.receiveBuffers = 8
            $0.coalescing = false
        }
        for number in 0..<11 { left.send([UInt8(number)], to: right.address) }
        guard way.isRing else {
            #expect(right.receive(11).map(\.bytes) == (0..<11).map { [UInt8($0)] })
            return
        }
        #expect(eventually { right.wait(nanos: 0) && right.statistics.dry == 1 })
        let enters = right.statistics.enters
        #expect(right.take() == 8)
        var got = (0..<8).map { [right.port.arrival($0).bytes.byte(0)] }
        // Nothing more is taken, and no wait spins.
        for _ in 0..<3 { #expect(right.wait(nanos: 1_000_000) && right.take() == 0) }
        #expect(right.statistics.enters - enters < 12)
        #expect(right.statistics.dry == 1 && right.statistics.armed == 1)
        right.port.release()
        got += right.receive(3).map(\.bytes)
        #expect(sorted(got) == (0..<11).map { [UInt8($0)] })
        #expect(right.statistics.dry == 1 && right.statistics.armed == 2)
    }

    @Test(arguments: Way.all.filter { $0.isRing && $0.peeled < 3 })
    func `a completion queue that overflows loses nothing`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way) {
            $0.receiveBuffers = 256
            $0.coalescing = false
            $0.completions = 16
        }
        for _ in 0..<100 where right.statistics.overflows == 0 {
            for number in 0..<200 { left.send([UInt8(number)], to: right.address) }
            let got = right.receive(200)
            #expect(got.map(\.bytes) == (0..<200).map { [UInt8($0)] })
        }
        #expect(right.statistics.overflows > 0)
        // Sends that fail need completions, too, and are all counted.
        let broadcast = KernelFailureTests.broadcast
        for _ in 0..<4 {
            for number in 0..<16 {
                let bytes = [UInt8](repeating: UInt8(number), count: 40)
                let queued = right.queue(bytes, segment: 1, to: broadcast)
                #expect(queued)
            }
            right.segmentation = false
            #expect(right.submit() && right.freeTrains == 16)
        }
        #expect(right.statistics.failed == 4 * 16 * 40)
    }

    /// Sending there is forbidden (EACCES) without asking for it.
    private static let broadcast: DatagramAddress = {
        var address = Bytes16()
        for index in 0..<4 { address[index] = 255 }
        return DatagramAddress(family: 4, address: address, port: 9)
    }()

    @Test(arguments: Way.all)
    func `signals interrupt, and nothing is lost`(_ way: Way) throws {
        try Sandbox.interrupted(everyMicros: 500) {
            let left = try TestPort(way)
            let right = try TestPort(way)
            var interrupted: UInt64 = 0
            for round in 0..<2_000 where round < 200 || interrupted == 0 {
                left.send([1, UInt8(1 + round % 255)], segment: 1, to: right.address)
                #expect(right.receive(2).map(\.bytes) == [[1], [UInt8(1 + round % 255)]])
                // Nothing comes: a signal ends the wait.
                #expect(right.wait(nanos: 2_000_000))
                interrupted = left.statistics.interrupted + right.statistics.interrupted
            }
            #expect(interrupted > 0)
            #expect(left.statistics.dropped == 0 && right.statistics.receiveErrors == 0)
        }
    }

    @Test(arguments: Way.all)
    func `without traffic a wait ends in time, with one or two calls`(_ way: Way) throws {
        let test = try TestPort(way)
        let enters = test.statistics.enters
        for _ in 0..<5 { #expect(test.wait(nanos: 1_000_000) && test.take() == 0) }
        #expect(test.waitForBatch(32, batchNanos: 50_000, nanos: 1_000_000))
        #expect(test.take() == 0)
        #expect(test.statistics.enters - enters <= 12)
        #expect(test.statistics.armed == 1)
    }

    @Test(arguments: Way.all)
    func `sends that fail are counted and stop nothing`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way)
        let queued = [
            left.queue([1], to: right.address), left.queue([2], to: right.address),
            left.queue([3], to: KernelFailureTests.broadcast),
            left.queue([4, 4], segment: 1, to: KernelFailureTests.broadcast),
            left.queue([5], to: right.address),
        ]
        #expect(queued == [true, true, true, true, true])
        #expect(left.submit() && left.freeTrains == 16)
        #expect(right.receive(3).map(\.bytes) == [[1], [2], [5]])
        #expect(left.statistics.failed == 3 && left.statistics.sent == 3)
        let failure = SendFailure(address: KernelFailureTests.broadcast, reason: .failed)
        #expect(left.nextFailure() == failure && left.nextFailure() == nil)
        #expect(left.segmentation)
    }

    @Test(arguments: Way.all)
    func `a peer that is gone ends nothing`(_ way: Way) throws {
        let left = try TestPort(way)
        let gone = try TestPort(way).address
        for _ in 0..<3 { left.send([1], to: gone) }
        _ = left.batch(millis: 1)
        #expect(left.statistics.sent == 3 && left.statistics.dropped == 0)
        #expect(left.statistics.armed == 1)
    }

    @Test(arguments: Way.all)
    func `a refusal is soft, and ends the receive once`(_ way: Way) throws {
        let gone = try TestPort(way).address
        let socket = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 1 << 20)
        // Only a connected socket is told that a host refused a datagram.
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = gone.port.bigEndian
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(connected == 0)
        let left = try TestPort(way.backend, socket: socket) { $0.peeled = way.peeled }
        left.send([1], to: gone)
        #expect(eventually { left.batch().isEmpty && left.statistics.receiveRefused > 0 })
        _ = left.batch()
        let first = left.statistics
        #expect(first.receiveRefused == 1 && first.receiveErrors == 0)
        #expect(first.armed == (way.isRing ? 2 : 1))
        // The refusal of one send is told to the next, which goes out after all.
        left.send([2], to: gone)
        left.send([3], to: gone)
        while left.queuedTrains > 0 { #expect(left.submit()) }
        #expect(left.statistics.dropped == left.statistics.refused)
        let right = try TestPort(way, at: gone)
        _ = left.receiveAll()
        right.send([4], to: left.address)
        #expect(left.receive(1).map(\.bytes) == [[4]])
    }

    @Test(arguments: Way.two)
    func `only listed lengths come in`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way) {
            $0.lengths = [100, 200]
            $0.coalescing = false
        }
        func sendAll() {
            for size in [99, 100, 101, 1, 200, 201, 300, 1_000] {
                left.send([UInt8](repeating: 1, count: size), to: right.address)
            }
            left.send([UInt8](repeating: 1, count: 250), segment: 100, to: right.address)
        }
        sendAll()
        #expect(right.receive(4).map(\.bytes.count) == [100, 100, 100, 200])
        #expect(eventually { right.drops == 7 } && right.receiveAll().isEmpty)
        try right.port.setLengths([300])
        sendAll()
        #expect(right.receive(1).map(\.bytes.count) == [300])
        #expect(eventually { right.drops == 17 } && right.receiveAll().isEmpty)
        #expect(right.features.filtersLengths)
        try right.port.setLengths([])
        sendAll()
        #expect(right.receive(11).count == 11)
        #expect(!right.features.filtersLengths)
    }

    @Test(arguments: Way.two)
    func `a train passes the filter in one piece`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way) { $0.lengths = [100, 200] }
        for size in [99, 100, 1] {
            left.send([UInt8](repeating: 1, count: size), to: right.address)
        }
        left.send([UInt8](repeating: 2, count: 4_400), segment: 100, to: right.address)
        let got = right.receive(45)
        #expect(got.map(\.bytes.count) == [Int](repeating: 100, count: 45))
        #expect(right.statistics.arrivals == 2)
    }

    @Test(arguments: Way.two)
    func `what nobody takes in time is dropped and counted`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way, bufferBytes: 65_536) { $0.receiveBuffers = 8 }
        let bytes = [UInt8](repeating: 1, count: 1_800)
        for _ in 0..<1_000 { left.send(bytes, to: right.address) }
        var taken = 0
        let isAll = eventually {
            taken += right.receiveAll().count
            return taken + Int(right.drops) == 1_000
        }
        #expect(isAll && right.drops > 0)
    }

    @Test(arguments: [EPERM, ENOSYS])
    func `without io_uring system calls do`(_ number: Int32) throws {
        try Sandbox.withoutRing(number) {
            let error = number == EPERM ? DatapathError.ringForbidden : .ringUnsupported
            #expect(throws: error) { try TestPort(.uring) }
            let left = try TestPort(.automatic)
            let right = try TestPort(.automatic)
            #expect(left.features.backend == .syscalls)
            #expect(left.features.description.contains(number == EPERM ? "EPERM" : "ENOSYS"))
            left.send([1, 2, 3], segment: 1, to: right.address)
            #expect(right.receive(3).map(\.bytes) == [[1], [2], [3]])
        }
    }

    @Test(arguments: Way.all)
    func `no rights are needed`(_ way: Way) throws {
        try Sandbox.withoutRights(lockedKibibytes: 8_192) {
            let left = try TestPort(way)
            let right = try TestPort(way) { $0.lengths = [2] }
            left.send([1, 2, 3, 4], segment: 2, to: right.address)
            #expect(right.receive(2).map(\.bytes) == [[1, 2], [3, 4]])
        }
    }

    @Test func `no memory to lock is needed`() throws {
        try Sandbox.withoutRights(lockedKibibytes: 0) {
            let left = try TestPort(.automatic)
            let right = try TestPort(.automatic)
            left.send([1, 2, 3, 4], segment: 2, to: right.address)
            #expect(right.receive(2).map(\.bytes) == [[1, 2], [3, 4]])
            // Since Linux 6.14 rings count as locked memory.
            let features = left.features
            #expect((features.backend == .uring) == features.fallback.isEmpty)
        }
    }
}
