public import Synchronization

/// 64-bit numbers in memory shared by threads.
@safe
public struct AtomicCells: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Atomic<UInt64>>
    /// Number of cells.
    public let count: Int

    /// Views `region`, 8-byte aligned, as cells; the bytes are kept.
    @_noLocks
    public init(_ region: Region) {
        let address = unsafe UInt(bitPattern: region.base)
        precondition(address % 8 == 0, "atomic cells must be aligned")
        unsafe base = region.base.assumingMemoryBound(to: Atomic<UInt64>.self)
        count = region.byteCount / 8
    }

    /// Reads without ordering.
    @inlinable
    @_noLocks
    public func load(_ index: Int) -> UInt64 {
        assert(index >= 0 && index < count)
        return unsafe base[index].load(ordering: .relaxed)
    }

    /// Reads; later accesses stay behind it.
    @inlinable
    @_noLocks
    public func loadAcquiring(_ index: Int) -> UInt64 {
        assert(index >= 0 && index < count)
        return unsafe base[index].load(ordering: .acquiring)
    }

    /// Writes without ordering.
    @inlinable
    @_noLocks
    public func store(_ value: UInt64, _ index: Int) {
        assert(index >= 0 && index < count)
        unsafe base[index].store(value, ordering: .relaxed)
    }

    /// Writes; earlier accesses stay before it.
    @inlinable
    @_noLocks
    public func storeReleasing(_ value: UInt64, _ index: Int) {
        assert(index >= 0 && index < count)
        unsafe base[index].store(value, ordering: .releasing)
    }

    /// Replaces `expected` by `desired`; false if another value was there.
    @inlinable
    @_noLocks
    public func exchange(_ index: Int, expected: UInt64, desired: UInt64) -> Bool {
        assert(index >= 0 && index < count)
        return unsafe base[index].compareExchange(
            expected: expected,
            desired: desired,
            ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Adds, wrapping; returns the value before.
    @inlinable
    @_noLocks
    @discardableResult
    public func add(_ value: UInt64, _ index: Int) -> UInt64 {
        assert(index >= 0 && index < count)
        return unsafe base[index].wrappingAdd(value, ordering: .acquiringAndReleasing).oldValue
    }

    /// Adds where only one thread writes: a plain load and store, no bus lock.
    @inlinable
    @_noLocks
    public func bump(_ index: Int, by value: UInt64 = 1) {
        store(load(index) &+ value, index)
    }

    /// Raises the cell to at least `value`.
    @inlinable
    @_noLocks
    public func raise(_ value: UInt64, _ index: Int) {
        var seen = loadAcquiring(index)
        while seen < value, !exchange(index, expected: seen, desired: value) {
            seen = loadAcquiring(index)
        }
    }
}

/// 32-bit numbers in memory shared by threads.
@safe
public struct AtomicWords: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Atomic<UInt32>>
    /// Number of words.
    public let count: Int

    /// Views `region`, 4-byte aligned, as words; the bytes are kept.
    public init(_ region: Region) {
        let address = unsafe UInt(bitPattern: region.base)
        precondition(address % 4 == 0, "atomic words must be aligned")
        unsafe base = region.base.assumingMemoryBound(to: Atomic<UInt32>.self)
        count = region.byteCount / 4
    }

    /// Reads without ordering.
    @inlinable
    @_noLocks
    public func load(_ index: Int) -> UInt32 {
        assert(index >= 0 && index < count)
        return unsafe base[index].load(ordering: .relaxed)
    }

    /// Replaces `expected` by `desired`; false if another value was there.
    @inlinable
    @_noLocks
    public func exchange(_ index: Int, expected: UInt32, desired: UInt32) -> Bool {
        assert(index >= 0 && index < count)
        return unsafe base[index].compareExchange(
            expected: expected,
            desired: desired,
            ordering: .acquiringAndReleasing
        ).exchanged
    }
}

/// 128-bit amounts in memory shared by threads.
@safe
public struct AtomicAmounts: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Atomic<WordPair>>
    /// Number of amounts.
    public let count: Int

    /// Views `region`, 16-byte aligned, as amounts; the bytes are kept.
    public init(_ region: Region) {
        let address = unsafe UInt(bitPattern: region.base)
        precondition(address % 16 == 0, "atomic amounts must be aligned")
        unsafe base = region.base.assumingMemoryBound(to: Atomic<WordPair>.self)
        count = region.byteCount / 16
    }

    /// Reads.
    @inlinable
    @_noLocks
    public func load(_ index: Int) -> UInt128 {
        assert(index >= 0 && index < count)
        let pair = unsafe base[index].load(ordering: .acquiring)
        return UInt128(UInt64(pair.second)) << 64 | UInt128(UInt64(pair.first))
    }

    /// Replaces `expected` by `desired`; false if another value was there.
    @inlinable
    @_noLocks
    public func exchange(_ index: Int, expected: UInt128, desired: UInt128) -> Bool {
        assert(index >= 0 && index < count)
        return unsafe base[index].compareExchange(
            expected: wordPair(expected),
            desired: wordPair(desired),
            ordering: .acquiringAndReleasing
        ).exchanged
    }
}

@inlinable
@_noLocks
func wordPair(_ value: UInt128) -> WordPair {
    WordPair(
        first: UInt(UInt64(truncatingIfNeeded: value)),
        second: UInt(UInt64(truncatingIfNeeded: value >> 64))
    )
}
