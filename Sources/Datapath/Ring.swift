public import Bytes
internal import CRing

/// A datagram in its slot.
public struct Datagram: BitwiseCopyable, Sendable {
    /// The slot, the caller's from now on; the datagram begins at `Ring.headBytes`.
    public var slot: UInt32
    /// Bytes sent, more than were kept if `truncated`.
    public var byteCount: UInt32
    /// The slot was too short.
    public var truncated: Bool
    /// Its sender.
    public var source: DatagramAddress
}

/// What the ring did so far.
public struct RingStatistics: Sendable {
    /// System calls.
    public var enters: UInt64
    /// Receives that ended because no slot was left.
    public var dry: UInt64
    /// Receives armed.
    public var armed: UInt64
    /// Receives that ended for another reason.
    public var receiveErrors: UInt64
    /// Datagrams that the kernel did not take.
    public var sendErrors: UInt64
    /// Wake-ups.
    public var wakes: UInt64
}

/// One io_uring: datagrams come into slots and go from slots.
///
/// Belongs to one thread, the one that calls `start`.
@safe
public struct Ring: ~Copyable, @unchecked Sendable {
    /// Bytes before a datagram in its slot.
    public static var headBytes: Int { 128 }
    /// Most datagrams from one `take`.
    @inlinable public static var takeMax: Int { @_noLocks get { 64 } }

    private let ring: OpaquePointer
    private let taken: UnsafeMutablePointer<ring_datagram>
    private let offers: UnsafeMutablePointer<UInt32>
    /// Most slots with the kernel at once.
    public let buffers: Int
    /// Most sends between two `submit`.
    public let sends: Int

    /// Sets up a ring over a slab that outlives it.
    ///
    /// - Parameters:
    ///   - slab: at most 65,536 slots; their packets begin at `headBytes`.
    ///   - buffers: most slots with the kernel at once, a power of two up to 32,768.
    ///   - sends: most sends between two `submit`, a power of two.
    public init(slab: Slab, buffers: Int, sends: Int) throws(DatapathError) {
        precondition(slab.count <= 65_536 && slab.offset == Ring.headBytes)
        precondition(buffers.nonzeroBitCount == 1 && buffers <= 32_768)
        precondition(sends.nonzeroBitCount == 1 && sends <= 4_096)
        precondition(Ring.headBytes == Int(RING_HEAD_BYTES))
        var config = unsafe ring_config(
            slab: slab.region.base,
            stride: UInt64(slab.stride),
            slots: UInt32(slab.count),
            buffer_bytes: UInt32(slab.stride),
            buffers: UInt32(buffers),
            sends: UInt32(sends)
        )
        var opened: OpaquePointer?
        let status = unsafe ring_open(&config, &opened)
        guard status >= 0, let opened = unsafe opened else { throw .ring(status) }
        unsafe ring = opened
        unsafe taken = .allocate(capacity: Ring.takeMax)
        unsafe taken.initialize(repeating: ring_datagram(), count: Ring.takeMax)
        unsafe offers = .allocate(capacity: Ring.takeMax)
        unsafe offers.initialize(repeating: 0, count: Ring.takeMax)
        self.buffers = buffers
        self.sends = sends
    }

    deinit {
        unsafe ring_close(ring)
        unsafe taken.deallocate()
        unsafe offers.deallocate()
    }

    /// Makes the calling thread the owner and receives from a socket that outlives the ring.
    public func start(_ socket: borrowing DatagramSocket) throws(DatapathError) {
        let status = unsafe ring_start(ring, socket.descriptor)
        guard status >= 0 else { throw .ring(status) }
    }

    /// Ends waits of this ring; from any thread, as long as the ring lives.
    public var waker: RingWaker { unsafe RingWaker(ring) }

    /// Slots with the kernel.
    public var offered: Int {
        @_semantics("no_performance_analysis")
        get { Int(unsafe ring_offered(ring)) }
    }

    /// Hands free slots to the kernel until it has its fill or only `keeping` are left.
    @_noLocks
    public func refill(from pool: inout SlotPool, keeping: Int) {
        var wanted = min(buffers - offered, pool.freeCount - keeping)
        while wanted > 0 {
            let count = min(wanted, Ring.takeMax)
            for index in 0..<count {
                guard let slot = pool.take(.kernel) else { fatalError("pool is empty") }
                unsafe offers[index] = slot
            }
            offer(count)
            wanted -= count
        }
    }

    @_semantics("no_performance_analysis")
    private func offer(_ count: Int) {
        let took = unsafe ring_offer(ring, offers, UInt32(count))
        assert(took == count)
    }

    /// Waits for `want` completions or `timeoutNanos`; with `batchNanos`, that long for more than
    /// one. Returns false if the kernel refuses.
    @_semantics("no_performance_analysis")
    public func wait(want: Int, batchNanos: UInt64, timeoutNanos: UInt64) -> Bool {
        unsafe ring_wait(ring, UInt32(want), batchNanos, timeoutNanos) >= 0
    }

    /// Takes up to `max` datagrams, at most `takeMax`; read them with `datagram`.
    @_semantics("no_performance_analysis")
    public func take(max: Int) -> Int {
        Int(unsafe ring_take(ring, taken, UInt32(min(max, Ring.takeMax))))
    }

    /// A datagram of the last `take`.
    @_noLocks
    public func datagram(_ index: Int) -> Datagram {
        assert(index >= 0 && index < Ring.takeMax)
        let raw = unsafe taken[index]
        return Datagram(
            slot: raw.slot,
            byteCount: raw.byte_count,
            truncated: raw.truncated != 0,
            source: DatagramAddress(raw.source)
        )
    }

    /// Queues `byteCount` bytes from `offset` of a slot; false if no more can be queued before
    /// `submit`, or this socket cannot reach the address.
    @_semantics("no_performance_analysis")
    public func send(
        _ slot: UInt32,
        offset: Int,
        byteCount: Int,
        to address: DatagramAddress
    ) -> Bool {
        var raw = address.raw
        return unsafe ring_send(ring, slot, UInt32(offset), UInt32(byteCount), &raw) >= 0
    }

    /// Sends what was queued; all its slots are free afterwards. False if the kernel refuses.
    @_semantics("no_performance_analysis")
    public func submit() -> Bool { unsafe ring_submit(ring) >= 0 }

    /// What the ring did so far.
    public var statistics: RingStatistics {
        @_semantics("no_performance_analysis")
        get {
            var raw = ring_stats()
            unsafe ring_read_stats(ring, &raw)
            return RingStatistics(
                enters: raw.enters,
                dry: raw.dry,
                armed: raw.armed,
                receiveErrors: raw.receive_errors,
                sendErrors: raw.send_errors,
                wakes: raw.wakes
            )
        }
    }
}

/// Ends a ring's wait; must not be used after the ring is gone.
@safe
public struct RingWaker: @unchecked Sendable {
    private let ring: OpaquePointer

    init(_ ring: OpaquePointer) { unsafe self.ring = ring }

    /// Makes the current or next wait return.
    @_semantics("no_performance_analysis")
    public func wake() { unsafe ring_wake(ring) }
}
