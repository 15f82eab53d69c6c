/// What bounds a frame reader; fixed for its life.
public struct FrameLimits: BitwiseCopyable, Sendable {
    /// Bytes of a packet in the profile.
    public let packetBytes: Int
    /// Frames that are put together at a time: 4...2^20.
    public var assemblies = 1_024
    /// Most of them that are of one link: 2...63.
    public var perLink = 32
    /// How long the pieces of a frame are waited for, from the first that comes.
    public var lifeNanos: UInt64 = 250_000_000

    /// Limits for packets of one size, at most 65,532 bytes.
    public init(packetBytes: Int) { self.packetBytes = packetBytes }

    /// Bytes of the longest frame, head included.
    var frameBytesMax: Int {
        @_noLocks
        get { FrameWire.headBytes + max(packetBytes, FrameWire.bodyBytesMax) }
    }

    /// Traps if a limit is out of its range.
    func check() {
        precondition(packetBytes > 0 && frameBytesMax <= FrameWire.frameBytesMax)
        precondition(assemblies >= 4 && assemblies <= 1 << 20)
        precondition(perLink >= 2 && perLink <= 63)
    }
}
