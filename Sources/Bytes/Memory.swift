#if canImport(Glibc)
internal import Glibc
#endif

/// Zeroed, 64-byte aligned memory with one owner; wiped when released. For set-up and the control
/// plane: the packet path works in regions cut from memory that was taken at start.
@safe
public final class Memory: @unchecked Sendable {
    /// All of it; valid while this object lives.
    public let region: Region

    /// Takes `byteCount` zero bytes.
    public init(_ byteCount: Int) {
        let rounded = max(64, (byteCount + 63) & ~63)
        guard let base = unsafe aligned_alloc(64, rounded) else { fatalError("out of memory") }
        unsafe memset(base, 0, rounded)
        unsafe region = Region(base: base, byteCount: byteCount)
    }

    deinit {
        zeroize(region)
        unsafe free(region.base)
    }
}

extension [UInt8] {
    /// Calls `body` with the bytes in place. The region ends with the call.
    public mutating func withRegion<R>(_ body: (Region) -> R) -> R {
        unsafe withUnsafeMutableBytes { raw in
            guard let base = raw.baseAddress else {
                return body(Memory(0).region.slice(0, 0))
            }
            return unsafe body(Region(base: base, byteCount: raw.count))
        }
    }
}

extension FixedBytes {
    /// Calls `body` with the bytes in place. The region ends with the call.
    @inlinable
    public mutating func withRegion<R>(_ body: (Region) -> R) -> R {
        unsafe withUnsafeMutableBytes(of: &self) { raw in
            guard let base = raw.baseAddress else { fatalError("empty FixedBytes") }
            return unsafe body(Region(base: base, byteCount: length))
        }
    }
}

extension Region {
    /// Writes bytes from `offset` (control plane).
    public func store(bytes: some Sequence<UInt8>, _ offset: Int) {
        var position = offset
        for byte in bytes {
            precondition(position < byteCount, "bytes do not fit the region")
            store(byte, position)
            position += 1
        }
    }
}
