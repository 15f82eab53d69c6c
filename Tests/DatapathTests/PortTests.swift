import Bytes
import Datapath
import Foundation
import TestSupport
import Testing

/// The two ways to the kernel.
let kernels: [PortConfig.Backend] = [.uring, .syscalls]

@Suite(.serialized) struct PortTests {
    @Test(arguments: kernels)
    func `datagrams arrive as they were sent, with their sender`(
        _ backend: PortConfig.Backend
    ) throws {
        var seed = SeededGenerator("port")
        let left = try TestPort(backend)
        let right = try TestPort(backend)
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
            #expect(got.map(\.bytes) == sent)
            #expect(got.allSatisfy { $0.source == left.address && !$0.truncated })
        }
        let statistics = left.statistics
        #expect(statistics.queued == 320 && statistics.sent == 320 && statistics.dropped == 0)
        #expect(statistics.trains == 0)
        #expect(right.statistics.armed == 1)
    }

    @Test(arguments: kernels, [true, false])
    func `a train arrives as its datagrams`(
        _ backend: PortConfig.Backend,
        coalescing: Bool
    ) throws {
        var seed = SeededGenerator("train")
        let left = try TestPort(backend)
        let right = try TestPort(backend) {
            $0.coalescing = coalescing
            $0.receiveBuffers = 128
        }
        for (segments, last) in [(44, 1_452), (44, 1_452), (2, 1), (44, 700), (1, 1_452)] {
            let bytes = seed.bytes((segments - 1) * 1_452 + last)
            left.send(bytes, segment: 1_452, to: right.address)
            let got = right.receive(segments)
            let sent = stride(from: 0, to: bytes.count, by: 1_452).map {
                Array(bytes[$0..<min($0 + 1_452, bytes.count)])
            }
            #expect(got.map(\.bytes) == sent)
        }
        #expect(left.statistics.trains == 4)
        #expect(left.statistics.sent == 135)
        let arrivals = right.statistics.arrivals
        #expect(coalescing ? arrivals == 5 : arrivals == 135)
    }
}
