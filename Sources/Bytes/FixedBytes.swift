/// A byte string of known length, compared and hashed by value: keys, hashes, addresses.
///
/// Equality is variable time; secrets are compared with `constantTimeEqual`.
public struct FixedBytes<let length: Int>: BitwiseCopyable, Sendable {
    /// The bytes, in wire order.
    public var storage: [length of UInt8]

    /// All zero.
    @inlinable
    public init() { storage = [length of UInt8](repeating: 0) }

    /// Number of bytes.
    @inlinable
    public static var count: Int { length }

    /// Number of bytes.
    @inlinable
    public var count: Int { length }

    /// One byte; traps outside `0..<length`.
    @inlinable
    public subscript(index: Int) -> UInt8 {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    /// The bytes as a read-only view.
    @inlinable
    public var span: RawSpan {
        @_lifetime(borrow self)
        get { unsafe storage.span.bytes }
    }

    /// Calls `body` with a pointer to the bytes.
    @inlinable
    public func withPointer<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
        unsafe withUnsafeBytes(of: self) { raw in
            guard let base = raw.baseAddress else { fatalError("empty FixedBytes") }
            return unsafe body(base.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Calls `body` with a pointer that may be written through.
    @inlinable
    public mutating func withMutablePointer<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
        unsafe withUnsafeMutableBytes(of: &self) { raw in
            guard let base = raw.baseAddress else { fatalError("empty FixedBytes") }
            return unsafe body(base.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// True if every byte is zero (variable time).
    @inlinable
    public var isZero: Bool {
        for index in 0..<length where storage[index] != 0 { return false }
        return true
    }
}

extension FixedBytes: Equatable {
    /// Variable-time equality.
    @inlinable
    public static func == (left: Self, right: Self) -> Bool {
        for index in 0..<length where left.storage[index] != right.storage[index] { return false }
        return true
    }
}

extension FixedBytes: Hashable {
    /// Feeds all bytes to the hasher.
    public func hash(into hasher: inout Hasher) {
        for index in 0..<length { hasher.combine(storage[index]) }
    }
}

extension FixedBytes: Comparable {
    /// Lexicographic order (variable time).
    public static func < (left: Self, right: Self) -> Bool {
        for index in 0..<length where left.storage[index] != right.storage[index] {
            return left.storage[index] < right.storage[index]
        }
        return false
    }
}

extension FixedBytes {
    /// Takes exactly `length` bytes; nil for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == length else { return nil }
        self.init()
        for (index, byte) in bytes.enumerated() { storage[index] = byte }
    }

    /// Reads `2 * length` hex digits, with or without `0x`; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// Lower-case hex, no prefix.
    public var hex: String { Hex.encode(array) }

    /// The bytes as an array (allocates; control plane only).
    public var array: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(length)
        for index in 0..<length { result.append(storage[index]) }
        return result
    }
}

extension FixedBytes: CustomStringConvertible {
    /// Lower-case hex. Never print a secret.
    public var description: String { hex }
}

/// 32 bytes: a secret, hash, public key or scalar.
public typealias Bytes32 = FixedBytes<32>
/// 33 bytes: a compressed secp256k1 point.
public typealias Bytes33 = FixedBytes<33>
/// 64 bytes: a signature or an affine point x ‖ y.
public typealias Bytes64 = FixedBytes<64>
/// 20 bytes: a chain address or an Ethereum challenge.
public typealias Address = FixedBytes<20>
/// 16 bytes: a MAC or a replay tag.
public typealias Bytes16 = FixedBytes<16>
