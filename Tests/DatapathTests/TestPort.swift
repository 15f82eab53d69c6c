import Bytes
import Datapath
import Testing

/// A port on a socket, driven by the thread that made it.
final class TestPort {
    let port: Port
    let address: DatagramAddress
    private let pages: MappedPages

    init(
        _ backend: PortConfig.Backend,
        at: DatagramAddress = .loopback(port: 0),
        bufferBytes: Int = 1 << 20,
        configure: (inout PortConfig) -> Void = { _ in }
    ) throws {
        var config = PortConfig()
        config.backend = backend
        config.receiveBuffers = 64
        config.trains = 16
        configure(&config)
        pages = try MappedPages(Port.byteCount(for: config))
        let socket =
            if case .simulated = backend {
                DatagramSocket(simulated: at)
            } else {
                try DatagramSocket(at, shared: true, bufferBytes: bufferBytes)
            }
        address = socket.address
        port = try Port(config, socket: socket, memory: pages.region)
        try port.start()
    }

    // `#expect` cannot look into what is not copyable.
    var statistics: PortStatistics { port.statistics }
    var features: PortFeatures { port.features }
    var freeTrains: Int { port.freeTrains }
    var queuedTrains: Int { port.queuedTrains }
    var segmentation: Bool {
        get { port.segmentation }
        set { port.segmentation = newValue }
    }
    func nextFailure() -> SendFailure? { port.nextFailure() }
    func take() -> Int { port.take() }
    func wait(nanos: UInt64) -> Bool {
        port.wait(want: 1, batchNanos: 0, timeoutNanos: nanos)
    }
    func submit() -> Bool { port.submit() }

    /// Queues datagrams of one size, the last one may be shorter.
    func queue(_ bytes: [UInt8], segment: Int? = nil, to: DatagramAddress) -> Bool {
        guard let train = port.takeTrain() else { return false }
        port.train(train).store(bytes: bytes, 0)
        let queued = port.send(
            train: train,
            byteCount: bytes.count,
            segmentBytes: segment ?? bytes.count,
            to: to
        )
        if !queued { port.giveTrain(train) }
        return queued
    }

    /// Sends datagrams of one size, and waits for nothing.
    func send(_ bytes: [UInt8], segment: Int? = nil, to: DatagramAddress) {
        let queued = queue(bytes, segment: segment, to: to)
        let submitted = port.submit()
        #expect(queued && submitted)
    }

    /// What came, as datagrams.
    struct Received: Equatable {
        var bytes: [UInt8]
        var source: DatagramAddress
        var truncated = false
    }

    /// Takes and releases one batch, after a wait of at most `millis`.
    func batch(millis: UInt64 = 0) -> [Received] {
        let ok = port.wait(want: 1, batchNanos: 0, timeoutNanos: millis * 1_000_000)
        #expect(ok)
        var all: [Received] = []
        for index in 0..<port.take() {
            let arrival = port.arrival(index)
            for number in 0..<arrival.count {
                all.append(
                    Received(
                        bytes: arrival.datagram(number).array,
                        source: arrival.source,
                        truncated: arrival.truncated
                    )
                )
            }
        }
        port.release()
        return all
    }

    /// Takes datagrams until there are `count`; less only after ten seconds without any.
    func receive(_ count: Int) -> [Received] {
        var all: [Received] = []
        while all.count < count {
            let more = batch(millis: 10_000)
            let statistics = port.statistics
            if more.isEmpty, statistics.wakes == 0, statistics.interrupted == 0 { break }
            all += more
        }
        return all
    }
}
