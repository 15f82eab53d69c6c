internal import Bytes

/// How late packets leave the mixer: nanoseconds behind their time, in classes by powers of two.
///
/// Up to a tick of the wheel is by design; what is above shows a worker that cannot keep up.
/// Written by one worker, read by anybody.
public struct MixLateness: Sendable {
    /// The last class has no upper end: four and a half minutes and more.
    static var cells: Int { @_noLocks get { 40 } }

    private let counts: AtomicCells
    private let first: Int

    @_noLocks
    init(_ counts: AtomicCells, first: Int) {
        self.counts = counts
        self.first = first
    }

    /// The class of a value: 0, 1, 2...3, 4...7 and so on.
    @_noLocks
    static func place(_ nanos: UInt64) -> Int {
        min(64 - nanos.leadingZeroBitCount, cells - 1)
    }

    /// Counts a packet.
    @_noLocks
    public func add(_ nanos: UInt64) { counts.bump(first + MixLateness.place(nanos)) }

    /// All classes that are not empty: lowest value and count.
    public var classes: [(nanos: UInt64, count: UInt64)] {
        (0..<MixLateness.cells).compactMap { place in
            let count = counts.load(first + place)
            return count == 0 ? nil : (place == 0 ? 0 : 1 << UInt64(place - 1), count)
        }
    }
}
