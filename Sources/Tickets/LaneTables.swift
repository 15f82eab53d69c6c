public import Bytes

/// Tables of the keys behind the lanes of a batch: signers of tickets, or of acknowledgements.
///
/// A lane without a table is verified without. Who hands tables in answers for them: they are of
/// the right keys, made by the kernels in use, and stay as they are during the call.
public struct LaneTables: ~Copyable {
    /// Where the tables lie, one a slot.
    public let slab: Slab
    /// Slot of each lane's table.
    public private(set) var places = [64 of UInt32](repeating: 0)
    /// Lanes that have one.
    public private(set) var lanes: LaneMask = 0

    /// No lane has a table yet.
    @_noLocks
    public init(_ slab: Slab) { self.slab = slab }

    /// No tables at all.
    public static var none: LaneTables {
        @_noLocks
        get { LaneTables(Slab(region: Region(address: 64, byteCount: 0), stride: 64)) }
    }

    /// Gives a lane a table.
    @_noLocks
    public mutating func set(_ lane: Int, place: UInt32) {
        places[lane] = place
        lanes |= 1 << LaneMask(lane)
    }
}
