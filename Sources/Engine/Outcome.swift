public import Bytes

/// What became of a batch, as lane masks.
public struct Outcome: BitwiseCopyable, Sendable {
    /// Accepted for the next hop: the slot holds the packet to send to `nextNode`.
    public var forwarded: LaneMask = 0
    /// Ended here and reported.
    public var delivered: LaneMask = 0
    /// Acknowledgement packets that were taken.
    public var acknowledgements: LaneMask = 0
    /// Lanes whose `ackKey` must be sent to the previous hop.
    public var acknowledge: LaneMask = 0

    /// Nothing yet.
    @_noLocks
    public init() {}
}
