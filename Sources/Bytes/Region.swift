#if canImport(Glibc)
internal import Glibc
#endif

/// A view of memory that somebody else owns and keeps alive.
///
/// Offsets are in bytes, checked by `assert`: on the packet path they come from constants and lane
/// numbers, never from a packet.
@safe
public struct Region: BitwiseCopyable, @unchecked Sendable {
    /// First byte.
    public let base: UnsafeMutableRawPointer
    /// Number of bytes.
    public let byteCount: Int

    /// Views `byteCount` bytes from `base`.
    @inlinable
    @_noLocks
    public init(base: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe self.base = base
        self.byteCount = byteCount
    }

    /// `count` bytes from `offset`.
    @inlinable
    @_noLocks
    public func slice(_ offset: Int, _ count: Int) -> Region {
        assert(offset >= 0 && count >= 0 && offset + count <= byteCount)
        return unsafe Region(base: base + offset, byteCount: count)
    }

    /// Reads a fixed-size value, unaligned.
    @inlinable
    public func load<T: BitwiseCopyable>(_ offset: Int) -> T {
        assert(offset >= 0 && offset + MemoryLayout<T>.size <= byteCount)
        return unsafe base.loadUnaligned(fromByteOffset: offset, as: T.self)
    }

    /// One byte.
    @inlinable
    @_noLocks
    public func byte(_ offset: Int) -> UInt8 {
        assert(offset >= 0 && offset < byteCount)
        return unsafe base.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// Writes a fixed-size value, unaligned.
    @inlinable
    public func store<T: BitwiseCopyable>(_ value: T, _ offset: Int) {
        assert(offset >= 0 && offset + MemoryLayout<T>.size <= byteCount)
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: T.self)
    }

    /// Copies all of `source` to `offset`; the two must not overlap.
    @inlinable
    @_noLocks
    public func copy(_ source: Region, to offset: Int) {
        assert(offset >= 0 && offset + source.byteCount <= byteCount)
        unsafe regionCopy(base + offset, source.base, source.byteCount)
    }

    /// Copies `count` bytes from `source` to `offset`, both inside; the two may overlap.
    @inlinable
    @_noLocks
    public func move(_ source: Int, _ count: Int, to offset: Int) {
        assert(source >= 0 && offset >= 0 && count >= 0 && max(source, offset) + count <= byteCount)
        unsafe regionMove(base + offset, base + source, count)
    }

    /// Xors all of `mask` onto what begins at `offset`; the two must not overlap.
    @inlinable
    @_noLocks
    public func xor(_ mask: Region, at offset: Int = 0) {
        assert(offset >= 0 && offset + mask.byteCount <= byteCount)
        var index = 0
        while index + 8 <= mask.byteCount {
            let word: UInt64 = mask.load(index)
            store(load(offset + index) ^ word, offset + index)
            index += 8
        }
        while index < mask.byteCount {
            store(byte(offset + index) ^ mask.byte(index), offset + index)
            index += 1
        }
    }

    /// Sets every byte.
    @inlinable
    @_noLocks
    public func fill(_ byte: UInt8) {
        unsafe regionFill(base, byte, byteCount)
    }

    /// Big-endian unsigned integer of `count` bytes, 1...8.
    @inlinable
    @_noLocks
    public func bigEndian(_ offset: Int, count: Int) -> UInt64 {
        assert(count >= 1 && count <= 8 && offset >= 0 && offset + count <= byteCount)
        var value: UInt64 = 0
        for index in 0..<count { value = value << 8 | UInt64(byte(offset + index)) }
        return value
    }

    /// Writes the low `count` bytes of `value`, big-endian.
    @inlinable
    @_noLocks
    public func storeBigEndian(_ value: UInt64, _ offset: Int, count: Int) {
        assert(count >= 1 && count <= 8 && offset >= 0 && offset + count <= byteCount)
        for index in 0..<count {
            store(
                UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - index))),
                offset + index
            )
        }
    }

    /// The bytes as an array (allocates; control plane only).
    public var array: [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: byteCount))
    }
}

@usableFromInline
@_semantics("no_performance_analysis")
func regionCopy(
    _ destination: UnsafeMutableRawPointer,
    _ source: UnsafeMutableRawPointer,
    _ count: Int
) {
    unsafe memcpy(destination, source, count)
}

@usableFromInline
@_semantics("no_performance_analysis")
func regionMove(
    _ destination: UnsafeMutableRawPointer,
    _ source: UnsafeMutableRawPointer,
    _ count: Int
) {
    unsafe memmove(destination, source, count)
}

@usableFromInline
@_semantics("no_performance_analysis")
func regionFill(_ destination: UnsafeMutableRawPointer, _ byte: UInt8, _ count: Int) {
    unsafe memset(destination, Int32(byte), count)
}

/// Overwrites secrets; not removed by the optimiser.
@_semantics("no_performance_analysis")
public func zeroize(_ region: Region) {
    // 2 kB at a time: for more the C library takes an instruction that is slow on memory that is
    // not at hand.
    var done = 0
    while done < region.byteCount {
        let count = min(2_048, region.byteCount - done)
        unsafe explicit_bzero(region.base + done, count)
        done += count
    }
}

/// Compares two regions of equal length in constant time.
@inlinable
@_noLocks
public func constantTimeEqual(_ left: Region, _ right: Region) -> Bool {
    guard left.byteCount == right.byteCount else { return false }
    var difference: UInt8 = 0
    for index in 0..<left.byteCount {
        difference |= left.byte(index) ^ right.byte(index)
    }
    return difference == 0
}

extension Region {
    /// No memory at all: a place-holder that must not be read.
    public static var nowhere: Region {
        guard let base = unsafe UnsafeMutableRawPointer(bitPattern: 64) else {
            fatalError("no address")
        }
        return unsafe Region(base: base, byteCount: 0)
    }
}

extension Region {
    /// Where the memory lies, as a number that another thread can be told.
    @inlinable
    public var address: UInt64 {
        @_noLocks
        get { unsafe UInt64(UInt(bitPattern: base)) }
    }

    /// The memory of `byteCount` bytes at an address that `address` gave.
    @inlinable
    @_noLocks
    public init(address: UInt64, byteCount: Int) {
        guard let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
            fatalError("no address")
        }
        unsafe self.init(base: base, byteCount: byteCount)
    }
}
