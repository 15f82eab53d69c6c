public import Bytes
public import Engine
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
    /// Neighbours for which acknowledgements can wait; rounded up to a power of two.
    public var ackRows = 1_024
    /// Packets a second from one neighbour and worker; 0 for any number.
    public var packetsPerSecond = 0
    /// Slots the kernel receives into, a power of two.
    public var receiveBuffers = 1_024
    /// Wish for the socket's buffers, each way.
    public var socketBufferBytes = 4 << 20
    /// Longest sleep of a worker with nothing to do: how late it sees a command if nobody wakes it.
    public var idleNanos: UInt64 = 5_000_000

    /// Defaults for a profile.
    public init(engine: EngineConfig) { self.engine = engine }

    /// Defaults for a profile.
    public init(geometry: Geometry, hash: KeyedHash) {
        engine = EngineConfig(geometry: geometry, hash: hash)
    }

    /// Slots beside the mixer's and the kernel's: a batch, what is being sent, and spare ones.
    static var spareSlots: Int { 512 }

    /// Largest `mixerCapacity` with these receive buffers.
    public var mixerCapacityMax: Int { 65_536 - receiveBuffers - WorkerConfig.spareSlots }

    var slots: Int { mixerCapacity + receiveBuffers + WorkerConfig.spareSlots }

    /// Bytes of memory that one worker takes.
    public var byteCount: Int { WorkerMemory.byteCount(for: self) }
}
