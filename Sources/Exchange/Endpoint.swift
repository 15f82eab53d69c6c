public import Bytes

/// A UDP address: what a datagram comes from or goes to.
public struct Endpoint: BitwiseCopyable, Hashable, Sendable {
    /// 0 none, 4 or 6.
    public var family: UInt8
    /// Port, host order.
    public var port: UInt16
    /// Address in network order; IPv4 uses the first four bytes, the rest is zero.
    public var address: Bytes16

    /// No address.
    public init() {
        family = 0
        port = 0
        address = Bytes16()
    }

    /// An address of the given family (4 or 6).
    @_noLocks
    public init(family: UInt8, address: Bytes16, port: UInt16) {
        self.family = family
        self.address = address
        self.port = port
    }

    /// An IPv4 address from its four bytes.
    public init(ipv4 a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
        family = 4
        self.port = port
        address = Bytes16()
        address[0] = a
        address[1] = b
        address[2] = c
        address[3] = d
    }

    /// The address as two words and the rest, for hashing.
    @inlinable var words: (UInt64, UInt64) {
        @_noLocks
        get {
            var low: UInt64 = 0
            var high: UInt64 = 0
            for index in 0..<8 {
                low = low << 8 | UInt64(address[index])
                high = high << 8 | UInt64(address[8 + index])
            }
            return (low, high)
        }
    }

    /// Equal in every field (for the packet path).
    @inlinable
    @_noLocks
    public func equals(_ other: Endpoint) -> Bool {
        let mine = words
        let theirs = other.words
        return family == other.family && port == other.port && mine.0 == theirs.0
            && mine.1 == theirs.1
    }
}
