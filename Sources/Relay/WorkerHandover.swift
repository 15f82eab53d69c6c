internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
public import Link
internal import Sphinx

/// What a suspended worker leaves to the next one, perhaps of another program: descriptors, which
/// whoever has them must close or hand to `Workers.Plan.handovers`.
public struct WorkerHandover: Sendable {
    /// Its socket, with what waits in it.
    public var socket: Int32
    /// Its memory.
    public var memory: Int32
    /// Its rings and counters.
    public var rings: Int32

    /// What a worker left.
    public init(socket: Int32, memory: Int32, rings: Int32) {
        self.socket = socket
        self.memory = memory
        self.rings = rings
    }

    /// Gives all of it up.
    public func close() {
        for descriptor in [socket, memory, rings] where descriptor >= 0 {
            Host.close(descriptor)
        }
    }

    /// Another descriptor of the memory.
    func shareMemory() throws(DatapathError) -> Int32 { try Host.share(memory) }
}

/// What a worker writes into its memory when it is suspended, and the next one reads.
struct WorkerNote: BitwiseCopyable {
    /// "Draynote"
    static var seal: UInt64 { @_noLocks get { 0x6574_6f6e_7961_7244 } }

    var seal: UInt64 = 0
    /// When it stopped.
    var nanos: UInt64 = 0
    // What its port has counted.
    var enters: UInt64 = 0
    var dry: UInt64 = 0
    var receiveErrors: UInt64 = 0
    var sendErrors: UInt64 = 0
    var trains: UInt64 = 0
    var segmentationOff: UInt64 = 0

    @_noLocks
    init() {}
}

extension WorkerConfig {
    /// Digest of how a worker's memory is divided, and of what its numbers are counted in: a worker
    /// can go on in another one's memory if theirs are the same.
    public func layout(links: LinkSize) -> UInt64 {
        var arena = Arena()
        let memory = WorkerMemory(&arena, self, links: links)
        arena.note(Engine.layout(for: engine))
        arena.note(FrameReader.layout(for: frames))
        arena.note(memory.wheel.tickNanos)
        arena.note(UInt64(engine.geometry.packetBytes))
        arena.note(UInt64(slots))
        return arena.layout
    }
}

extension WorkerParts {
    /// What a worker works in: a suspended one's memory, or new memory.
    func memory(_ config: WorkerConfig) throws(DatapathError) -> SharedPages {
        if let pages { return pages }
        return try SharedPages(config.byteCount(links: links.size), wide: true)
    }
}

extension WorkerMemory {
    /// Makes everything empty; all slots are free.
    func makePool(nowNanos: UInt64) -> SlotPool {
        wheel.clear(nowNanos: nowNanos)
        queue.clear()
        duplicates.clear(nowNanos: nowNanos)
        acks.clear()
        pace.clear()
        return SlotPool(poolMemory, count: notes.count)
    }

    /// Packets in the mixer that wait for a link.
    func linkless(_ pool: borrowing SlotPool) -> Int {
        var count = 0
        for slot in 0..<notes.count
        where notes[slot].waitsNanos != 0 && pool.isOwned(slot, by: .mixer) {
            count += 1
        }
        return count
    }

    /// The slots as the last worker left them. Throws if the memory is not what a suspended worker
    /// leaves.
    func adoptPool() throws(DatapathError) -> SlotPool {
        guard note[0].seal == WorkerNote.seal else { throw .notAdopted("no worker left it") }
        guard let pool = SlotPool(adopting: poolMemory, count: notes.count) else {
            throw .notAdopted("its slots are in disorder")
        }
        guard pool.count(of: .mixer) == wheel.count + pace.count,
            pool.count(of: .queue) == queue.count, pool.count(of: .worker) == 0
        else { throw .notAdopted("its packets are in disorder") }
        return pool
    }
}
