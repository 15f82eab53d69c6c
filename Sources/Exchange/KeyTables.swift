public import Bytes

/// Where the tables lie that a snapshot names by place: of issuers, whose tickets come again and
/// again, or of neighbours that acknowledge.
///
/// Control writes a table while no snapshot in use names its place (`TableCache`); workers read,
/// and leave a mark at the places they used, by which control sees what is worth its memory.
public struct KeyTables: BitwiseCopyable, Sendable {
    /// Places there are.
    public let count: Int
    private let stride: Int
    // Addresses: a snapshot's header is plain bytes.
    private let tables: UInt64
    private let marks: UInt64

    /// No places at all.
    public static var none: KeyTables {
        @_noLocks
        get { KeyTables(tables: 64, marks: 64, count: 0, stride: 64) }
    }

    init(tables: Region, marks: Region, count: Int, stride: Int) {
        precondition(tables.byteCount >= count * stride && marks.byteCount >= count * 8)
        self.init(tables: tables.address, marks: marks.address, count: count, stride: stride)
    }

    @_noLocks
    private init(tables: UInt64, marks: UInt64, count: Int, stride: Int) {
        self.tables = tables
        self.marks = marks
        self.count = count
        self.stride = stride
    }

    /// The tables, one a slot.
    public var slab: Slab {
        @_noLocks
        get {
            Slab(region: Region(address: tables, byteCount: count * stride), stride: stride)
        }
    }

    private var cells: AtomicCells {
        @_noLocks
        get { AtomicCells(Region(address: marks, byteCount: 8 * count)) }
    }

    /// Leaves a mark: the table in that place was of use.
    @_noLocks
    public func mark(_ place: UInt32) {
        // Written once between two looks of control: workers that share a table share its line.
        if cells.load(Int(place)) == 0 { cells.store(1, Int(place)) }
    }

    /// Takes the mark away; true if there was one.
    func takeMark(_ place: UInt32) -> Bool {
        defer { cells.store(0, Int(place)) }
        return cells.load(Int(place)) != 0
    }
}
