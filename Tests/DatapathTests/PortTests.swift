import Bytes
import CAllocations
import Datapath
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct PortTests {
    @Test(arguments: Way.all)
    func `datagrams arrive as they were sent, with their sender`(
        _ way: Way
    ) throws {
        var seed = SeededGenerator("port")
        let left = try TestPort(way)
        let right = try TestPort(way)
        for _ in 0..<20 {
            let sent = (0..<16).map { _ in seed.bytes(Int.random(in: 1...1_900, using: &seed)) }
            for bytes in sent {
                let queued = left.queue(bytes, to: right.address)
                #expect(queued)
            }
            let none = left.port.takeTrain()
            #expect(none == nil)
            #expect(left.submit())
            #expect(left.freeTrains == 16 && left.queuedTrains == 0)
            let got = right.receive(sent.count)
            #expect(got.map(\.bytes) == sorted(sent))
            #expect(got.allSatisfy { $0.source == left.address && !$0.truncated })
        }
        let statistics = left.statistics
        #expect(statistics.queued == 320 && statistics.sent == 320 && statistics.dropped == 0)
        #expect(statistics.trains == 0)
        #expect(right.statistics.armed == 1)
    }

    @Test(arguments: Way.all, [true, false])
    func `a train arrives as its datagrams`(
        _ way: Way,
        coalescing: Bool
    ) throws {
        var seed = SeededGenerator("train")
        let left = try TestPort(way)
        let right = try TestPort(way) {
            $0.coalescing = coalescing
            $0.receiveBuffers = 128
        }
        for (segments, last) in [(44, 1_452), (44, 1_452), (2, 1), (44, 700), (1, 1_452)] {
            let bytes = seed.bytes((segments - 1) * 1_452 + last)
            left.send(bytes, segment: 1_452, to: right.address)
            let got = right.receive(segments)
            #expect(got.map(\.bytes) == pieces(bytes, 1_452))
        }
        #expect(left.statistics.trains == 4)
        #expect(left.statistics.sent == 135)
        let arrivals = right.statistics.arrivals
        #expect(coalescing ? arrivals == 5 : arrivals == 135)
    }

    @Test(arguments: Way.all)
    func `a datagram that is too long for the buffer is cut and says so`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way) {
            $0.coalescing = false
            $0.receiveBytes = 896
        }
        for (byte, size) in [(1, 1), (2, 896), (3, 897), (4, 5_000)] {
            left.send([UInt8](repeating: UInt8(byte), count: size), to: right.address)
        }
        let got = right.receive(4)
        #expect(got.map(\.truncated) == [false, false, true, true])
        #expect(got.map(\.bytes.count) == [1, 896, 896, 896])
        #expect(got.last?.bytes == [UInt8](repeating: 4, count: 896))
    }

    @Test(arguments: Way.two)
    func `an empty datagram arrives as one`(_ way: Way) throws {
        let right = try TestPort(way)
        let sender = try DatagramSocket(.loopback(port: 0), shared: false, bufferBytes: 0)
        let memory = Memory(1)
        let sent = withExtendedLifetime(memory) {
            sender.send(memory.region.slice(0, 0), to: right.address)
        }
        #expect(sent)
        let got = right.receive(1)
        #expect(got.map(\.bytes) == [[]] && got.map(\.source) == [sender.address])
    }

    @Test(arguments: Way.two)
    func `datagrams cross between IPv6 sockets`(_ way: Way) throws {
        var six = Bytes16()
        six[15] = 1
        let here = DatagramAddress(family: 6, address: six, port: 0)
        guard let left = try? TestPort(way, at: here) else { return }  // a machine without IPv6
        let right = try TestPort(way, at: here)
        left.send([1, 2, 3], segment: 2, to: right.address)
        let got = right.receive(2)
        #expect(got.map(\.bytes) == [[1, 2], [3]])
        #expect(got.first?.source == left.address)
    }

    @Test(arguments: Way.two)
    func `an IPv6 socket for all addresses speaks IPv4 too`(_ way: Way) throws {
        let any = DatagramAddress(family: 6, address: Bytes16(), port: 0)
        guard let right = try? TestPort(way, at: any) else { return }
        let left = try TestPort(way)
        left.send([5], to: .loopback(port: right.address.port))
        #expect(right.receive(1).first?.source == left.address)
        right.send([6, 7], segment: 1, to: left.address)
        #expect(left.receive(2).map(\.bytes) == [[6], [7]])
    }

    @Test(arguments: Way.all)
    func `a sleeping port is woken from another thread`(_ way: Way) throws {
        let test = try TestPort(way)
        let waker = test.port.waker
        for round in 1...3 {
            Thread.detachNewThread {
                usleep(10_000)
                waker.wake()
            }
            while test.statistics.wakes < round {
                #expect(test.wait(nanos: 20_000_000_000))
            }
            #expect(test.take() == 0)
        }
    }

    @Test(arguments: Way.all)
    func `fewer arrivals than have come can be taken`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way)
        for number in 0..<10 { left.send([UInt8(number)], to: right.address) }
        var got: [UInt8] = []
        while got.count < 10 {
            #expect(right.wait(nanos: 1_000_000_000))
            let count = right.take(max: 3)
            #expect(count > 0 && count <= 3)
            for index in 0..<count { got.append(right.port.arrival(index).bytes.byte(0)) }
            right.port.release()
        }
        #expect(got.sorted() == Array(0..<10))
    }

    @Test(arguments: Way.all)
    func `a paused port leaves datagrams to its successor`(_ way: Way) throws {
        let left = try TestPort(way)
        let right = try TestPort(way)
        for number in 0..<3 { left.send([UInt8(number)], to: right.address) }
        #expect(right.wait(nanos: 1_000_000_000))
        try right.port.pause()
        for number in 3..<6 { left.send([UInt8(number)], to: right.address) }
        let early = right.receiveAll().flatMap(\.bytes)
        #expect(!early.isEmpty && early.allSatisfy { $0 < 3 })
        // It still sends, and is woken.
        right.send([9], to: left.address)
        #expect(left.receive(1).map(\.bytes) == [[9]])
        right.port.waker.wake()
        #expect(right.wait(nanos: 20_000_000_000) && right.take() == 0)
        let next = try TestPort(way.backend, socket: right.port.socket.duplicate())
        let late = next.receive(6 - early.count).flatMap(\.bytes)
        #expect((early + late).sorted() == Array(0..<6))
        try next.port.pause()
        left.send([6], to: right.address)
        right.port.resume()
        #expect(right.receive(1).flatMap(\.bytes) == [6])
        #expect(right.statistics.receiveErrors == 0)
    }

    @Test func `what a ring uses is told in one line`() throws {
        let ring = try TestPort(.uring) { $0.lengths = [1_452] }
        let text = ring.features.description
        #expect(text.hasPrefix("io_uring: ") && text.hasSuffix("coalescing, length filter"))
        #expect(ring.features.fallback.isEmpty)
        let calls = try TestPort(.syscalls) {
            $0.segmentation = false
            $0.coalescing = false
        }
        #expect(calls.features.description == "system calls: no segmentation, no coalescing")
        // The switch holds.
        calls.segmentation = true
        #expect(!calls.segmentation)
        let old = try TestPort(Way.all[2])
        #expect(!old.features.defersWork && !old.features.hasSingleIssuer)
    }

    @Test(arguments: Way.two)
    func `sending and receiving allocates nothing`(_ way: Way) throws {
        guard allocations_counted() == 1 else { return }
        let left = try TestPort(way)
        let right = try TestPort(way)
        // The first round may set up what stays.
        for round in 0..<3 {
            let before = allocations_of_thread()
            guard let train = left.port.takeTrain() else { fatalError("no train") }
            left.port.train(train).fill(UInt8(round))
            let to = right.address
            let queued = left.port.send(train: train, byteCount: 3_000, segmentBytes: 1_000, to: to)
            let submitted = left.port.submit()
            var bytes = 0
            for _ in 0..<100 where bytes < 3_000 {
                _ = right.port.wait(want: 1, batchNanos: 0, timeoutNanos: 1_000_000_000)
                for index in 0..<right.port.take() {
                    bytes += right.port.arrival(index).bytes.byteCount
                }
                right.port.release()
            }
            let after = allocations_of_thread()
            #expect(queued && submitted && bytes == 3_000)
            #expect(round == 0 || before == after)
        }
    }
}
