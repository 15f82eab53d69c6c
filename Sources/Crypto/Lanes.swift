public import Bytes

/// Where the bytes of every lane begin: a column with one entry a lane, or a field of the packets
/// that a batch names by slot.
@safe
public struct Lanes: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let stride: Int
    @usableFromInline let slots: [64 of UInt32]
    @usableFromInline let hasSlots: Bool

    /// Lane i is element i.
    @inlinable
    public init<Element: BitwiseCopyable>(_ column: Column<Element>, offset: Int = 0) {
        unsafe base = UnsafeMutableRawPointer(column.base) + offset
        stride = MemoryLayout<Element>.stride
        slots = [64 of UInt32](repeating: 0)
        hasSlots = false
    }

    /// Lane i begins at `i * stride`. One lane needs no stride.
    @inlinable
    @_noLocks
    public init(_ region: Region, stride: Int = 0) {
        unsafe base = region.base
        self.stride = stride
        slots = [64 of UInt32](repeating: 0)
        hasSlots = false
    }

    /// Lane i is the field that begins `offset` bytes into the packet of slot `slots[i]`.
    @inlinable
    @_noLocks
    public init(_ slab: Slab, slots: borrowing [64 of UInt32], offset: Int) {
        unsafe base = slab.region.base + slab.offset + offset
        stride = slab.stride
        self.slots = copy slots
        hasSlots = true
    }
}
