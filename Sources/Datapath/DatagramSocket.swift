internal import CRing

#if canImport(Glibc)
internal import Glibc
#endif

/// A bound UDP socket.
public struct DatagramSocket: ~Copyable, Sendable {
    let descriptor: Int32
    /// Where it receives: the port that was given out if 0 was asked for.
    public let address: DatagramAddress

    /// Binds a socket.
    ///
    /// - Parameters:
    ///   - address: port 0 takes a free one.
    ///   - shared: other sockets of this user may bind the same port (`SO_REUSEPORT`): one for each
    ///     worker.
    ///   - bufferBytes: wish for the kernel's buffers, each way.
    public init(
        _ address: DatagramAddress,
        shared: Bool,
        bufferBytes: Int
    ) throws(DatapathError) {
        var raw = address.raw
        let descriptor = unsafe socket_open(&raw, shared ? 1 : 0, UInt32(bufferBytes))
        guard descriptor >= 0 else { throw DatagramSocket.error(descriptor, address) }
        let status = unsafe socket_address(descriptor, &raw)
        guard status >= 0 else {
            socket_close(descriptor)
            throw .system("getsockname", -status)
        }
        self.descriptor = descriptor
        self.address = DatagramAddress(raw)
    }

    /// Takes over a bound socket of another process, or of an earlier program of this one, with all
    /// that waits in it; the descriptor is this object's from now on, whatever happens.
    public init(adopting descriptor: Int32) throws(DatapathError) {
        var raw = datagram_address()
        var status = socket_check(descriptor)
        if status >= 0 { status = unsafe socket_address(descriptor, &raw) }
        guard status >= 0 else {
            socket_close(descriptor)
            throw .system("socket that was handed over", -status)
        }
        self.descriptor = descriptor
        address = DatagramAddress(raw)
    }

    /// A place in a simulated network, for a port there.
    public init(simulated address: DatagramAddress) {
        descriptor = -1
        self.address = address
    }

    deinit { if descriptor >= 0 { socket_close(descriptor) } }

    /// Another descriptor of the socket, for handing it over; the caller's to close.
    @_semantics("no_performance_analysis")
    public func share() throws(DatapathError) -> Int32 {
        let other = socket_share(descriptor)
        guard other >= 0 else { throw .system("fcntl", -other) }
        return other
    }

    /// Datagrams that the kernel dropped because nobody took them in time.
    public var drops: UInt64 {
        @_semantics("no_performance_analysis")
        get { UInt64(max(0, socket_drops(descriptor))) }
    }

    /// Throws `portInUse` if anybody holds the port, another Dray included: `shared` sockets of one
    /// user would let each other in.
    ///
    /// A process that was killed keeps its port for some milliseconds, so this tries for
    /// `patienceNanos`.
    public static func probe(
        _ address: DatagramAddress,
        patienceNanos: UInt64 = 500_000_000
    ) throws(DatapathError) {
        let end = Host.nanos() + patienceNanos
        while true {
            do throws(DatapathError) {
                _ = try DatagramSocket(address, shared: false, bufferBytes: 0)
                return
            } catch {
                guard case .portInUse = error, Host.nanos() < end else { throw error }
                usleep(5_000)
            }
        }
    }

    private static func error(_ status: Int32, _ address: DatagramAddress) -> DatapathError {
        switch -status {
        case EADDRINUSE: .portInUse(address.port)
        case EADDRNOTAVAIL: .noSuchAddress
        default: .system("bind", -status)
        }
    }
}
