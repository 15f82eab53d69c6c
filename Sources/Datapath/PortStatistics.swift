internal import CRing

#if canImport(Glibc)
internal import Glibc
#endif

/// What a port did so far. Datagrams that were queued are sent, or dropped for one of four reasons,
/// or still queued.
public struct PortStatistics: Sendable, Equatable {
    /// System calls.
    public var enters: UInt64 = 0
    /// Receives armed.
    public var armed: UInt64 = 0
    /// Receives that ended because no buffer was left.
    public var dry: UInt64 = 0
    /// Times the completion queue was full.
    public var overflows: UInt64 = 0
    /// System calls that a signal ended.
    public var interrupted: UInt64 = 0
    /// Wake-ups.
    public var wakes: UInt64 = 0
    /// Arrivals taken.
    public var arrivals: UInt64 = 0
    /// Receives that ended because a host had refused an earlier datagram.
    public var receiveRefused: UInt64 = 0
    /// Receives that ended for another reason.
    public var receiveErrors: UInt64 = 0
    /// Datagrams queued.
    public var queued: UInt64 = 0
    /// Datagrams that the kernel took.
    public var sent: UInt64 = 0
    /// Datagrams dropped: longer than the path takes.
    public var tooLong: UInt64 = 0
    /// Datagrams dropped: the socket's buffer stayed full.
    public var busy: UInt64 = 0
    /// Datagrams dropped: a host refused them again and again.
    public var refused: UInt64 = 0
    /// Datagrams dropped: any other error.
    public var failed: UInt64 = 0
    /// Packets in trains of which a datagram was dropped.
    public var packetsLost: UInt64 = 0
    /// Trains sent in one piece.
    public var trains: UInt64 = 0
    /// Sends put off to the next submit.
    public var retries: UInt64 = 0
    /// Times that a train was refused and its datagrams were not.
    public var segmentationOff: UInt64 = 0

    /// Datagrams that were queued and will not be sent.
    public var dropped: UInt64 {
        @_noLocks
        get { tooLong + busy + refused + failed }
    }

    /// Nothing yet.
    public init() {}

    @_noLocks
    init(_ raw: port_stats) {
        enters = raw.enters
        armed = raw.armed
        dry = raw.dry
        overflows = raw.overflows
        interrupted = raw.interrupted
        wakes = raw.wakes
        arrivals = raw.arrivals
        receiveRefused = raw.receive_refused
        receiveErrors = raw.receive_errors
        queued = raw.queued
        sent = raw.sent
        tooLong = raw.too_long
        busy = raw.busy
        refused = raw.refused
        failed = raw.failed
        packetsLost = raw.packets_lost
        trains = raw.trains
        retries = raw.retries
        segmentationOff = raw.segmentation_off
    }
}

/// A send that the kernel would not take.
public struct SendFailure: Sendable, Equatable {
    /// Why.
    public enum Reason: Sendable {
        /// Longer than the path takes: ask for its size again.
        case tooLong
        /// The socket's buffer stayed full.
        case busy
        /// A host refused it again and again.
        case refused
        /// Any other error.
        case failed
    }

    /// Where it was to go.
    public let address: DatagramAddress
    /// Why it did not.
    public let reason: Reason

    /// A failure.
    @_noLocks
    public init(address: DatagramAddress, reason: Reason) {
        self.address = address
        self.reason = reason
    }
}

extension SendFailure.Reason {
    @_noLocks
    init(_ status: Int32) {
        self =
            switch -status {
            case EMSGSIZE: .tooLong
            case EAGAIN, ENOBUFS, EINTR: .busy
            case ECONNREFUSED: .refused
            default: .failed
            }
    }
}
