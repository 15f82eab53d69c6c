public import Bytes
internal import CRing

/// One thread's way to the network: arrivals in big buffers, departures in trains.
///
/// A train is memory for up to 64 datagrams of one size to one address, side by side. Buffers and
/// trains are the kernel's or the port's only while datagrams are received and sent: packets live
/// elsewhere. Belongs to one thread, the one that calls `start`.
@safe
public struct Port: ~Copyable, @unchecked Sendable {
    /// Most arrivals held at once.
    @inlinable public static var arrivalsMax: Int { @_noLocks get { 64 } }
    /// Most datagrams of a train.
    @inlinable public static var segmentsMax: Int { @_noLocks get { 64 } }
    /// Most bytes of a train.
    @inlinable public static var trainBytesMax: Int { @_noLocks get { 65_000 } }
    /// Most sizes that come in.
    public static var lengthsMax: Int { 8 }
    /// Bytes before an arrival in its buffer.
    static var headBytes: Int { 128 }

    private let port: OpaquePointer
    /// Keeps a simulated network alive.
    private let backend: PortConfig.Backend
    private let held: UnsafePointer<port_arrival>
    private let trains: Region
    private let trainStride: Int
    /// Bytes of a train.
    public let trainBytes: Int
    /// Trains there are.
    public let trainCount: Int
    /// Where it sends and receives.
    public let socket: DatagramSocket

    /// Bytes of memory for buffers and trains.
    public static func byteCount(for config: PortConfig) -> Int {
        config.receiveBuffers * config.receiveStride + config.trains * config.trainStride
    }

    /// Sets up a port.
    ///
    /// - Parameters:
    ///   - memory: `byteCount(for: config)` bytes on a 64-byte boundary that outlive the port.
    public init(
        _ config: PortConfig,
        socket: consuming DatagramSocket,
        memory: Region
    ) throws(DatapathError) {
        config.check()
        precondition(Port.headBytes == Int(PORT_HEAD_BYTES))
        precondition(Port.arrivalsMax == Int(PORT_ARRIVALS))
        precondition(Port.segmentsMax == Int(PORT_SEGMENTS))
        precondition(Port.trainBytesMax == Int(PORT_TRAIN_BYTES))
        precondition(Port.lengthsMax == Int(PORT_LENGTHS))
        precondition(memory.byteCount >= Port.byteCount(for: config))
        var raw = unsafe config.raw(socket, memory: memory)
        var opened: OpaquePointer?
        let status = unsafe port_open(&raw, &opened)
        guard status >= 0, let opened = unsafe opened else {
            throw .port(status, config.backend)
        }
        unsafe port = opened
        unsafe held = port_held(opened)
        backend = config.backend
        trains = memory.slice(
            config.receiveBuffers * config.receiveStride,
            config.trains * config.trainStride
        )
        trainStride = config.trainStride
        trainBytes = config.trainBytes
        trainCount = config.trains
        self.socket = socket
    }

    deinit { unsafe port_close(port) }

    /// Makes the calling thread the owner, and receives from now on.
    public func start() throws(DatapathError) {
        let status = unsafe port_start(port)
        guard status >= 0 else { throw .port(status, backend) }
    }

    /// What is in use; final after `start`.
    public var features: PortFeatures {
        unsafe PortFeatures(port_kind(port), port_features(port), fallback: port_fallback(port))
    }

    /// Ends waits of this port; from any thread, as long as the port lives.
    public var waker: PortWaker { unsafe PortWaker(port) }

    /// A bell that outlives the port.
    public func makeBell() throws(DatapathError) -> BellKeeper {
        let descriptor = unsafe port_bell(port)
        guard descriptor >= 0 else { throw .system("dup", -descriptor) }
        return BellKeeper(descriptor)
    }

    /// Nanoseconds of the monotonic clock, or of the simulated network.
    @_semantics("no_performance_analysis")
    public func nanos() -> UInt64 { unsafe port_nanos(port) }

    /// What the port did so far.
    public var statistics: PortStatistics {
        @_semantics("no_performance_analysis")
        get {
            var raw = port_stats()
            unsafe port_read_stats(port, &raw)
            return PortStatistics(raw)
        }
    }

    /// Leaves what comes in the socket from now on, for another process that goes on with it; what
    /// has been received already can still be taken.
    public func pause() throws(DatapathError) {
        let status = unsafe port_pause(port)
        guard status >= 0 else { throw .port(status, backend) }
    }

    /// Receives again.
    public func resume() { unsafe port_resume(port) }

    /// Replaces the sizes that come in; empty lets all in.
    public func setLengths(_ lengths: [Int]) throws(DatapathError) {
        precondition(lengths.count <= Port.lengthsMax)
        let raw = lengths.map { UInt32($0) }
        let status = unsafe port_set_lengths(port, raw, UInt32(raw.count))
        guard status >= 0 else { throw .system("SO_ATTACH_FILTER", -status) }
    }
}

