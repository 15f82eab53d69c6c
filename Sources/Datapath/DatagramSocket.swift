public import Bytes
internal import CRing

#if canImport(Glibc)
internal import Glibc
#endif

/// A bound UDP socket.
public struct DatagramSocket: ~Copyable, Sendable {
    /// The kernel's number for it, to be handed to another process; good as long as this value
    /// lives. -1 in a simulated network.
    public let descriptor: Int32
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

    /// Takes over a descriptor that another process opened and handed on: bound, with what is in
    /// its buffer. The descriptor is closed even if this throws.
    public init(adopting descriptor: Int32) throws(DatapathError) {
        var raw = datagram_address()
        var status = socket_adopt(descriptor)
        if status >= 0 { status = unsafe socket_address(descriptor, &raw) }
        guard status >= 0 else {
            socket_close(descriptor)
            throw .system("adopt a socket", -status)
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

    /// The same socket once more, for a thread that only sends.
    public func duplicate() throws(DatapathError) -> DatagramSocket {
        let copy = socket_duplicate(descriptor)
        guard copy >= 0 else { throw .system("dup", -copy) }
        return try DatagramSocket(adopting: copy)
    }

    /// Sends one datagram, unless the kernel's buffer is full. From any thread; does not wait.
    @_semantics("no_performance_analysis")
    public func send(_ bytes: Region, to address: DatagramAddress) -> Bool {
        var raw = address.raw
        return unsafe socket_send(descriptor, bytes.base, UInt32(bytes.byteCount), &raw) >= 0
    }

    /// Bytes of the longest datagram that reaches `destination` uncut, as far as the kernel knows:
    /// the device's size, or what a router on the way has told it. Nil without a route.
    public func pathBytes(to destination: DatagramAddress) -> Int? {
        var from = address.raw
        var to = destination.raw
        let bytes = unsafe socket_path_bytes(&from, &to)
        return bytes > 0 ? Int(bytes) : nil
    }

    /// Datagrams that the kernel dropped before anybody saw them: nobody took them in time, or they
    /// had a length that does not come in. The kernel has one number for both.
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
