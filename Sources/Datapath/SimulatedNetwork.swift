internal import Bytes
internal import CRing

#if canImport(Glibc)
internal import Glibc
#endif

/// A network in memory with a clock of its own, for tests: the same calls in the same order give
/// the same datagrams at the same times.
///
/// One thread uses it and all its ports. A port's `wait` moves the clock to the next arrival
/// anywhere, or by its time-out.
@safe
public final class SimulatedNetwork: @unchecked Sendable {
    /// How datagrams travel.
    public struct Wire: Sendable {
        /// What is sent stays in the outbox until the test moves it with `next` and `deliver`.
        public var isByHand = false
        /// Of a million datagrams, how many are lost.
        public var lossPerMillion = 0
        /// Of a million datagrams, how many are sent twice.
        public var copiesPerMillion = 0
        /// Least time under way.
        public var delayNanos: UInt64 = 0
        /// Most time more: datagrams overtake each other.
        public var jitterNanos: UInt64 = 0
        /// Sends of longer datagrams fail; 0: none is too long.
        public var longestBytes = 0
        /// Datagrams that a port keeps; more are dropped.
        public var inboxMax = 4_096
        /// Datagrams of one sender and size arrive together, where the port wants that.
        public var coalescing = true
        /// A wait moves the clock.
        public var waits = true
        /// Of a train that is sent in one piece only the first datagram gets through.
        public var cutsTrains = false

        /// Nothing is lost, and nothing takes time.
        public init() {}
    }

    /// What became of the datagrams.
    public struct Counts: Sendable, Equatable {
        /// Sent by ports, copies included.
        public var sent: UInt64 = 0
        /// Lost on the wire.
        public var lost: UInt64 = 0
        /// To addresses that no port has.
        public var nowhere: UInt64 = 0
        /// Dropped by a full inbox.
        public var full: UInt64 = 0
        /// Dropped by a length filter.
        public var filtered: UInt64 = 0
        /// Come to an inbox.
        public var delivered: UInt64 = 0

        /// Nothing yet.
        public init() {}
    }

    /// A datagram in the outbox.
    public struct Sent: Sendable, Equatable {
        /// The port that sent it.
        public var source: DatagramAddress
        /// Where it is to go.
        public var destination: DatagramAddress
        /// All of it.
        public var bytes: [UInt8]
    }

    /// Why the kernel might not take a send.
    public enum Fault: Sendable {
        /// The socket's buffer is full (EAGAIN).
        case full
        /// Longer than the path takes (EMSGSIZE).
        case tooLong
        /// A host refused an earlier one (ECONNREFUSED).
        case refused
        /// The device cannot (EIO).
        case device
        /// The kernel cannot (EINVAL).
        case invalid
        /// Forbidden (EPERM).
        case forbidden
    }

    let network: OpaquePointer
    /// How datagrams travel from now on.
    public var wire: Wire { didSet { setWire() } }

    /// An empty network.
    public init(
        seed: UInt64,
        nanos: UInt64 = 1_000_000_000,
        wire: Wire = Wire()
    ) throws(DatapathError) {
        var opened: OpaquePointer?
        let status = unsafe simulated_open(seed, nanos, &opened)
        guard status >= 0, let opened = unsafe opened else {
            throw .system("simulated network", -status)
        }
        unsafe network = opened
        self.wire = wire
        setWire()
    }

    deinit { unsafe simulated_close(network) }

    /// The clock.
    public var nanos: UInt64 { unsafe simulated_nanos(network) }

    /// Moves the clock on, and delivers what arrives until then.
    public func advance(nanos: UInt64) { unsafe simulated_advance(network, nanos) }

    /// Takes the oldest datagram out of the outbox.
    public func next() -> Sent? {
        var raw = unsafe simulated_datagram()
        guard unsafe simulated_next(network, &raw) == 1 else { return nil }
        let bytes = unsafe UnsafeBufferPointer(start: raw.bytes, count: Int(raw.byte_count))
        return unsafe Sent(
            source: DatagramAddress(raw.from),
            destination: DatagramAddress(raw.to),
            bytes: [UInt8](bytes)
        )
    }

    /// Puts a datagram under way, whoever it says it is from; it arrives when the clock has moved
    /// on by `delayNanos`.
    public func deliver(
        _ bytes: [UInt8],
        from source: DatagramAddress,
        to destination: DatagramAddress,
        delayNanos: UInt64 = 0
    ) {
        precondition(bytes.count <= 65_507)
        var from = source.raw
        var to = destination.raw
        let count = UInt32(bytes.count)
        let status = unsafe simulated_deliver(network, &from, &to, bytes, count, delayNanos)
        precondition(status >= 0, "out of memory")
    }

    /// Sends a datagram as a port at `source` would, with all that the wire does to it.
    public func carry(
        _ bytes: [UInt8],
        from source: DatagramAddress,
        to destination: DatagramAddress
    ) {
        precondition(bytes.count <= 65_507)
        var from = source.raw
        var to = destination.raw
        let status = unsafe simulated_carry(network, &from, &to, bytes, UInt32(bytes.count))
        precondition(status >= 0, "out of memory")
    }

    /// The next `sends` sends of a port fail, a train or a datagram each; with `trainsOnly`, the
    /// next trains alone.
    public func fail(
        _ fault: Fault,
        at address: DatagramAddress,
        sends: Int,
        trainsOnly: Bool = false
    ) {
        var raw = address.raw
        unsafe simulated_fail(network, &raw, fault.status, UInt32(sends), trainsOnly ? 1 : 0)
    }

    /// What became of the datagrams so far.
    public var counts: Counts {
        var raw = simulated_counts()
        unsafe simulated_read_counts(network, &raw)
        var counts = Counts()
        counts.sent = raw.sent
        counts.lost = raw.lost
        counts.nowhere = raw.nowhere
        counts.full = raw.full
        counts.filtered = raw.filtered
        counts.delivered = raw.delivered
        return counts
    }

    private func setWire() {
        var raw = simulated_wire(
            by_hand: wire.isByHand ? 1 : 0,
            loss: UInt32(wire.lossPerMillion),
            copies: UInt32(wire.copiesPerMillion),
            delay_nanos: wire.delayNanos,
            jitter_nanos: wire.jitterNanos,
            longest: UInt32(wire.longestBytes),
            inbox: UInt32(wire.inboxMax),
            coalescing: wire.coalescing ? 1 : 0,
            waits: wire.waits ? 1 : 0,
            cuts_trains: wire.cutsTrains ? 1 : 0
        )
        unsafe simulated_set_wire(network, &raw)
    }
}

extension SimulatedNetwork.Fault {
    fileprivate var status: Int32 {
        switch self {
        case .full: -EAGAIN
        case .tooLong: -EMSGSIZE
        case .refused: -ECONNREFUSED
        case .device: -EIO
        case .invalid: -EINVAL
        case .forbidden: -EPERM
        }
    }
}
