internal import Bytes
internal import CLoadIO

#if canImport(Glibc)
internal import Glibc
#endif

/// The socket of all the relay's neighbours, each with an address of its own.
@safe
struct LoadSocket: ~Copyable {
    /// Datagrams of one length that came together.
    struct Train {
        /// All of them.
        var bytes: Region
        /// Length of each but the last.
        var segmentBytes: Int
        /// Address they went to.
        var toIP: UInt32
    }

    private let socket: OpaquePointer
    private let arrivals: UnsafeMutablePointer<load_arrival>
    /// Port of every address.
    let port: UInt16

    /// - Parameters:
    ///   - segments: most datagrams that leave as one train; 1 sends each alone.
    ///   - bufferBytes: wish for the kernel's buffers, each way.
    init(segments: Int, bufferBytes: Int) throws(LoadError) {
        var opened: OpaquePointer?
        let status = unsafe load_open(0, UInt32(bufferBytes), UInt32(segments), &opened)
        guard status >= 0, let opened = unsafe opened else {
            throw LoadError("the generator's socket: \(unsafe String(cString: strerror(-status)))")
        }
        unsafe socket = opened
        port = unsafe load_port(opened)
        unsafe arrivals = .allocate(capacity: LoadSocket.trainsMax)
    }

    deinit {
        unsafe load_close(socket)
        unsafe arrivals.deallocate()
    }

    private static var trainsMax: Int { Int(LOAD_ARRIVALS_MAX) }

    /// Queues a datagram; its bytes must stay until `flush`.
    func put(_ bytes: Region, from ip: UInt32, to address: load_address) {
        unsafe load_put(socket, ip, address, bytes.base, UInt32(bytes.byteCount))
    }

    /// Queues a train: datagrams of `segmentBytes` side by side, which must stay until `flush`.
    func put(train: Region, segmentBytes: Int, from ip: UInt32, to address: load_address) {
        unsafe load_put_train(
            socket,
            ip,
            address,
            train.base,
            UInt32(train.byteCount),
            UInt32(segmentBytes)
        )
    }

    /// Sends what is queued.
    func flush() { unsafe load_flush(socket) }

    /// Takes trains that have come, without waiting; returns how many.
    func take() throws(LoadError) -> Int {
        let count = unsafe load_take(socket, arrivals, UInt32(LoadSocket.trainsMax))
        guard count >= 0 else { throw LoadError("recvmmsg: error \(-count)") }
        return Int(count)
    }

    /// A train of the last `take`; it stays until the next.
    func train(_ index: Int) -> Train {
        let arrival = unsafe arrivals[index]
        let base = unsafe UnsafeMutableRawPointer(mutating: arrival.bytes)
        return unsafe Train(
            bytes: Region(base: base, byteCount: Int(arrival.byte_count)),
            segmentBytes: Int(arrival.segment_bytes),
            toIP: arrival.to_ip
        )
    }

    /// What it did so far.
    var counts: load_counts {
        var counts = load_counts()
        unsafe load_read(socket, &counts)
        return counts
    }

    /// Datagrams that came and were not taken in time.
    var drops: UInt64 { unsafe load_drops(socket) }
}
