/// Which lanes of a batch are meant: bit i is lane i.
public typealias LaneMask = UInt64

extension LaneMask {
    /// The lanes `0..<count`.
    @inlinable
    @_noLocks
    public static func first(_ count: Int) -> LaneMask {
        count >= 64 ? .max : (1 << LaneMask(count)) - 1
    }

    /// True if the lane is set.
    @inlinable
    @_noLocks
    public func contains(_ lane: Int) -> Bool { self >> LaneMask(lane) & 1 == 1 }

    /// Takes the lowest set lane out of the mask; nil when none is left.
    @inlinable
    @_noLocks
    public mutating func popFirst() -> Int? {
        guard self != 0 else { return nil }
        let lane = trailingZeroBitCount
        self &= self &- 1
        return lane
    }
}

/// Equal slots of memory in one piece, addressed by number.
@safe
public struct Slab: @unchecked Sendable {
    /// All slots.
    public let region: Region
    /// Bytes from one slot to the next.
    public let stride: Int
    /// Where a packet begins inside its slot.
    public let offset: Int

    /// Slots of `stride` bytes in `region`; packets begin at `offset`.
    @_noLocks
    public init(region: Region, stride: Int, offset: Int = 0) {
        self.region = region
        self.stride = stride
        self.offset = offset
    }

    /// Number of slots.
    @inlinable
    public var count: Int {
        @_noLocks
        get { region.byteCount / stride }
    }

    /// The packet in a slot: `count` bytes from the slot's packet offset.
    @inlinable
    @_noLocks
    public func packet(_ slot: UInt32, _ count: Int) -> Region {
        region.slice(Int(slot) * stride + offset, count)
    }
}

/// Up to 64 packets that go through the stages together.
///
/// A stage reads and writes the columns of the lanes in `live`; a lane leaves by `drop`. Lanes
/// `count...` are never live.
public struct Batch: ~Copyable {
    /// Most lanes in a batch.
    @inlinable public static var capacity: Int { @_noLocks get { 64 } }

    /// Lanes in use.
    public var count = 0
    /// Lanes not dropped.
    public var live: LaneMask = 0
    /// Time of the pass, nanoseconds of a monotonic clock.
    public var nowNanos: UInt64 = 0
    /// Slot of each lane's packet.
    public var slot = [64 of UInt32](repeating: 0)
    /// Bytes received.
    public var byteCount = [64 of UInt32](repeating: 0)
    /// Previous hop: index in the snapshot's node table.
    public var source = [64 of UInt32](repeating: .max)
    @usableFromInline var verdicts = [64 of UInt8](repeating: 0)

    /// An empty batch.
    public init() {}

    /// Makes the batch empty.
    @inlinable
    @_noLocks
    public mutating func reset(nowNanos: UInt64) {
        count = 0
        live = 0
        self.nowNanos = nowNanos
    }

    /// Adds a packet as the next lane; the batch must not be full.
    @inlinable
    @_noLocks
    public mutating func append(slot: UInt32, byteCount: UInt32, source: UInt32) {
        assert(count < Batch.capacity)
        self.slot[count] = slot
        self.byteCount[count] = byteCount
        self.source[count] = source
        verdicts[count] = 0
        live |= 1 << LaneMask(count)
        count += 1
    }

    /// Why the lane left; `.none` while it lives.
    @inlinable
    @_noLocks
    public func verdict(_ lane: Int) -> Drop { Drop(index: verdicts[lane]) }

    /// A lane leaves.
    @inlinable
    @_noLocks
    public mutating func drop(_ lane: Int, _ reason: Drop) {
        assert(live.contains(lane) && reason.index != 0)
        live &= ~(1 << LaneMask(lane))
        verdicts[lane] = reason.index
    }

    /// All lanes of `mask` that live leave for one reason.
    @inlinable
    @_noLocks
    public mutating func drop(mask: LaneMask, _ reason: Drop) {
        var lanes = mask & live
        while let lane = lanes.popFirst() { drop(lane, reason) }
    }
}
