public import Bytes
public import Datapath
public import Engine
public import Link
public import Sphinx

/// What a worker is made for; fixed for its life.
public struct WorkerConfig: Sendable {
    /// The core's part; its geometry is the worker's.
    public var engine: EngineConfig
    /// How long forwarded packets wait.
    public var mixing = MixDelay.uniform(maxNanos: 20_000_000)
    /// Most packets that wait; above that new ones are dropped.
    public var mixerCapacity = 20_000
    /// Packets due within one tick leave together, in random order.
    public var tickNanos: UInt64 = 250_000
    /// How long acknowledgements wait for a full packet.
    public var ackWaitNanos: UInt64 = 200_000_000
    /// The way to the network.
    public var port = PortConfig()
    /// Packets that wait for the curves, in front of them.
    public var queue = FairQueue.Limits()
    /// What a neighbour may cost.
    public var budget = CPUBudget.Limits()
    /// Datagrams that are opened although their packets will be dropped.
    public var shed = LinkShed.Limits()
    /// What packets cost.
    public var costs = PacketCosts()
    /// Frames that are put together.
    public var frames: FrameLimits
    /// Packets of one generation of the filter of copies.
    public var duplicates = 1 << 16
    /// Wish for the socket's buffers, each way.
    public var socketBufferBytes = 4 << 20
    /// Datagrams a second that every link sends, whatever there is to say; 0: links send when there
    /// is something to send. The workers of a node share it; what one worker has for a link leaves
    /// in that worker's share.
    public var constantRate = 0
    /// How long the check for lost trains waits for an answer; 0: no check. Links of a constant
    /// rate are not checked.
    public var trainCheckNanos: UInt64 = 1_000_000_000
    /// Longest sleep of a worker with nothing to do: how late it sees a command if nobody wakes it.
    public var idleNanos: UInt64 = 5_000_000
    /// Packets go on unread: to measure all that is not cryptography of packets and tickets.
    package var isUnread = false

    /// Defaults for a profile.
    public init(engine: EngineConfig) {
        self.engine = engine
        frames = FrameLimits(packetBytes: engine.geometry.packetBytes)
    }

    /// Defaults for a profile.
    public init(geometry: Geometry, hash: KeyedHash) {
        self.init(engine: EngineConfig(geometry: geometry, hash: hash))
    }

    /// Slots beside the mixer's and the queue's: a batch, what is being sent, and spare ones.
    static var spareSlots: Int { 512 }

    var acksPerFrame: Int { @_noLocks get { engine.geometry.ackCapacity } }

    /// Full frames of acknowledgements that may wait for a burst.
    static var pacedAckFrames: Int { 8 }

    var pace: PaceClock.Plan {
        PaceClock.Plan(
            perSecond: constantRate,
            workers: engine.workers,
            packetBytes: engine.geometry.packetBytes
        )
    }

    /// Packets that may wait in the mixer for a link.
    var linklessMax: Int { @_noLocks get { mixerCapacity / 8 } }

    /// Packets that may wait for links of a constant rate.
    var pacedMax: Int { mixerCapacity / 4 }

    var slots: Int { mixerCapacity + queue.packets + WorkerConfig.spareSlots }

    /// Bytes of memory that one worker takes beside the links that all share.
    public func byteCount(links: LinkSize) -> Int {
        WorkerMemory.byteCount(for: self, links: links)
    }
}
