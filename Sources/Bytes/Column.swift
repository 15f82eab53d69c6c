/// A fixed number of values side by side in memory that somebody else owns: one field of a table.
@safe
public struct Column<Element: BitwiseCopyable>: @unchecked Sendable {
    /// First element.
    public let base: UnsafeMutablePointer<Element>
    /// Number of elements.
    public let count: Int

    /// Views `count` initialised elements from `base`.
    @inlinable
    public init(base: UnsafeMutablePointer<Element>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// One element; the index is checked by `assert`.
    @inlinable
    public subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return unsafe base[index]
        }
        nonmutating set {
            assert(index >= 0 && index < count)
            unsafe base[index] = newValue
        }
    }

    /// Where an element lies.
    @inlinable
    public func region(_ index: Int) -> Region {
        assert(index >= 0 && index < count)
        return unsafe Region(
            base: UnsafeMutableRawPointer(base + index),
            byteCount: MemoryLayout<Element>.stride
        )
    }

    /// All elements as bytes.
    @inlinable
    public var region: Region {
        get {
            unsafe Region(
                base: UnsafeMutableRawPointer(base),
                byteCount: count * MemoryLayout<Element>.stride
            )
        }
    }
}

extension Region {
    /// `count` elements from `offset`, which must suit their alignment.
    @inlinable
    public func column<Element: BitwiseCopyable>(_ offset: Int, count: Int) -> Column<Element> {
        let piece = slice(offset, count * MemoryLayout<Element>.stride)
        assert(unsafe UInt(bitPattern: piece.base) % UInt(MemoryLayout<Element>.alignment) == 0)
        return unsafe Column(base: piece.base.assumingMemoryBound(to: Element.self), count: count)
    }
}

/// Hands out pieces of one region, in order; run over nothing it computes how much is needed.
///
/// The same layout function is called twice: once with `Arena()` to learn the size, once with the
/// memory. Memory handed in must be zeroed; columns start as zero bytes.
@safe
public struct Arena: ~Copyable {
    private let base: UnsafeMutableRawPointer?
    private let capacity: Int
    /// Bytes handed out so far, alignment included.
    public private(set) var used = 0
    /// Digest of what was handed out: numbers, strides and alignments of elements, in order. Memory
    /// that one layout function divided can be read by another one with the same digest, as far as
    /// elements of one size mean the same.
    public private(set) var layout: UInt64 = 0xcbf2_9ce4_8422_2325

    /// A measuring arena.
    public init() {
        unsafe base = nil
        capacity = 0
    }

    /// Hands out pieces of `region`, whose base must be 64-byte aligned.
    public init(_ region: Region) {
        let address = unsafe UInt(bitPattern: region.base)
        precondition(address % 64 == 0, "arena must be 64-byte aligned")
        unsafe base = region.base
        capacity = region.byteCount
    }

    /// `count` elements on a 64-byte boundary. A measuring arena returns a column that must not be
    /// used.
    public mutating func column<Element: BitwiseCopyable>(
        _ type: Element.Type,
        _ count: Int
    ) -> Column<Element> {
        let bytes = count * MemoryLayout<Element>.stride
        note(count)
        note(MemoryLayout<Element>.stride)
        note(MemoryLayout<Element>.alignment)
        let start = unsafe take(bytes)
        return unsafe Column(base: start.assumingMemoryBound(to: type), count: count)
    }

    /// `byteCount` bytes on a 64-byte boundary.
    public mutating func region(_ byteCount: Int) -> Region {
        note(byteCount)
        return unsafe Region(base: take(byteCount), byteCount: byteCount)
    }

    /// A number becomes part of `layout`: of memory that is divided elsewhere, or what else must be
    /// the same.
    public mutating func note(_ number: UInt64) {
        layout = (layout ^ number) &* 0x100_0000_01b3
        layout ^= layout >> 29
    }

    private mutating func note(_ number: Int) { note(UInt64(bitPattern: Int64(number))) }

    private mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer {
        let start = used
        used = (used + bytes + 63) & ~63
        guard let base = unsafe base else {
            // A measuring arena: an address that is never read.
            guard let nowhere = unsafe UnsafeMutableRawPointer(bitPattern: 64) else {
                fatalError("no address")
            }
            return unsafe nowhere
        }
        precondition(start + bytes <= capacity, "arena too small")
        return unsafe base + start
    }
}
