internal import Bytes
internal import Crypto
internal import Datapath
internal import Engine
internal import Exchange
internal import Sphinx

/// How a worker's memory is divided: computed and taken at start, never again.
struct WorkerMemory {
    let slab: Slab
    let engine: Region
    let wheel: TimingWheel
    let acks: AckQueue
    let budget: PeerBudget
    let notes: Column<SlotNote>
    let sources: Column<DatagramAddress>
    let outgoing: Column<UInt32>
    let lengths: Column<UInt32>
    let random: Region
    let poolMemory: Region

    static func byteCount(for config: WorkerConfig) -> Int {
        var arena = Arena()
        _ = WorkerMemory(&arena, config)
        return arena.used
    }

    /// Bytes from slot to slot: head, packet and at least a byte more, so that a datagram which is
    /// too long shows as one; in whole cache lines.
    static func stride(_ geometry: Geometry) -> Int {
        (Ring.headBytes + geometry.packetBytes + 64) & ~63
    }

    init(_ arena: inout Arena, _ config: WorkerConfig) {
        let geometry = config.engine.geometry
        let hash = config.engine.hash
        let stride = WorkerMemory.stride(geometry)
        slab = Slab(
            region: arena.region(config.slots * stride),
            stride: stride,
            offset: Ring.headBytes
        )
        poolMemory = arena.region(SlotPool.byteCount(slots: config.slots))
        engine = arena.region(Engine.byteCount(for: config.engine))
        wheel = TimingWheel(
            &arena,
            slots: config.slots,
            tickNanos: config.tickNanos,
            horizonNanos: config.mixing.maxNanos
        )
        acks = AckQueue(
            &arena,
            rows: config.ackRows,
            capacity: geometry.ackCapacity,
            waitNanos: config.ackWaitNanos,
            hash: hash
        )
        budget = PeerBudget(
            &arena,
            rows: config.ackRows,
            packetsPerSecond: config.packetsPerSecond,
            hash: hash
        )
        notes = arena.column(SlotNote.self, config.slots)
        sources = arena.column(DatagramAddress.self, Batch.capacity)
        outgoing = arena.column(UInt32.self, Worker.outgoingMax)
        lengths = arena.column(UInt32.self, Worker.outgoingMax)
        random = arena.region(RandomStream.byteCount)
    }
}

/// What is kept of the packet in a slot, while it waits and until it is sent.
struct SlotNote: BitwiseCopyable {
    /// Key id of the neighbour it goes to.
    var nextKeyID: UInt32
    /// When its datagram came; 0 for packets of our own.
    var cameNanos: UInt64

    @_noLocks
    init(nextKeyID: UInt32, cameNanos: UInt64) {
        self.nextKeyID = nextKeyID
        self.cameNanos = cameNanos
    }
}
