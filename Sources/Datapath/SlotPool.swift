public import Bytes

/// Who may touch a slot.
public enum SlotOwner: UInt8, CaseIterable, Sendable {
    /// Nobody.
    case free
    /// The queue in front of the curves.
    case queue
    /// The worker: in a batch, or on its way out.
    case worker
    /// The mixer.
    case mixer

    @inlinable var index: UInt8 {
        @_noLocks
        get { unsafe unsafeBitCast(self, to: UInt8.self) }
    }
}

/// Which slots are free, and who has the others. Last given, first taken: memory stays warm.
public struct SlotPool: ~Copyable {
    @usableFromInline let owners: Column<UInt8>
    @usableFromInline let stack: Column<UInt32>
    /// Slots nobody has.
    public private(set) var freeCount: Int

    /// Bytes of memory for `slots` slots.
    public static func byteCount(slots: Int) -> Int { (5 * slots + 63) & ~63 }

    /// All of `count` slots, free. The memory is zeroed, on a 64-byte boundary.
    public init(_ memory: Region, count: Int) {
        stack = memory.column(0, count: count)
        owners = memory.column(4 * count, count: count)
        freeCount = count
        for place in 0..<count { stack[place] = UInt32(count - 1 - place) }
    }

    /// The pool that another one left in `memory`; nil if the memory holds none.
    public init?(adopting memory: Region, count: Int) {
        stack = memory.column(0, count: count)
        owners = memory.column(4 * count, count: count)
        var free = 0
        for slot in 0..<count where owners[slot] == SlotOwner.free.rawValue { free += 1 }
        freeCount = free
        // The free ones are those on the stack, each of them once.
        var seen = [Bool](repeating: false, count: count)
        for place in 0..<free {
            let slot = Int(stack[place])
            guard slot < count, owners[slot] == SlotOwner.free.rawValue, !seen[slot] else {
                return nil
            }
            seen[slot] = true
        }
    }

    /// Number of slots.
    public var count: Int {
        @_noLocks
        get { owners.count }
    }

    /// Takes a free slot for `owner`; nil if none is left.
    @_noLocks
    public mutating func take(_ owner: SlotOwner) -> UInt32? {
        guard freeCount > 0 else { return nil }
        freeCount -= 1
        let slot = stack[freeCount]
        move(slot, from: .free, to: owner)
        return slot
    }

    /// Gives a slot back.
    @_noLocks
    public mutating func give(_ slot: UInt32, from owner: SlotOwner) {
        move(slot, from: owner, to: .free)
        stack[freeCount] = slot
        freeCount += 1
    }

    /// A slot changes hands.
    @_noLocks
    public func move(_ slot: UInt32, from: SlotOwner, to: SlotOwner) {
        assert(owners[Int(slot)] == from.index, "slot of another owner")
        owners[Int(slot)] = to.index
    }

    /// True if `owner` has the slot.
    public func isOwned(_ slot: Int, by owner: SlotOwner) -> Bool {
        owners[slot] == owner.rawValue
    }

    /// Slots that `owner` has: counts them one by one.
    public func count(of owner: SlotOwner) -> Int {
        var number = 0
        for slot in 0..<count where owners[slot] == owner.rawValue { number += 1 }
        return number
    }
}
