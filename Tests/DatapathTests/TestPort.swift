import Bytes
import Datapath
import Glibc
import TestSupport
import Testing

/// A way to the kernel that tests run over.
struct Way: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var backend: PortConfig.Backend
    var peeled = 0
    var isRing: Bool { if case .uring = backend { true } else { false } }

    /// The ring with all this kernel has, as older kernels have it, and system calls.
    static let all = [
        Way(testDescription: "ring", backend: .uring),
        Way(testDescription: "ring without deferred work", backend: .uring, peeled: 1),
        Way(testDescription: "ring of any thread", backend: .uring, peeled: 2),
        Way(testDescription: "ring of the kernel's size", backend: .uring, peeled: 3),
        Way(testDescription: "system calls", backend: .syscalls),
    ]
    /// The two backends, for what does not depend on the ring's set-up.
    static let two = [all[0], all[4]]
}

/// A port on a socket, driven by the thread that made it.
final class TestPort {
    let port: Port
    let address: DatagramAddress
    private let pages: MappedPages

    convenience init(
        _ backend: PortConfig.Backend,
        at: DatagramAddress = .loopback(port: 0),
        bufferBytes: Int = 1 << 20,
        configure: (inout PortConfig) -> Void = { _ in }
    ) throws {
        let socket =
            if case .simulated = backend {
                DatagramSocket(simulated: at)
            } else {
                try DatagramSocket(at, shared: true, bufferBytes: bufferBytes)
            }
        try self.init(backend, socket: socket, configure: configure)
    }

    init(
        _ backend: PortConfig.Backend,
        socket: consuming DatagramSocket,
        configure: (inout PortConfig) -> Void = { _ in }
    ) throws {
        var config = PortConfig()
        config.backend = backend
        config.receiveBuffers = 64
        config.trains = 16
        configure(&config)
        pages = try MappedPages(Port.byteCount(for: config))
        address = socket.address
        port = try Port(config, socket: socket, memory: pages.region)
        try port.start()
    }

    // `#expect` cannot look into what is not copyable.
    var statistics: PortStatistics { port.statistics }
    var features: PortFeatures { port.features }
    var drops: UInt64 { port.socket.drops }
    var freeTrains: Int { port.freeTrains }
    var queuedTrains: Int { port.queuedTrains }
    var segmentation: Bool {
        get { port.segmentation }
        set { port.segmentation = newValue }
    }
    func nextFailure() -> SendFailure? { port.nextFailure() }
    func take(max: Int = 64) -> Int { port.take(max: max) }
    func wait(nanos: UInt64) -> Bool {
        port.wait(want: 1, batchNanos: 0, timeoutNanos: nanos)
    }
    func waitForBatch(_ want: Int, batchNanos: UInt64, nanos: UInt64) -> Bool {
        port.wait(want: want, batchNanos: batchNanos, timeoutNanos: nanos)
    }
    func submit() -> Bool { port.submit() }

    /// A port on a loopback socket.
    convenience init(
        _ way: Way,
        at: DatagramAddress = .loopback(port: 0),
        bufferBytes: Int = 1 << 20,
        configure: (inout PortConfig) -> Void = { _ in }
    ) throws {
        try self.init(way.backend, at: at, bufferBytes: bufferBytes) {
            $0.peeled = way.peeled
            configure(&$0)
        }
    }

    /// A port on a socket of another network, driven from here.
    convenience init(
        _ way: Way,
        in network: Network,
        at: DatagramAddress,
        bufferBytes: Int = 1 << 20,
        configure: (inout PortConfig) -> Void = { _ in }
    ) throws {
        let descriptor = try network.run {
            let socket = try DatagramSocket(at, shared: true, bufferBytes: bufferBytes)
            return withExtendedLifetime(socket) { dup(socket.descriptor) }
        }
        try self.init(way.backend, socket: DatagramSocket(adopting: descriptor)) {
            $0.peeled = way.peeled
            configure(&$0)
        }
    }

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
        // A port that fails would fail for ever.
        guard port.wait(want: 1, batchNanos: 0, timeoutNanos: millis * 1_000_000) else {
            fatalError("the port is of no use any more")
        }
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

    /// Takes datagrams until there are `count`; fewer only after ten seconds without any. Sorted:
    /// on a busy machine the loopback device, too, is late and out of order.
    func receive(_ count: Int) -> [Received] {
        var all: [Received] = []
        var end = Host.nanos() + 10_000_000_000
        while all.count < count, Host.nanos() < end {
            let more = batch(millis: 1_000)
            if !more.isEmpty { end = Host.nanos() + 10_000_000_000 }
            all += more
        }
        return all.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// What has come by now, without a wait.
    func receiveAll() -> [Received] {
        var all: [Received] = []
        var empty = 0
        while empty < 2 {
            let more = batch()
            empty = more.isEmpty ? empty + 1 : 0
            all += more
        }
        return all
    }
}

/// Datagrams of `size` bytes, in the order of `TestPort.receive`.
func pieces(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
    sorted(
        stride(from: 0, to: bytes.count, by: size).map {
            Array(bytes[$0..<min($0 + size, bytes.count)])
        }
    )
}

/// In the order of `TestPort.receive`.
func sorted(_ datagrams: [[UInt8]]) -> [[UInt8]] {
    datagrams.sorted { $0.lexicographicallyPrecedes($1) }
}

/// Waits for what the kernel does in its own time, for ten seconds at most.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = Host.nanos() + 10_000_000_000
    while !condition() {
        guard Host.nanos() < end else { return false }
        usleep(1_000)
    }
    return true
}
