import Bytes
import Datapath
import TestSupport
import Testing

/// What becomes of sends that the kernel refuses; the simulated network refuses on demand.
@Suite struct SendFailureTests {
    private let network: SimulatedNetwork
    private let left: TestPort
    private let right: TestPort
    private let bytes = (0..<50).map { UInt8($0) }

    init() throws {
        func address(_ host: UInt8) -> DatagramAddress {
            var address = Bytes16()
            address[0] = 10
            address[3] = host
            return DatagramAddress(family: 4, address: address, port: 9_000)
        }
        network = try SimulatedNetwork(seed: 1)
        left = try TestPort(.simulated(network), at: address(1))
        right = try TestPort(.simulated(network), at: address(2))
    }

    /// Queued datagrams are sent, dropped or still queued.
    private func expectBalance(queued: UInt64) {
        let statistics = left.statistics
        #expect(statistics.queued == statistics.sent + statistics.dropped + queued)
    }

    @Test(arguments: [SimulatedNetwork.Fault.device, .invalid])
    func `a refused train goes as datagrams, and trains stay off`(
        _ fault: SimulatedNetwork.Fault
    ) throws {
        network.fail(fault, at: left.address, sends: .max >> 32, trainsOnly: true)
        let first = left.queue(bytes, segment: 10, to: right.address)
        let second = left.queue(bytes, segment: 25, to: right.address)
        #expect(first && second && left.submit())
        #expect(left.freeTrains == 16)
        let sizes = right.batch().map(\.bytes.count)
        #expect(sizes == [10, 10, 10, 10, 10, 25, 25])
        #expect(!left.segmentation)
        left.send(bytes, segment: 10, to: right.address)
        #expect(right.batch().count == 5)
        let statistics = left.statistics
        #expect(statistics.segmentationOff == 1 && statistics.trains == 0)
        #expect(statistics.sent == 12 && statistics.dropped == 0)
        expectBalance(queued: 0)
        // The operator, or a test of the path, may turn it on again.
        network.fail(fault, at: left.address, sends: 0)
        left.segmentation = true
        left.send(bytes, segment: 10, to: right.address)
        #expect(left.statistics.trains == 1 && right.batch().count == 5)
    }

    @Test func `an address that takes nothing does not turn trains off`() throws {
        network.fail(.invalid, at: left.address, sends: 6)
        left.send(bytes, segment: 10, to: right.address)
        #expect(left.segmentation)
        #expect(left.statistics.failed == 5 && left.freeTrains == 16)
        #expect(left.nextFailure() == SendFailure(address: right.address, reason: .failed))
        #expect(left.nextFailure() == nil)
        expectBalance(queued: 0)
    }

    @Test func `a full buffer holds trains back, in order`() throws {
        network.fail(.full, at: left.address, sends: 1)
        let first = left.queue([1, 1, 1], segment: 1, to: right.address)
        let second = left.queue([2], to: right.address)
        #expect(first && second && left.submit())
        #expect(left.queuedTrains == 2 && left.freeTrains == 14)
        expectBalance(queued: 4)
        // It does not sleep long while something is to be sent.
        let nanos = network.nanos
        #expect(left.wait(nanos: 1_000_000_000) && network.nanos - nanos == 200_000)
        #expect(left.submit() && left.queuedTrains == 0 && left.freeTrains == 16)
        #expect(right.batch().map(\.bytes) == [[1], [1], [1], [2]])
        expectBalance(queued: 0)
    }

    @Test func `a buffer that stays full costs the train after sixteen submits`() throws {
        network.fail(.full, at: left.address, sends: 1_000)
        let queued = left.queue(bytes, segment: 10, to: right.address)
        #expect(queued)
        for round in 1...16 {
            #expect(left.queuedTrains == 1)
            expectBalance(queued: 5)
            #expect(left.submit())
            #expect(left.statistics.retries == UInt64(min(round, 15)))
        }
        #expect(left.queuedTrains == 0 && left.freeTrains == 16)
        #expect(left.statistics.busy == 5)
        #expect(left.nextFailure() == SendFailure(address: right.address, reason: .busy))
        expectBalance(queued: 0)
    }

    @Test func `the rest of a train that went half is sent later`() throws {
        left.segmentation = false
        network.fail(.full, at: left.address, sends: 1)
        left.send(bytes, segment: 10, to: right.address)
        #expect(left.queuedTrains == 1 && right.batch().isEmpty)
        network.fail(.refused, at: left.address, sends: 2)
        #expect(left.submit() && left.queuedTrains == 1)
        #expect(right.batch().map { $0.bytes[0] } == [20, 30, 40])
        expectBalance(queued: 2)
        #expect(left.submit() && left.queuedTrains == 0)
        #expect(right.batch().map { $0.bytes[0] } == [0, 10])
        expectBalance(queued: 0)
    }

    @Test(arguments: [SimulatedNetwork.Fault.forbidden, .tooLong])
    func `what is refused for good is dropped, counted and told`(
        _ fault: SimulatedNetwork.Fault
    ) throws {
        network.fail(fault, at: left.address, sends: 1)
        let first = left.queue(bytes, segment: 10, to: right.address)
        let second = left.queue([2], to: right.address)
        #expect(first && second && left.submit())
        #expect(right.batch().map(\.bytes) == [[2]])
        let statistics = left.statistics
        #expect((fault == .tooLong ? statistics.tooLong : statistics.failed) == 5)
        #expect(left.nextFailure()?.reason == (fault == .tooLong ? .tooLong : .failed))
        #expect(left.segmentation && left.freeTrains == 16)
        expectBalance(queued: 0)
    }

    @Test func `datagrams too long for a path fail one and all`() throws {
        network.wire.longestBytes = 20
        left.send(bytes, segment: 25, to: right.address)
        left.send(bytes, segment: 20, to: right.address)
        #expect(right.batch().map(\.bytes.count) == [20, 20, 10])
        #expect(left.statistics.tooLong == 2 && left.segmentation)
    }

    @Test func `failures are kept in order, the last sixteen`() throws {
        for round in 0..<20 {
            network.fail(round < 10 ? .forbidden : .tooLong, at: left.address, sends: 1)
            let port = UInt16(100 + round)
            left.send([1], to: .loopback(port: port))
        }
        var ports: [UInt16] = []
        while let failure = left.nextFailure() { ports.append(failure.address.port) }
        #expect(ports == (104..<120).map { UInt16($0) })
    }

    @Test func `what cannot be sent is refused at once`() throws {
        guard let train = left.port.takeTrain() else { return }
        func send(_ byteCount: Int, _ segmentBytes: Int, _ to: DatagramAddress) -> Bool {
            left.port.send(train: train, byteCount: byteCount, segmentBytes: segmentBytes, to: to)
        }
        let six = DatagramAddress(family: 6, address: Bytes16(), port: 9)
        let refused = [
            send(0, 1, right.address), send(1, 0, right.address), send(65, 1, right.address),
            send(65_001, 1_452, right.address), send(1, 1, .loopback(port: 0)), send(1, 1, six),
        ]
        #expect(refused == [Bool](repeating: false, count: 6))
        let sent = send(64, 1, right.address)
        let twice = send(64, 1, right.address)
        #expect(sent && !twice)
        // A queued train cannot be given back.
        left.port.giveTrain(train)
        #expect(left.freeTrains == 15)
        #expect(left.submit() && left.freeTrains == 16)
        left.port.giveTrain(train)
        #expect(left.freeTrains == 16)
    }
}