extension Port {
    /// Waits for `want` arrivals or `timeoutNanos`; with `batchNanos`, that long for more than
    /// one. It may return early, with nothing. False: the port is of no use any more.
    ///
    /// While sends are put off it sleeps for 200 µs at most: `submit` is due.
    @_semantics("no_performance_analysis")
    public func wait(want: Int, batchNanos: UInt64, timeoutNanos: UInt64) -> Bool {
        unsafe port_wait(port, UInt32(want), batchNanos, timeoutNanos) >= 0
    }

    /// Takes what has come, at most `max` and `arrivalsMax`; read them with `arrival`. What was
    /// taken before must have been released.
    @_semantics("no_performance_analysis")
    public func take(max: Int = Port.arrivalsMax) -> Int {
        Int(unsafe port_take(port, UInt32(max)))
    }

    /// An arrival of the last `take`.
    @_noLocks
    public func arrival(_ index: Int) -> Arrival {
        assert(index >= 0 && index < Port.arrivalsMax)
        return unsafe Arrival(held[index])
    }

    /// Gives the buffers of all arrivals back to the kernel.
    @_semantics("no_performance_analysis")
    public func release() { unsafe port_release(port) }

    /// As `pause`, for the packet path. False: the port is of no use any more.
    @_semantics("no_performance_analysis")
    public func stop() -> Bool { unsafe port_pause(port) >= 0 }

    /// Submits, and waits `millis` at most until the socket's buffer has taken everything.
    @_semantics("no_performance_analysis")
    public func flush(millis: Int) -> Bool { unsafe port_flush(port, Int32(millis)) >= 0 }
}

extension Port {
    /// Takes a free train; nil while all are taken, or held back by a full socket buffer.
    @_semantics("no_performance_analysis")
    public func takeTrain() -> Int? {
        let train = unsafe port_take_train(port)
        return train < 0 ? nil : Int(train)
    }

    /// Gives a taken train back unsent.
    @_semantics("no_performance_analysis")
    public func giveTrain(_ train: Int) { unsafe port_give_train(port, UInt32(train)) }

    /// Trains that nobody has.
    public var freeTrains: Int {
        @_semantics("no_performance_analysis")
        get { Int(unsafe port_free_trains(port)) }
    }

    /// Trains that wait for a `submit`.
    public var queuedTrains: Int {
        @_semantics("no_performance_analysis")
        get { Int(unsafe port_queued(port)) }
    }

    /// The memory of a train, on a 64-byte boundary.
    @_noLocks
    public func train(_ train: Int) -> Region { trains.slice(train * trainStride, trainBytes) }

    /// Queues the first `byteCount` bytes of a taken train, as datagrams of `segmentBytes`; the
    /// last one may be shorter. If any is not sent `PortStatistics.packetsLost` grows by `packets`.
    /// If it returns false the train is still taken: more than 64 datagrams, or an address that
    /// this socket cannot reach.
    @_semantics("no_performance_analysis")
    public func send(
        train: Int,
        byteCount: Int,
        segmentBytes: Int,
        packets: Int = 0,
        to address: DatagramAddress
    ) -> Bool {
        var raw = address.raw
        return unsafe port_send(
            port,
            UInt32(train),
            UInt32(byteCount),
            UInt32(segmentBytes),
            UInt32(packets),
            &raw
        ) >= 0
    }

    /// Sends what is queued. Afterwards all queued trains are free but those that a full socket
    /// buffer holds back; 16 submits later these are dropped. False: the port is of no use any
    /// more.
    @_semantics("no_performance_analysis")
    public func submit() -> Bool { unsafe port_submit(port) >= 0 }

    /// Trains are sent in one piece. It goes off by itself when the kernel refuses trains; turn
    /// it off when trains get lost and single datagrams do not. On has no effect on a socket that
    /// cannot.
    public var segmentation: Bool {
        @_semantics("no_performance_analysis")
        get { unsafe port_segmentation(port) == 1 }
        @_semantics("no_performance_analysis")
        nonmutating set { unsafe port_set_segmentation(port, newValue ? 1 : 0) }
    }

    /// The oldest send that failed and was not told yet, of the last 16; datagrams of a train are
    /// told once.
    @_semantics("no_performance_analysis")
    public func nextFailure() -> SendFailure? {
        var raw = port_failure()
        guard unsafe port_next_failure(port, &raw) == 1 else { return nil }
        return SendFailure(address: DatagramAddress(raw.to), reason: .init(raw.status))
    }
}

/// Ends a port's wait, also after the port is gone: then it does nothing.
public struct PortBell: BitwiseCopyable, Sendable {
    private let descriptor: Int32

    /// The bell with a descriptor that somebody keeps open.
    @_noLocks
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Makes the current or next wait return.
    @_semantics("no_performance_analysis")
    public func ring() { port_ring_bell(descriptor) }
}

/// Keeps a port's bell open.
public final class BellKeeper: Sendable {
    /// The bell's descriptor.
    public let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { socket_close(descriptor) }
}

/// Ends a port's wait; must not be used after the port is gone.
@safe
public struct PortWaker: @unchecked Sendable {
    private let port: OpaquePointer

    init(_ port: OpaquePointer) { unsafe self.port = port }

    /// Makes the current or next wait return.
    @_semantics("no_performance_analysis")
    public func wake() { unsafe port_wake(port) }
}
